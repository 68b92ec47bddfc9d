"""Random networks with packed weights, streamed in random ways: every byte as the oracle says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from squeeze2c.ir import Graph, format_graph
from squeeze2c.reference import evaluate_int
from squeeze2c.schedule import (
    Schedule,
    collect_stages,
    place_feature_maps,
    schedule_layerwise,
    schedule_stream,
)
from tests.property.stream_graphs import CORE, all_choices, graphs
from tests.support.interpreter import Interpreter
from tests.support.kernel_library import Build, Kernels, load_kernels
from tests.support.packed import built_program, convolutions, pack_in_tiles
from tests.support.programs import random_images


@dataclass(frozen=True)
class Case:
    """A network, output channels per tile of the layers that are packed, and a schedule."""

    graph: Graph
    tiles: dict[str, int]
    schedule: Schedule


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Some layers stay plain. Tiles end before, at and behind the last channel."""
    graph = draw(graphs(packable=True))
    tiles = {}
    for name, channels in convolutions(graph).items():
        sizes = (0, 1, 2, 3, channels - 1, channels, channels + 1)
        size = draw(st.sampled_from(sizes))
        if size > 0:
            tiles[name] = size
    if draw(st.integers(0, 5)) == 0:
        push = draw(st.booleans())
        return Case(graph, tiles, schedule_layerwise(graph, CORE, push, tiles))
    placements = place_feature_maps(graph)
    stages = collect_stages(graph, placements, CORE, tiles)
    chosen = draw(all_choices(stages))
    schedule = schedule_stream(
        graph, placements, stages, chosen.strip_rows, chosen.running, chosen.push,
        chosen.boundaries,
    )  # fmt: skip
    return Case(graph, tiles, schedule)


@pytest.fixture(scope="session")
def kernels(build_dir: Path) -> Kernels:
    return load_kernels(Build("gcc", ("-O2",)), build_dir)


@given(case=cases())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_layer_equals_the_oracle(kernels: Kernels, case: Case) -> None:
    """Twice in one arena that is garbage at first, with canaries around it."""
    graph = case.graph
    packed = pack_in_tiles(graph, case.tiles)
    program = built_program(graph, case.schedule, packed).program
    assert program.unpacks == bool(case.tiles)
    interpreter = Interpreter(kernels, program)
    images = random_images(graph, 2)
    expected = evaluate_int(graph, images)
    for index, image in enumerate(images):
        for name, array in interpreter.run(image).items():
            np.testing.assert_array_equal(
                array, expected[name][index], f"{name} {case.tiles}\n{format_graph(graph)}"
            )
