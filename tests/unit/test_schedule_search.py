"""Which schedule is chosen, and what it is predicted to cost."""

from __future__ import annotations

import re
from typing import Any

import pytest

from squeeze2c.errors import DoesNotFitError, UsageError
from squeeze2c.ir import Graph
from squeeze2c.memory import plan_memory
from squeeze2c.pipeline import build_program
from squeeze2c.schedule import (
    Candidate,
    Schedule,
    ScheduleOptions,
    candidates,
    choose,
    collect_stages,
    place_feature_maps,
    predicted_instructions,
    schedule_layerwise,
    schedule_stream,
)
from squeeze2c.target import Core, core_named
from tests.support.integer_graphs import with_random_integers
from tests.support.programs import camera_builder, every_operator_graph, quantised

CORE = core_named("cortex-m4")


@pytest.fixture(scope="module")
def graph() -> Graph:
    build = camera_builder(40, 36)
    x = build.conv(build.input, 8, kernel=3, stride=2, relu=True, name="stem")
    x = build.maxpool(x, kernel=3, stride=2, name="pool")
    one = build.conv(x, 8, relu=True, name="one")
    three = build.conv(x, 8, kernel=3, padding=1, relu=True, name="three")
    x = build.concat(one, three, name="joined")
    return with_random_integers(build.finish(build.conv(x, 5, global_pool=True, name="last")))


def candidate(arena: int, instructions: int) -> Candidate:
    empty = Schedule((), (), (), (), {}, {}, "", True)
    return Candidate("stream", empty, arena, instructions)


FAMILY = (candidate(100, 5000), candidate(200, 1019), candidate(300, 1010), candidate(400, 1000))


@pytest.mark.parametrize(
    ("budget", "arena"),
    [
        (0, None), (99, None), (100, 100), (199, 100), (200, 200), (399, 300), (400, 400),
        (10**9, 400),
    ],
)
def test_the_cheapest_that_fits(budget: int, arena: int | None) -> None:
    chosen = choose(FAMILY, budget)
    assert (chosen.arena_bytes if chosen else None) == arena


def test_without_a_budget_nearly_the_cheapest_is_good_enough() -> None:
    chosen = choose(FAMILY, None)
    assert chosen is not None and chosen.arena_bytes == 200
    assert choose(FAMILY[:1], None) is FAMILY[0]


