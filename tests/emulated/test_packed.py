"""Packed weights on every core: the same bits, and what decoding costs."""

from __future__ import annotations

import numpy as np
import pytest

from squeeze2c.emulate import simulate
from squeeze2c.export import Artifact, read_artifact, write_folder
from squeeze2c.ir import Graph
from squeeze2c.lower import PackedWeights
from squeeze2c.schedule import collect_stages, place_feature_maps, schedule_stream
from squeeze2c.schedule.cost import instructions_by_stage
from squeeze2c.target import BOARDS, core_named
from tests.emulated.conftest import MakeArtifact
from tests.support.integer_graphs import with_random_integers
from tests.support.packed import built_program, convolutions, pack_in_tiles
from tests.support.programs import camera_builder, files_of, random_images

pytestmark = pytest.mark.emulated

CORE = core_named("cortex-m4")
STRIPS = (1, 2, 4)
TABLE_SLACK = 30_000
"""Instructions for a decode table depend on the code: from 10,000 for few words to 50,000."""


@pytest.fixture(scope="module")
def network() -> Graph:
    """Layers of a few thousand weights, odd numbers of channels, a classifier that sums."""
    build = camera_builder(19, 21)
    x = build.conv(build.input, 11, kernel=3, stride=2, padding=(1, 0, 1, 2), name="stem")
    x = build.maxpool(x, kernel=3, stride=2, name="pool")
    squeezed = build.conv(x, 16, relu=True, name="squeeze")
    one = build.conv(squeezed, 33, relu=True, name="one")
    three = build.conv(squeezed, 48, kernel=3, padding=1, relu=True, name="three")
    x = build.concat(one, three, name="joined")
    x = build.conv(x, 24, kernel=3, padding=1, relu=True, name="wide")
    classifier = build.conv(x, 101, relu=True, global_pool=True, name="classifier")
    return with_random_integers(build.finish(classifier), seed=3, packable=True)


@pytest.fixture(scope="module")
def packed(network: Graph) -> dict[str, PackedWeights]:
    """All layers but the stem, in three tiles or so."""
    tiles = {name: n // 3 + 1 for name, n in convolutions(network).items() if name != "stem"}
    return pack_in_tiles(network, tiles)


@pytest.fixture(scope="module")
def artifact(
    network: Graph, packed: dict[str, PackedWeights], make_artifact: MakeArtifact
) -> Artifact:
    return make_artifact(graph=network, packed=packed)


@pytest.fixture(scope="module")
def images(network: Graph) -> np.ndarray:
    return random_images(network, 2)


@pytest.mark.parametrize("board", BOARDS)
def test_every_board(board: str, artifact: Artifact, images: np.ndarray) -> None:
    result = simulate(artifact, board, images, count_instructions=False)
    assert result.mismatches == 0
    assert result.core == BOARDS[board].core
    assert result.memory.model_stack_bytes <= (result.stack_bound_bytes or 0)


def test_code_without_unaligned_access(
    network: Graph,
    packed: dict[str, PackedWeights],
    images: np.ndarray,
    make_artifact: MakeArtifact,
) -> None:
    artifact = make_artifact("cortex-m0", graph=network, packed=packed)
    result = simulate(artifact, "mps2-an385", images, count_instructions=False)
    assert (result.core, result.mismatches) == ("cortex-m0", 0)


@pytest.fixture(scope="module")
def counted(
    network: Graph,
    packed: dict[str, PackedWeights],
    images: np.ndarray,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[tuple[int, int]]:
    """Instructions counted and predicted, by strip height; checks each layer on the way."""
    placements = place_feature_maps(network)
    tiles = {name: weights.code.tile_channels for name, weights in packed.items()}
    stages = collect_stages(network, placements, CORE, tiles)
    running = [stage.pool for stage in stages]
    figures = []
    for rows in STRIPS:
        strips = [min(rows, stage.rows) for stage in stages]
        schedule = schedule_stream(network, placements, stages, strips, running, True)
        built = built_program(network, schedule, packed, "tiny")
        folder = tmp_path_factory.mktemp("packed") / "tiny"
        write_folder(folder, files_of(built, network))
        result = simulate(read_artifact(folder), "mps2-an386", images[:1])
        assert result.mismatches == 0
        predicted = instructions_by_stage(network, schedule)
        for index, (layer, cost) in enumerate(zip(result.layers, predicted, strict=True)):
            steps = sum(step.stage == index for step in schedule.steps)
            slack = steps * TABLE_SLACK if layer.name in packed else 0
            assert cost == pytest.approx(layer.instructions, rel=0.05, abs=slack), layer.name
        assert result.instructions is not None
        figures.append((result.instructions, built.chosen.instructions))
    return figures


def test_cost_is_predicted(counted: list[tuple[int, int]]) -> None:
    """Although decoding, tables above all, is much of the work in so small a network."""
    for executed, predicted in counted:
        assert predicted == pytest.approx(executed, rel=0.11)


def test_larger_strips_decode_less_often(counted: list[tuple[int, int]]) -> None:
    executed, predicted = zip(*counted, strict=True)
    assert list(executed) == sorted(executed, reverse=True)
    assert list(predicted) == sorted(predicted, reverse=True)
    assert executed[0] > 1.1 * executed[-1]


def test_decoding_is_profiled_apart(
    network: Graph, packed: dict[str, PackedWeights], make_artifact: MakeArtifact,
    images: np.ndarray,
) -> None:  # fmt: skip
    """In the layers that are packed, and in no other."""
    artifact = make_artifact("cortex-m4", graph=network, packed=packed)
    result = simulate(artifact, "mps2-an386", images[:1])
    assert result.mismatches == 0
    decoding = {
        layer.name: layer.profile.parts["decode"]
        for layer in result.layers
        if layer.profile is not None
    }
    assert len(decoding) == len(result.layers)
    assert {name for name, count in decoding.items() if count} == set(packed)
