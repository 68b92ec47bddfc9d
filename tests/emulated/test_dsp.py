"""Kernels for the DSP extension on the cores that have it, one row and several at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from squeeze2c.emulate import simulate
from squeeze2c.ir import Graph
from squeeze2c.pipeline import STACK_RESERVE_BYTES, build_program
from squeeze2c.schedule import ScheduleOptions, words
from squeeze2c.target import core_named
from tests.emulated.conftest import MakeArtifact
from tests.support.fires import fires
from tests.support.programs import random_images

pytestmark = pytest.mark.emulated

BOARDS = {"cortex-m4": "mps2-an386", "cortex-m7": "mps2-an500", "cortex-m33": "mps2-an505"}
ROWS = ("one", "several")
SEVERAL = ScheduleOptions(ram_bytes=1 << 20)


@pytest.fixture(scope="module", autouse=True)
def no_other_kernels() -> Iterator[None]:
    """Layers of odd sizes would take those for Cortex-M3; ``test_words.py`` has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "MORE_BYTES", ())
        yield


@pytest.fixture(scope="module")
def network() -> Graph:
    return fires()


def options_for(network: Graph, target: str, rows: str) -> ScheduleOptions:
    """The smallest schedule takes one row at a time."""
    if rows == "several":
        return SEVERAL
    built = build_program(network, core_named(target), "tiny")
    beside = STACK_RESERVE_BYTES + built.program.interface_bytes
    return ScheduleOptions(ram_bytes=built.candidates[0].arena_bytes + beside)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("target", BOARDS)
def test_every_layer_equals_the_oracle(
    target: str, rows: str, network: Graph, make_artifact: MakeArtifact
) -> None:
    options = options_for(network, target, rows)
    artifact = make_artifact(target, graph=network, options=options)
    program = build_program(network, core_named(target), "tiny", options).program
    kernels = {layer.kernel.op for layer in program.layers}
    assert ("winograd3x3" in kernels) == (rows == "several")
    result = simulate(artifact, BOARDS[target], random_images(network, 2))
    assert result.mismatches == 0
    assert result.instructions is not None


@pytest.mark.parametrize("level", ["-O0", "-O1", "-Os"])
def test_any_optimisation_gives_the_same_bits(
    level: str, network: Graph, make_artifact: MakeArtifact
) -> None:
    """The assembler works beside a frame pointer, which -O0 has."""
    artifact = make_artifact("cortex-m4", graph=network, options=SEVERAL)
    result = simulate(
        artifact, "mps2-an386", random_images(network, 1), optimisation=level,
        count_instructions=False,
    )  # fmt: skip
    assert result.mismatches == 0


def test_more_rows_at_once_take_fewer_instructions(
    network: Graph, make_artifact: MakeArtifact
) -> None:
    images = random_images(network, 1)
    counts = {}
    for rows in ROWS:
        options = options_for(network, "cortex-m4", rows)
        artifact = make_artifact("cortex-m4", graph=network, options=options)
        layers = simulate(artifact, "mps2-an386", images).layers
        counts[rows] = {layer.name: layer.instructions or 0 for layer in layers}
    for name in ("fire1/three", "fire2/three"):
        assert counts["several"][name] < 0.8 * counts["one"][name]
