"""The scheduler's cost model beside what the emulator counts."""

from __future__ import annotations

from itertools import combinations

import pytest

from squeeze2c.emulate import simulate
from squeeze2c.ir import Graph
from squeeze2c.pipeline import build_program
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.schedule.cost import instructions_by_stage
from squeeze2c.target import core_named
from tests.emulated.conftest import MakeArtifact
from tests.support.programs import camera_builder, quantised, random_images

pytestmark = pytest.mark.emulated

CORE = core_named("cortex-m4")
SCHEDULES = {
    "layerwise": ScheduleOptions("layerwise"),
    "stream": ScheduleOptions("stream", input_mode="frame"),
    "large": ScheduleOptions("stream", input_mode="frame", ram_bytes=1 << 20),
}


@pytest.fixture(scope="module")
def network() -> Graph:
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


@pytest.fixture(scope="module")
def counted(network: Graph, make_artifact: MakeArtifact) -> dict[str, tuple[int, int]]:
    """Instructions counted and predicted, by schedule; checks each layer on the way."""
    figures = {}
    for name, options in SCHEDULES.items():
        artifact = make_artifact("cortex-m4", graph=network, options=options)
        result = simulate(artifact, "mps2-an386", random_images(network, 1))
        chosen = build_program(network, CORE, "tiny", options).chosen
        stages = instructions_by_stage(network, chosen.schedule)
        for layer, predicted in zip(result.layers, stages, strict=True):
            assert predicted == pytest.approx(layer.instructions, rel=0.05), layer.name
        assert result.instructions is not None
        figures[name] = (result.instructions, chosen.instructions)
    return figures


def test_totals_are_predicted(counted: dict[str, tuple[int, int]]) -> None:
    for name, (executed, predicted) in counted.items():
        assert predicted == pytest.approx(executed, rel=0.01), name


def test_schedules_rank_as_they_are_measured(counted: dict[str, tuple[int, int]]) -> None:
    """Where more than a few instructions lie between them."""
    for one, other in combinations(counted.values(), 2):
        if abs(one[0] - other[0]) > 1000:
            assert (one[0] < other[0]) == (one[1] < other[1])


def test_pushed_rows_cost_their_copy(network: Graph, make_artifact: MakeArtifact) -> None:
    artifact = make_artifact("cortex-m4", graph=network)
    result = simulate(artifact, "mps2-an386", random_images(network, 1))
    predicted = artifact.manifest["schedule"]["predicted_instructions"]
    assert predicted == pytest.approx(result.instructions, rel=0.01)
