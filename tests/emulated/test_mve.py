"""Kernels for Helium in whole programs on the emulated core, and their predicted cost."""

from __future__ import annotations

import pytest

from squeeze2c.emulate import simulate
from squeeze2c.ir import Graph
from squeeze2c.pipeline import build_program
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.schedule.cost import instructions_by_stage
from squeeze2c.target import core_named
from tests.emulated.conftest import MakeArtifact
from tests.support.fires import fires
from tests.support.integer_graphs import with_random_integers
from tests.support.packed import convolutions, pack_in_tiles
from tests.support.programs import camera_builder, quantised, random_images

pytestmark = pytest.mark.emulated

TARGET, BOARD = "cortex-m55", "mps3-an547"
SCHEDULES = {
    "layerwise": ScheduleOptions("layerwise"),
    "stream": ScheduleOptions("stream", input_mode="frame"),
    "large": ScheduleOptions("stream", input_mode="frame", ram_bytes=1 << 20),
}


@pytest.fixture(scope="module")
def network() -> Graph:
    """Windows of every kind, sizes around the groups and quads of the kernels."""
    build = camera_builder(43, 51)
    x = build.conv(build.input, 32, kernel=3, stride=2, padding=(1, 0, 1, 2), relu=True)
    x = build.maxpool(x, kernel=3, stride=2)
    for squeezed, expanded in ((16, 24), (48, 32)):
        s = build.conv(x, squeezed, relu=True)
        one = build.conv(s, expanded, relu=True)
        x = build.concat(one, build.conv(s, expanded, kernel=3, padding=1, relu=True))
    x = build.conv(x, 34, relu=True)
    x = build.conv(x, 20, kernel=3, stride=2, padding=1)
    return quantised(build.finish(build.conv(x, 42, relu=True, global_pool=True)), images=2)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_layer_equals_the_oracle_and_costs_what_is_predicted(
    name: str, network: Graph, make_artifact: MakeArtifact
) -> None:
    options = SCHEDULES[name]
    artifact = make_artifact(TARGET, graph=network, options=options)
    result = simulate(artifact, BOARD, random_images(network, 1))
    assert result.mismatches == 0
    chosen = build_program(network, core_named(TARGET), "tiny", options).chosen
    stages = instructions_by_stage(network, chosen.schedule)
    for layer, predicted in zip(result.layers, stages, strict=True):
        assert predicted == pytest.approx(layer.instructions, rel=0.1), layer.name
    assert chosen.instructions == pytest.approx(result.instructions, rel=0.02)


@pytest.mark.parametrize("rows", ["smallest", "several"])
def test_odd_channels_equal_the_oracle(rows: str, make_artifact: MakeArtifact) -> None:
    """11 and 18 channels of a concatenation: neither quads nor whole vectors."""
    graph = fires()
    options = ScheduleOptions("stream", ram_bytes=1 << 20 if rows == "several" else None)
    result = simulate(
        make_artifact(TARGET, graph=graph, options=options), BOARD, random_images(graph, 2)
    )
    assert result.mismatches == 0
    assert result.memory.model_stack_bytes <= (result.stack_bound_bytes or 0)


@pytest.mark.parametrize("level", ["-O0", "-O1", "-Os"])
def test_any_optimisation_gives_the_same_bits(
    level: str, network: Graph, make_artifact: MakeArtifact
) -> None:
    artifact = make_artifact(TARGET, graph=network, options=SCHEDULES["large"])
    result = simulate(
        artifact, BOARD, random_images(network, 1), optimisation=level, count_instructions=False
    )
    assert result.mismatches == 0


@pytest.mark.parametrize("divisor", [1, 3])
def test_decoded_tiles_feed_the_kernels(divisor: int, make_artifact: MakeArtifact) -> None:
    """Whole layers, and tiles whose channels are no quads."""
    build = camera_builder(23, 29)
    x = build.conv(build.input, 24, kernel=3, stride=2, padding=1, relu=True, name="stem")
    s = build.conv(x, 32, relu=True, name="squeeze")
    three = build.conv(s, 31, kernel=3, padding=1, relu=True, name="three")
    x = build.concat(build.conv(s, 30, relu=True, name="one"), three)
    x = build.conv(x, 26, kernel=3, padding=1, relu=True, name="wide")
    classifier = build.conv(x, 51, relu=True, global_pool=True, name="classifier")
    graph = with_random_integers(build.finish(classifier), seed=3, packable=True)
    tiles = {name: -(-n // divisor) for name, n in convolutions(graph).items()}
    artifact = make_artifact(TARGET, graph=graph, packed=pack_in_tiles(graph, tiles))
    result = simulate(artifact, BOARD, random_images(graph, 2), count_instructions=False)
    assert result.mismatches == 0