def test_the_family_holds_what_no_other_member_beats(graph: Graph) -> None:
    """Also where the planner is made to say nonsense: what counts is what it says."""
    sizes = iter([700, 500, 600, 500, 400, 900, 400, 400, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    found = candidates(graph, CORE, True, "auto", lambda _: next(sizes))
    assert [c.arena_bytes for c in found] == sorted({c.arena_bytes for c in found})
    costs = [c.instructions for c in found]
    assert costs == sorted(set(costs), reverse=True)


@pytest.mark.parametrize("kind", ["stream", "layerwise"])
@pytest.mark.parametrize("push", [True, False])
def test_only_what_was_asked_for(graph: Graph, kind: str, push: bool) -> None:
    found = candidates(graph, CORE, push, kind, lambda s: plan_memory(graph, s).arena_bytes)
    assert {(c.kind, c.schedule.push) for c in found} == {(kind, push)}


def test_progress_is_told(graph: Graph) -> None:
    told: list[tuple[str, int, int]] = []
    candidates(
        graph, CORE, True, "auto", lambda s: 1, lambda stage, done, total: told.append(
            (stage, done, total)
        ),
    )  # fmt: skip
    total = told[0][2]
    assert told == [("scheduling", done, total) for done in range(total + 1)]


def test_streaming_needs_a_fraction_of_the_memory(graph: Graph) -> None:
    programs = {
        kind: build_program(graph, CORE, "net", ScheduleOptions(kind, "push")).program
        for kind in ("auto", "stream", "layerwise")
    }
    assert programs["stream"].arena_bytes < programs["layerwise"].arena_bytes / 2
    assert programs["auto"].arena_bytes <= programs["layerwise"].arena_bytes


def test_a_larger_budget_buys_larger_strips_or_whole_maps(graph: Graph) -> None:
    smallest = build_program(graph, CORE, "net", ScheduleOptions(ram_bytes=1 << 12))
    largest = build_program(graph, CORE, "net", ScheduleOptions(ram_bytes=1 << 20))
    assert largest.chosen.instructions < smallest.chosen.instructions
    assert largest.program.arena_bytes > smallest.program.arena_bytes
    assert len(largest.program.steps) < len(smallest.program.steps)


def test_too_small_a_budget_names_the_buffers_that_matter(graph: Graph) -> None:
    """Three of them, which make up most of the smallest arena."""
    with pytest.raises(DoesNotFitError) as caught:
        build_program(graph, CORE, "net", ScheduleOptions(ram_bytes=100))
    text = str(caught.value)
    assert text.startswith("--ram: RAM for arena, stack, logits and image row needs ")
    assert "only 100 are available" in text
    sizes = re.findall(r"\S+ ([\d,]+) B", caught.value.largest or "")
    assert len(sizes) == 3
    named = sum(int(size.replace(",", "")) for size in sizes)
    arena = build_program(graph, CORE, "net", ScheduleOptions(ram_bytes=caught.value.needed_bytes))
    assert arena.program.arena_bytes / 2 < named <= arena.program.arena_bytes
    assert str(caught.value.needed_bytes) in (caught.value.hint or "")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("fields", "where"),
    [({"kind": "fastest"}, "--schedule"), ({"input_mode": "pull"}, "--input")],
)
def test_nonsense_is_refused(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(UsageError, match="choose one of") as caught:
        ScheduleOptions(**fields)
    assert caught.value.where == where


def test_the_way_of_input_follows_the_schedule_unless_it_is_said() -> None:
    assert [ScheduleOptions(kind).push for kind in ("auto", "stream", "layerwise")] == [
        True, True, False,
    ]  # fmt: skip
    assert ScheduleOptions("layerwise", "push").push
    assert not ScheduleOptions("stream", "frame").push


def test_formats_are_converted_on_their_way_in(graph: Graph) -> None:
    with pytest.raises(UsageError, match="must be push"):
        build_program(graph, CORE, "net", ScheduleOptions("stream", "frame", "grey8"))
    with pytest.raises(UsageError, match="unknown input format"):
        build_program(graph, CORE, "net", ScheduleOptions(input_format="yuv"))
    one = camera_builder(5, 5, 1)
    single = with_random_integers(one.finish(one.gap(one.conv(one.input, 3))))
    with pytest.raises(UsageError, match="three channels"):
        build_program(single, CORE, "net", ScheduleOptions(input_format="rgb565le"))
    assert build_program(single, CORE, "net").program.input_row_bytes == 5


def streamed(graph: Graph, strip: int, run: bool, push: bool = True) -> Schedule:
    placements = place_feature_maps(graph)
    stages = collect_stages(graph, placements, CORE)
    strips = [min(strip, stage.rows) for stage in stages]
    return schedule_stream(
        graph, placements, stages, strips, [run and s.pool for s in stages], push
    )


def test_cost_counts_steps_rows_and_what_pools_read() -> None:
    """Larger strips, whole pools and an image that is there already each save something."""
    graph = quantised(every_operator_graph())
    costs = {
        (strip, run): predicted_instructions(graph, streamed(graph, strip, run))
        for strip in (1, 2, 4) for run in (True, False)
    }
    assert costs[1, False] > costs[2, False] > costs[4, False]
    assert costs[1, True] > costs[1, False]
    frame = predicted_instructions(graph, streamed(graph, 1, False, push=False))
    assert frame < costs[1, False]
    assert predicted_instructions(graph, schedule_layerwise(graph, CORE)) < frame


def test_cost_is_dominated_by_multiplications(graph: Graph) -> None:
    macs = build_program(graph, CORE, "net").program.macs
    portable = predicted_instructions(graph, schedule_layerwise(graph, Core("any", ())))
    assert 3 * macs < portable < 12 * macs
    cost = predicted_instructions(graph, schedule_layerwise(graph, CORE))
    assert macs < cost < portable / 2
