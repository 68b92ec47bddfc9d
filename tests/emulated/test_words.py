"""Kernels written for Cortex-M3 on larger cores, beside those for the DSP extension."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pytest

from squeeze2c.emulate import simulate
from squeeze2c.ir import Graph
from squeeze2c.lower import CProgram
from squeeze2c.pipeline import build_program
from squeeze2c.schedule import ScheduleOptions, words
from squeeze2c.schedule.cost import instructions_by_stage
from squeeze2c.target import core_named
from tests.emulated.conftest import MakeArtifact
from tests.support.programs import camera_builder, quantised, random_images

pytestmark = pytest.mark.emulated

M4 = core_named("cortex-m4")
BOARDS = {"cortex-m4": "mps2-an386", "cortex-m7": "mps2-an500", "cortex-m33": "mps2-an505"}
SCHEDULES = {
    "stream": ScheduleOptions("stream", ram_bytes=1 << 20),
    "layerwise": ScheduleOptions("layerwise"),
    "large": ScheduleOptions("stream", input_mode="frame", ram_bytes=1 << 20),
}


@pytest.fixture(scope="module", autouse=True)
def wherever_instructions_are_saved() -> Iterator[None]:
    """Also where more cycles are estimated: the kernels are exact on every core."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "CYCLES", {"cortex-m4": defaultdict(lambda: 1.0)})
        yield


@pytest.fixture(scope="module")
def network() -> Graph:
    """Windows of many taps, 3x3 ones of few channels, slices, a classifier, and odd sizes."""
    build = camera_builder(33, 35)
    x = build.conv(build.input, 13, kernel=5, stride=2, padding=(1, 0, 1, 2), relu=True)
    x = build.maxpool(x, kernel=3, stride=2)
    squeezed = build.conv(x, 6, relu=True)
    one = build.conv(squeezed, 10, relu=True)
    x = build.concat(one, build.conv(squeezed, 10, kernel=3, padding=1, relu=True))
    x = build.conv(x, 17, kernel=3, padding=1, relu=True)
    return quantised(build.finish(build.conv(x, 40, relu=True, global_pool=True)), images=2)


def swapped(program: CProgram) -> set[str]:
    return {layer.kernel.op for layer in program.layers if layer.kernel.arch == "m3"}


@pytest.mark.parametrize("target", BOARDS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_layer_equals_the_oracle(
    schedule: str, target: str, network: Graph, make_artifact: MakeArtifact
) -> None:
    options = SCHEDULES[schedule]
    program = build_program(network, core_named(target), "tiny", options).program
    assert swapped(program) >= {"conv2d", "conv2d_sum"}
    assert ("poly3x3" in swapped(program)) == (schedule != "layerwise")
    artifact = make_artifact(target, graph=network, options=options)
    result = simulate(artifact, BOARDS[target], random_images(network, 2))
    assert result.mismatches == 0


@pytest.mark.parametrize("level", ["-O0", "-O1", "-Os"])
def test_any_optimisation_gives_the_same_bits(
    level: str, network: Graph, make_artifact: MakeArtifact
) -> None:
    artifact = make_artifact("cortex-m4", graph=network, options=SCHEDULES["large"])
    result = simulate(
        artifact, BOARDS["cortex-m4"], random_images(network, 1), optimisation=level,
        count_instructions=False,
    )  # fmt: skip
    assert result.mismatches == 0


@pytest.mark.parametrize("extreme", [0, 255])
def test_images_at_the_ends_of_their_range(
    extreme: int, network: Graph, make_artifact: MakeArtifact
) -> None:
    artifact = make_artifact("cortex-m4", graph=network, options=SCHEDULES["large"])
    images = np.full_like(random_images(network, 1), extreme)
    assert simulate(artifact, BOARDS["cortex-m4"], images).mismatches == 0


@pytest.mark.parametrize("name", SCHEDULES)
def test_costs_are_predicted(name: str, network: Graph, make_artifact: MakeArtifact) -> None:
    options = SCHEDULES[name]
    artifact = make_artifact("cortex-m4", graph=network, options=options)
    result = simulate(artifact, BOARDS["cortex-m4"], random_images(network, 1))
    schedule = build_program(network, M4, "tiny", options).chosen.schedule
    stages = instructions_by_stage(network, schedule)
    for stage, layer, predicted in zip(schedule.stages, result.layers, stages, strict=True):
        if stage.kernel.arch == "m3":
            assert predicted == pytest.approx(layer.instructions, rel=0.03), layer.name
