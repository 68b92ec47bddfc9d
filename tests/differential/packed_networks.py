"""A network with packed weights, in tiles that end before, at and behind the last channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from squeeze2c.export import read_artifact, write_folder
from squeeze2c.ir import Graph
from squeeze2c.schedule import (
    collect_stages,
    place_feature_maps,
    schedule_layerwise,
    schedule_stream,
)
from squeeze2c.target import core_named
from tests.differential.conftest import Case
from tests.differential.networks import Network
from tests.support.integer_graphs import with_random_integers
from tests.support.packed import built_program, convolutions, pack_in_tiles
from tests.support.programs import camera_builder, files_of

CORE = core_named("host")
ROWS, COLS = 27, 22


def packable_graph() -> Graph:
    """A stem, two Fire modules with a bypass, a classifier that sums; channels odd and even."""
    build = camera_builder(ROWS, COLS)
    x = build.conv(build.input, 9, kernel=3, stride=2, padding=(1, 0, 1, 2), relu=True, name="stem")
    x = build.maxpool(x, kernel=3, stride=2, name="pool")
    for fire in ("fire1", "fire2"):
        squeezed = build.conv(x, 5, relu=True, name=f"{fire}/squeeze")
        one = build.conv(squeezed, 7, relu=True, name=f"{fire}/one")
        three = build.conv(squeezed, 8, kernel=3, padding=1, relu=True, name=f"{fire}/three")
        joined = build.concat(one, three, name=f"{fire}/joined")
        x = joined if fire == "fire1" else build.add(joined, x, relu=True, name="bypass")
    classifier = build.conv(x, 21, relu=True, global_pool=True, name="classifier")
    return with_random_integers(build.finish(classifier), seed=5, packable=True)


@dataclass(frozen=True)
class Variant:
    """``channels``: per tile, of a layer's output channels. ``plain``: layers that stay plain.

    ``strips``: rows per step of all layers, or of each in turn; None for layer by layer.
    """

    channels: Callable[[int], int]
    strips: Sequence[int] | None
    push: bool = True
    running: bool = True
    plain: frozenset[str] = frozenset()


VARIANTS: Mapping[str, Variant] = {
    "one tile, row by row": Variant(lambda n: n, (1,)),
    "one channel less": Variant(lambda n: max(n - 1, 1), (2,)),
    "one channel more": Variant(lambda n: n + 1, (3,), push=False),
    "tiles of three": Variant(lambda n: 3, (4,), running=False),
    "tiles of four": Variant(lambda n: 4, (1, 2, 3)),
    "single channels": Variant(lambda n: 1, (5,)),
    "layer by layer": Variant(lambda n: 4, None, push=False),
    "collected image": Variant(lambda n: 3, None),
    "some are plain": Variant(
        lambda n: 2, (2, 3), plain=frozenset({"stem", "fire1/one", "fire2/three"})
    ),
    "a plain classifier": Variant(lambda n: 5, (2,), plain=frozenset({"classifier"})),
}


def packed_case(variant: Variant, folder: Path) -> Case:
    """The network compiled as ``variant`` says, in ``folder``."""
    graph = packable_graph()
    tiles = {
        name: variant.channels(outputs)
        for name, outputs in convolutions(graph).items()
        if name not in variant.plain
    }
    packed = pack_in_tiles(graph, tiles)
    if variant.strips is None:
        schedule = schedule_layerwise(graph, CORE, variant.push, tiles)
    else:
        placements = place_feature_maps(graph)
        stages = collect_stages(graph, placements, CORE, tiles)
        heights = variant.strips
        strips = [min(heights[i % len(heights)], s.rows) for i, s in enumerate(stages)]
        running = [variant.running and stage.pool for stage in stages]
        schedule = schedule_stream(graph, placements, stages, strips, running, variant.push)
    built = built_program(graph, schedule, packed)
    assert built.program.unpacks
    write_folder(folder, files_of(built, graph, "host"))
    return Case(Network(_no_float_model, (ROWS, COLS, 3)), read_artifact(folder))


def _no_float_model() -> None:
    raise AssertionError("there is none")
