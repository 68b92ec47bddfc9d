"""Kernels for Cortex-M3 on it, in little memory and in much, and what they are said to cost."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from squeeze2c.emulate import simulate
from squeeze2c.ir import Graph
from squeeze2c.lower import pack_weights
from squeeze2c.pipeline import build_program
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.schedule.cost import instructions_by_stage
from squeeze2c.target import core_named
from tests.emulated.conftest import MakeArtifact
from tests.support.fires import fires
from tests.support.programs import camera_builder, quantised, random_images

pytestmark = pytest.mark.emulated

BOARD = "mps2-an385"
CORE = core_named("cortex-m3")
SCHEDULES = {
    "layerwise": ScheduleOptions("layerwise"),
    "stream": ScheduleOptions("stream", input_mode="frame"),
    "large": ScheduleOptions("stream", input_mode="frame", ram_bytes=1 << 20),
}


@pytest.fixture(scope="module")
def network() -> Graph:
    return fires()


@pytest.fixture(scope="module")
def odd() -> Graph:
    """Every kind of layer, in sizes that do not divide by those of the kernels."""
    build = camera_builder(33, 35)
    x = build.conv(build.input, 13, kernel=3, stride=2, padding=(1, 0, 1, 2), relu=True)
    x = build.maxpool(x, kernel=3, stride=2)
    squeezed = build.conv(x, 5, relu=True)
    one = build.conv(squeezed, 9, relu=True)
    x = build.concat(one, build.conv(squeezed, 9, kernel=3, padding=1, relu=True))
    x = build.conv(x, 18, relu=True)
    bypass = build.conv(x, 18, kernel=3, padding=1)
    x = build.add(x, bypass, relu=True)
    return quantised(build.finish(build.conv(x, 21, relu=True, global_pool=True)), images=2)


@pytest.mark.parametrize("target", ["cortex-m3", "cortex-m4"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_layer_equals_the_oracle(
    schedule: str, target: str, network: Graph, make_artifact: MakeArtifact
) -> None:
    """Larger cores run the same code."""
    artifact = make_artifact("cortex-m3", graph=network, options=SCHEDULES[schedule])
    program = build_program(network, CORE, "tiny", SCHEDULES[schedule]).program
    kernels = {layer.kernel.op for layer in program.layers if layer.kernel.arch == "m3"}
    assert kernels == {"conv2d", "conv2d_sum", "poly3x3", "maxpool2d"}
    board = BOARD if target == "cortex-m3" else "mps2-an386"
    result = simulate(artifact, board, random_images(network, 2))
    assert result.mismatches == 0


def test_packed_weights_give_the_same_bits(network: Graph, make_artifact: MakeArtifact) -> None:
    packed = pack_weights(network)
    for options in (ScheduleOptions(), ScheduleOptions(ram_bytes=1 << 20)):
        artifact = make_artifact("cortex-m3", graph=network, options=options, packed=packed)
        assert simulate(artifact, BOARD, random_images(network, 1)).mismatches == 0


@pytest.mark.parametrize("level", ["-O0", "-O1", "-Os"])
def test_any_optimisation_gives_the_same_bits(
    level: str, odd: Graph, make_artifact: MakeArtifact
) -> None:
    """The assembler works beside a frame pointer, which -O0 has."""
    artifact = make_artifact("cortex-m3", graph=odd)
    result = simulate(
        artifact, BOARD, random_images(odd, 1), optimisation=level, count_instructions=False
    )
    assert result.mismatches == 0


@pytest.mark.parametrize("extreme", [0, 255])
def test_images_at_the_ends_of_their_range(
    extreme: int, odd: Graph, make_artifact: MakeArtifact
) -> None:
    artifact = make_artifact("cortex-m3", graph=odd, options=SCHEDULES["large"])
    images = np.full_like(random_images(odd, 1), extreme)
    assert simulate(artifact, BOARD, images).mismatches == 0


@pytest.fixture(scope="module")
def counted(odd: Graph, make_artifact: MakeArtifact) -> dict[str, tuple[int, int]]:
    """Instructions counted and predicted, by schedule; checks each layer on the way."""
    figures = {}
    for name, options in SCHEDULES.items():
        artifact = make_artifact("cortex-m3", graph=odd, options=options)
        result = simulate(artifact, BOARD, random_images(odd, 1))
        chosen = build_program(odd, CORE, "tiny", options).chosen
        stages = instructions_by_stage(odd, chosen.schedule)
        for layer, predicted in zip(result.layers, stages, strict=True):
            assert predicted == pytest.approx(layer.instructions, rel=0.03), layer.name
        assert result.instructions is not None
        figures[name] = (result.instructions, chosen.instructions)
    return figures


def test_totals_are_predicted(counted: dict[str, tuple[int, int]]) -> None:
    for name, (executed, predicted) in counted.items():
        assert predicted == pytest.approx(executed, rel=0.01), name


def test_schedules_rank_as_they_are_measured(counted: dict[str, tuple[int, int]]) -> None:
    """Where more than a few instructions lie between them."""
    for one, other in combinations(counted.values(), 2):
        if abs(one[0] - other[0]) > 2000:
            assert (one[0] < other[0]) == (one[1] < other[1])
