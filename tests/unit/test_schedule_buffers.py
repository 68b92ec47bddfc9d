"""Capacities and live ranges of line buffers, read off the order of steps."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squeeze2c.schedule import (
    INPUT_STAGE,
    Schedule,
    Step,
    collect_stages,
    live_steps,
    place_feature_maps,
    row_uses,
    schedule_layerwise,
    schedule_stream,
)
from squeeze2c.schedule.line_buffer import RowUses, fit_line_buffers, needed_capacity
from squeeze2c.target import core_named
from tests.support.integer_graphs import with_random_integers
from tests.support.programs import camera_builder


@st.composite
def uses(draw: st.DrawFn) -> RowUses:
    """Rows are first written in order; each is used then or later."""
    gaps = draw(st.lists(st.integers(0, 4), min_size=1, max_size=12))
    first = [sum(gaps[: i + 1]) for i in range(len(gaps))]
    return RowUses(first, [f + draw(st.integers(0, 9)) for f in first])


@given(uses())
def test_the_capacity_is_the_least_that_loses_no_row(use: RowUses) -> None:
    rows = len(use.first_write)

    def keeps_all(capacity: int) -> bool:
        return all(
            use.first_write[later] > use.last_use[row]
            for row in range(rows)
            for later in range(row + capacity, rows, capacity)
        )

    capacity = needed_capacity(use)
    assert keeps_all(capacity)
    assert capacity == 1 or not keeps_all(capacity - 1)


@given(uses())
def test_live_steps_are_those_of_all_rows(use: RowUses) -> None:
    spans = list(live_steps(use))
    steps = {s for first, end in spans for s in range(first, end)}
    rows = zip(use.first_write, use.last_use, strict=True)
    assert steps == {s for first, last in rows for s in range(first, last + 1)}
    for (_, end), (start, _) in pairwise(spans):
        assert end < start


def test_rows_that_are_never_written_do_not_live() -> None:
    assert list(live_steps(RowUses([-1, 3], [-1, 5]))) == [(3, 6)]
    assert list(live_steps(RowUses([-1], [-1]))) == []


@pytest.fixture(scope="module")
def schedule() -> Schedule:
    """A pool that runs over two slices of a concatenation."""
    build = camera_builder(5, 4)
    one, two = (build.conv(build.input, 2, name=n) for n in ("one", "two"))
    both = build.concat(one, two, name="both")
    pool = build.maxpool(both, kernel=3, stride=2, name="pool")
    graph = with_random_integers(build.finish(build.gap(pool, name="gap")))
    placements = place_feature_maps(graph)
    stages = collect_stages(graph, placements, core_named("host"))
    return schedule_stream(
        graph, placements, stages, (1, 1, 1, 1), (False, False, True, False), True
    )


def test_uses_of_rows(schedule: Schedule) -> None:
    """A row is begun by the first of its writers or folds, and used until its last reader."""
    kinds = [(s.stage, s.first_row, s.input_row) for s in schedule.steps]
    assert kinds == [
        (INPUT_STAGE, 0, None), (0, 0, None), (1, 0, None), (2, 0, 0),
        (INPUT_STAGE, 1, None), (0, 1, None), (1, 1, None), (2, 0, 1),
        (INPUT_STAGE, 2, None), (0, 2, None), (1, 2, None), (2, 0, 2), (3, 0, None),
        (2, 1, 2), (INPUT_STAGE, 3, None), (0, 3, None), (1, 3, None), (2, 1, 3),
        (INPUT_STAGE, 4, None), (0, 4, None), (1, 4, None), (2, 1, 4), (3, 1, None),
    ]  # fmt: skip
    found = row_uses(schedule)
    assert found["image"] == RowUses([0, 4, 8, 14, 18], [2, 6, 10, 16, 20])
    assert found["both"] == RowUses([1, 5, 9, 15, 19], [3, 7, 13, 17, 21])
    assert found["pool"] == RowUses([3, 13], [12, 22])
    assert set(found) == {"image", "both", "pool"}


def test_what_steps_read_and_write(schedule: Schedule) -> None:
    reads = [
        [(source.value, demand.first, demand.last) for source, demand in schedule.reads(step)]
        for step in schedule.steps[8:14]
    ]
    assert reads == [
        [], [("image", 2, 3)], [("image", 2, 3)], [("both", 2, 3)], [("pool", 0, 1)],
        [("both", 2, 3)],
    ]
    writes = [schedule.writes(step) for step in schedule.steps[8:14]]
    assert writes == ["image", "both", "both", "pool", None, "pool"]
    assert replace(schedule, push=False).writes(Step(INPUT_STAGE, 0, 1)) is None


def test_fitting_gives_buffers_the_rows_they_need(schedule: Schedule) -> None:
    capacities = {n: b.capacity_rows for n, b in schedule.line_buffers.items()}
    assert capacities == {"image": 1, "both": 1, "pool": 1}
    # Both rows of the pool wait where the last layer is done at the end.
    last = [s for s in schedule.steps if s.stage == 3]
    rest = [s for s in schedule.steps if s.stage != 3]
    late = fit_line_buffers(replace(schedule, steps=(*rest, *last)))
    assert late.line_buffers["pool"].capacity_rows == 2
    assert late.line_buffers["both"].capacity_rows == 1


def test_an_image_in_the_callers_memory_has_no_buffer() -> None:
    build = camera_builder(5, 4)
    graph = with_random_integers(build.finish(build.gap(build.conv(build.input, 2, name="a"))))
    schedule = schedule_layerwise(graph, core_named("host"))
    assert set(row_uses(schedule)) == {"a"}
