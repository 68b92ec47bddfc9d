"""Random networks, planned and lowered, on the real kernels: every byte as the oracle says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from squeeze2c.ir import format_graph
from squeeze2c.passes import run_passes
from squeeze2c.quantize import quantize
from squeeze2c.reference import evaluate_int
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.schedule.options import INPUT_MODES, KINDS
from tests.property.random_graphs import Case, networks
from tests.support.interpreter import Interpreter
from tests.support.kernel_library import Build, Kernels, load_kernels
from tests.support.programs import every_operator_graph, program_of, quantised, random_images

MODES = (None, *INPUT_MODES)
TARGETS = ("host", "cortex-m55")
"""Portable kernels, and those for Helium in their C form."""


@pytest.fixture(scope="session")
def kernels(build_dir: Path) -> Kernels:
    return load_kernels(Build("gcc", ("-O2",)), build_dir)


@given(
    case=networks(max_layers=12), order=st.sampled_from(KINDS), mode=st.sampled_from(MODES),
    target=st.sampled_from(TARGETS),
)
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_planned_program_equals_oracle(
    kernels: Kernels, case: Case, order: str, mode: str | None, target: str
) -> None:
    """From float model to chosen schedule: no row is too early or too late, wherever it lies."""
    graph = run_passes(case.graph, case.preprocess)
    kind = graph.input_value.type
    shape = (4, kind.height, kind.width, kind.channels)
    images = np.random.default_rng(7).integers(0, 256, shape, np.uint8)
    integer = quantize(graph, images)
    program = program_of(integer, target, options=ScheduleOptions(order, mode))
    interpreter = Interpreter(kernels, program)
    expected = evaluate_int(integer, images)
    for index in (0, 3):
        for name, array in interpreter.run(images[index]).items():
            np.testing.assert_array_equal(
                array, expected[name][index], f"{name}\n{format_graph(integer)}"
            )


def test_every_operator_equals_oracle(kernels: Kernels) -> None:
    integer = quantised(every_operator_graph())
    images = random_images(integer, 2, seed=3)
    expected = evaluate_int(integer, images)
    results = Interpreter(kernels, program_of(integer)).run(images[1])
    assert set(results) == {n.output for n in integer.nodes} - {"fire/concat"}
    for name, array in results.items():
        np.testing.assert_array_equal(array, expected[name][1])
