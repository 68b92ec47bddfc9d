"""Random pruned networks for a core that skips zeros: every byte as the oracle says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from squeeze2c.ir import format_graph
from squeeze2c.kernels import skips_zeros, sparse
from squeeze2c.passes import run_passes
from squeeze2c.quantize import quantize
from squeeze2c.reference import evaluate_int
from squeeze2c.schedule import ScheduleOptions, zeros
from squeeze2c.schedule.options import KINDS
from tests.property.random_graphs import Case, networks
from tests.support.interpreter import Interpreter
from tests.support.kernel_library import Build, Kernels, load_kernels
from tests.support.programs import program_of
from tests.support.pruned import pruned


@pytest.fixture(scope="module")
def kernels(build_dir: Path) -> Kernels:
    return load_kernels(Build("gcc", ("-O2",)), build_dir)


@pytest.fixture(scope="module", autouse=True)
def wherever_possible() -> Iterator[None]:
    """Zeros of layers this small are skipped too, whatever time and flash it takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse, "LARGEST", 1000.0)
        patch.setattr(zeros, "_extra_bytes", lambda stage: 0)
        patch.setattr(
            zeros, "instructions_by_stage",
            lambda graph, schedule: [float(s.sparsity is None) for s in schedule.stages],
        )
        yield


@pytest.fixture(scope="module")
def skipping() -> list[str]:
    """Layers that skipped zeros in any of the examples."""
    return []


@given(
    case=networks(max_layers=10), kind=st.sampled_from(KINDS),
    density=st.sampled_from((0.05, 0.2, 0.35)),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_program_equals_oracle(
    kernels: Kernels, skipping: list[str], case: Case, kind: str, density: float
) -> None:
    graph = pruned(run_passes(case.graph, case.preprocess), density)
    image = graph.input_value.type
    shape = (4, image.height, image.width, image.channels)
    images = np.random.default_rng(7).integers(0, 256, shape, np.uint8)
    integer = quantize(graph, images)
    options = ScheduleOptions(kind, ram_bytes=1 << 24)
    program = program_of(integer, "cortex-m4", options=options)
    skipping += [layer.name for layer in program.layers if skips_zeros(layer.kernel)]
    interpreter = Interpreter(kernels, program)
    expected = evaluate_int(integer, images)
    for name, array in interpreter.run(images[0]).items():
        np.testing.assert_array_equal(
            array, expected[name][0], f"{name}\n{format_graph(integer)}"
        )


def test_zeros_were_skipped(skipping: list[str]) -> None:
    assert skipping
