"""Which schedules inspect offers, and which of them a board would get."""

from __future__ import annotations

from dataclasses import replace

import pytest

from squeeze2c.ir import Graph
from squeeze2c.pipeline import build_program
from squeeze2c.report.planning import STACK_ESTIMATE_BYTES, Planner
from squeeze2c.schedule import ScheduleOptions, collect_stages, place_feature_maps
from squeeze2c.schedule.words import timing
from squeeze2c.target import CORES, Board, Region, board_named
from tests.support.programs import camera_builder, quantised

CORE = "cortex-m4"


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Large enough that streaming is far smaller than whole feature maps."""
    build = camera_builder(48, 40)
    x = build.conv(build.input, 16, kernel=3, stride=2, relu=True, name="stem")
    x = build.maxpool(x, kernel=3, stride=2, name="pool")
    one = build.conv(x, 8, relu=True, name="expand1x1")
    three = build.conv(x, 8, kernel=3, padding=1, relu=True, name="expand3x3")
    x = build.concat(one, three, name="concat")
    return quantised(build.finish(build.conv(x, 5, relu=True, global_pool=True, name="end")))


@pytest.fixture(scope="module")
def planner(graph: Graph) -> Planner:
    return Planner(graph, "net")


def board_with(ram_bytes: int) -> Board:
    board = board_named("stm32f405")
    region = Region("RAM", "ram", board.ram.origin, ram_bytes)
    return replace(board, ram=region, bulk=region)


def test_every_way_is_what_compile_makes_of_it(graph: Graph, planner: Planner) -> None:
    ways = {(way.schedule, way.input): way for way in planner.ways(CORE)}
    assert set(ways) == {("stream", "push"), ("stream", "frame"), ("layerwise", "frame")}
    for (kind, mode), way in ways.items():
        options = ScheduleOptions(kind=kind, input_mode=mode)
        found = build_program(graph, CORES[CORE], "net", options).candidates
        assert way.arena_bytes == found[0].arena_bytes
        assert way.lower_bound_bytes <= way.arena_bytes
    row_bytes = 40 * 3
    assert ways["stream", "push"].caller_bytes == row_bytes
    assert ways["stream", "frame"].caller_bytes == ways["layerwise", "frame"].caller_bytes
    assert ways["layerwise", "frame"].caller_bytes == 48 * row_bytes
    smallest = ways["stream", "push"]
    assert smallest.needed_bytes == smallest.arena_bytes + row_bytes + STACK_ESTIMATE_BYTES
    assert smallest.needed_bytes == min(way.needed_bytes for way in ways.values())


def test_the_program_is_the_one_that_compile_chooses(graph: Graph, planner: Planner) -> None:
    ours, theirs = planner.program(CORE), build_program(graph, CORES[CORE], "net").program
    for field in ("steps", "buffers", "arena_bytes", "parameters_bytes", "input_row_bytes"):
        assert getattr(ours, field) == getattr(theirs, field)


def test_a_large_board_gets_what_compile_chooses(planner: Planner) -> None:
    use = planner.for_board(board_with(1 << 20))
    assert use.arena_bytes == planner.chosen(CORE).arena_bytes


def test_a_small_board_gets_what_just_fits(planner: Planner) -> None:
    smallest = planner.ways(CORE)[0]
    use = planner.for_board(board_with(smallest.needed_bytes))
    assert (use.arena_bytes, use.needed_bytes) == (smallest.arena_bytes, smallest.needed_bytes)


def test_a_board_that_is_too_small_learns_the_least(planner: Planner) -> None:
    smallest = planner.ways(CORE)[0]
    board = board_with(smallest.needed_bytes - 1)
    assert planner.for_board(board).needed_bytes == smallest.needed_bytes > board.bulk.size_bytes


def test_cores_with_the_same_kernels_share_plans(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    import squeeze2c.report.planning as planning

    planner, asked = Planner(graph, "net"), []
    found = planning.candidates
    monkeypatch.setattr(
        planning, "candidates", lambda *a, **k: asked.append(1) or found(*a, **k)
    )
    first = planner.chosen("cortex-m0")
    stages = {CORES[c].name: planner.chosen(c).schedule.stages for c in CORES}
    placements = place_feature_maps(graph)
    alike = {(collect_stages(graph, placements, core), timing(core)) for core in CORES.values()}
    assert len(asked) == len(alike) < len(CORES)
    assert first.schedule.stages == stages["cortex-m0"]
