"""The symbolic executor sees every way in which a schedule or a plan can be wrong, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph
from squeeze2c.memory import MemoryPlan, plan_memory, scratch_name, verify_execution
from squeeze2c.memory.allocate import PoolAllocation
from squeeze2c.schedule import (
    INPUT_STAGE,
    Schedule,
    Step,
    collect_stages,
    place_feature_maps,
    schedule_stream,
)
from squeeze2c.target import core_named
from tests.support.integer_graphs import with_random_integers
from tests.support.programs import camera_builder


@pytest.fixture(scope="module")
def graph() -> Graph:
    build = camera_builder(7, 6)
    x = build.conv(build.input, 3, kernel=3, padding=1, name="conv")
    x = build.maxpool(x, kernel=3, stride=2, name="pool")
    return with_random_integers(build.finish(build.conv(x, 4, global_pool=True, name="last")))


def streamed(
    graph: Graph,
    run: bool = True,
    push: bool = True,
    strip: int = 1,
    tiles: dict[str, int] | None = None,
) -> Schedule:
    placements = place_feature_maps(graph)
    stages = collect_stages(graph, placements, core_named("host"), tiles)
    return schedule_stream(graph, placements, stages, (strip, 1, 1), (False, run, False), push)


def find(schedule: Schedule, **fields: int | None) -> int:
    """The first step with such fields."""
    return next(
        at for at, step in enumerate(schedule.steps)
        if all(getattr(step, name) == value for name, value in fields.items())
    )


Steps = list[Step]


def skip(schedule: Schedule, steps: Steps, **fields: int | None) -> Steps:
    at = find(schedule, **fields)
    return [*steps[:at], *steps[at + 1 :]]


def twice(schedule: Schedule, steps: Steps, **fields: int | None) -> Steps:
    at = find(schedule, **fields)
    return [*steps[: at + 1], *steps[at:]]


def changed(schedule: Schedule, steps: Steps, at: int, **fields: Any) -> Steps:
    """Step ``at`` with other fields."""
    return [*steps[:at], replace(steps[at], **fields), *steps[at + 1 :]]


FAULTS: dict[str, tuple[Callable[[Schedule, Steps], Sequence[Step]], str]] = {
    "a row of the image that never came": (
        lambda s, steps: skip(s, steps, stage=INPUT_STAGE, first_row=3),
        "whose next row is 3|reads row 3 of stage -1 too early",
    ),
    "a row of a layer left out": (
        lambda s, steps: skip(s, steps, stage=0, first_row=2),
        "reads row 2 of stage 0 too early",
    ),
    "a row of the sum left out": (
        lambda s, steps: skip(s, steps, stage=2, first_row=2), "computed 2 of 3 rows",
    ),
    "a row computed twice": (
        lambda s, steps: twice(s, steps, stage=0, first_row=2),
        "computes row 2 of stage 0, whose next row is 3",
    ),
    "a row summed twice": (
        lambda s, steps: twice(s, steps, stage=2, first_row=1),
        "computes row 1 of stage 2, whose next row is 2",
    ),
    "a fold left out": (
        lambda s, steps: skip(s, steps, stage=1, first_row=1, input_row=3),
        "takes input row 4 where 3 is due",
    ),
    "a fold done twice": (
        lambda s, steps: twice(s, steps, stage=1, first_row=1, input_row=3),
        "takes input row 3 where 4 is due",
    ),
    "a window left unfinished": (
        lambda s, steps: skip(s, steps, stage=1, first_row=2, input_row=6),
        "reads row 2 of stage 1 too early",
    ),
    "a strip of too many rows": (
        lambda s, steps: changed(s, steps, find(s, stage=0, first_row=1), rows=2),
        "where 1 rows are due",
    ),
    "a running pool that does not run": (
        lambda s, steps: changed(s, steps, find(s, stage=1, first_row=0), input_row=None),
        "where 1 rows are due",
    ),
    "a layer too early": (lambda s, steps: steps[2:4] + steps[:2] + steps[4:], "too early"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_steps_are_seen(fault: str, graph: Graph) -> None:
    schedule = streamed(graph)
    plan = plan_memory(graph, schedule)
    verify_execution(graph, schedule, plan)
    change, complaint = FAULTS[fault]
    steps = tuple(change(schedule, list(schedule.steps)))
    assert steps != schedule.steps
    with pytest.raises(InternalError, match=complaint):
        verify_execution(graph, replace(schedule, steps=steps), plan)


def test_a_pool_that_should_not_run(graph: Graph) -> None:
    schedule = streamed(graph, run=False)
    steps = list(schedule.steps)
    at = find(schedule, stage=1)
    steps[at] = replace(steps[at], input_row=0)
    with pytest.raises(InternalError, match="where 1 rows are due"):
        verify_execution(
            graph, replace(schedule, steps=tuple(steps)), plan_memory(graph, schedule)
        )


def test_an_image_that_is_there_is_not_waited_for(graph: Graph) -> None:
    schedule = streamed(graph, push=False)
    plan = plan_memory(graph, schedule)
    verify_execution(graph, schedule, plan)
    steps = (Step(INPUT_STAGE, 0, 1), *schedule.steps)
    with pytest.raises(InternalError, match="waits for rows that the caller has already"):
        verify_execution(graph, replace(schedule, steps=steps), plan)


@pytest.mark.parametrize("name", ["image", "conv"])
def test_a_slot_too_few_is_seen(name: str, graph: Graph) -> None:
    schedule = streamed(graph, run=False)
    buffer = schedule.line_buffers[name]
    assert buffer.capacity_rows == 3
    small = {**schedule.line_buffers, name: replace(buffer, capacity_rows=2)}
    faulty = replace(schedule, line_buffers=small)
    with pytest.raises(InternalError, match=f"stage {'-1' if name == 'image' else 0} too late"):
        verify_execution(graph, faulty, plan_memory(graph, faulty))


def onto(plan: MemoryPlan, name: str, other: str) -> MemoryPlan:
    """``plan`` with buffer ``name`` at the place of ``other``, in an arena that is large enough."""
    return at_offset(plan, name, plan.offsets[other])


def at_offset(plan: MemoryPlan, name: str, offset: int) -> MemoryPlan:
    """``plan`` with buffer ``name`` at ``offset``, in an arena that is large enough."""
    moved = tuple(
        PoolAllocation(a.buffer, offset) if a.buffer.name == name else a for a in plan.allocations
    )
    return replace(plan, allocations=moved, arena_bytes=10 * plan.arena_bytes)


@pytest.mark.parametrize(
    ("name", "other", "complaint"),
    [
        # Only inside the step: the input is read, scratch used, more of the input read.
        (scratch_name("conv"), "image", "of stage -1 too late"),
        # The layer's output covers its input.
        ("conv", "image", "of stage -1 too late"),
        # A second row of a strip expands its columns over the first one.
        (scratch_name("conv"), "conv", "of stage 0 too late"),
        ("image", "pool", "too late|continues a row that was overwritten"),
        ("last", "pool", "sums were overwritten|of stage 1 too late|continues a row"),
        ("last", "image", "sums were overwritten|of stage -1 too late"),
        (scratch_name("last"), "last", "sums were overwritten|of stage 1 too late"),
    ],
)
def test_buffers_on_one_another_are_seen(
    name: str, other: str, complaint: str, graph: Graph
) -> None:
    schedule = streamed(graph, strip=2)
    plan = plan_memory(graph, schedule)
    verify_execution(graph, schedule, plan)
    with pytest.raises(InternalError, match=complaint):
        verify_execution(graph, schedule, onto(plan, name, other))


@pytest.mark.parametrize(
    ("name", "layer", "complaint"),
    [
        # The last tile is decoded when the input was read once, and is to be read again.
        ("image", "conv", "of stage -1 too late"),
        # Rows that a tile has written, and the next tile covers.
        ("conv", "conv", "of stage 0 too late"),
        ("pool", "last", "of stage 1 too late|continues a row"),
        ("last", "last", "sums were overwritten"),
        ("last", "conv", "sums were overwritten"),
        # Live while the other layer decodes.
        ("pool", "conv", "of stage 1 too late|continues a row that was overwritten"),
    ],
)
def test_tiles_of_decoded_weights_are_in_use_throughout_a_step(
    name: str, layer: str, complaint: str, graph: Graph
) -> None:
    """A buffer that overlaps nothing but the last bytes of a tile's weights is seen."""
    schedule = streamed(graph, strip=2, tiles={"conv": 2, "last": 2})
    plan = plan_memory(graph, schedule)
    # Far from all others, the scratch overlaps only what is put there.
    apart = at_offset(plan, scratch_name(layer), plan.arena_bytes)
    verify_execution(graph, schedule, apart)
    stage = next(stage for stage in schedule.stages if stage.node == layer)
    assert stage.scratch_bytes > 2048
    faulty = at_offset(apart, name, plan.arena_bytes + (stage.scratch_bytes - 1) // 16 * 16)
    with pytest.raises(InternalError, match=complaint):
        verify_execution(graph, schedule, faulty)


def test_a_plan_without_room_for_tiles_is_seen(graph: Graph) -> None:
    schedule = streamed(graph, tiles={"conv": 2, "last": 2})
    with pytest.raises(InternalError, match="scratch of conv ends beyond the arena"):
        verify_execution(graph, schedule, plan_memory(graph, streamed(graph)))


def test_buffers_that_take_turns_may_share(graph: Graph) -> None:
    """The scratch of two layers: never in use at once."""
    schedule = streamed(graph)
    plan = plan_memory(graph, schedule)
    shared = onto(plan, scratch_name("last"), scratch_name("conv"))
    verify_execution(graph, schedule, shared)


def test_sums_stay_until_the_last_step() -> None:
    """Rows of the image that nobody needs still come after the only row that is summed."""
    build = camera_builder(5, 4)
    x = build.conv(build.input, 3, stride=8, name="conv")
    graph = with_random_integers(build.finish(build.conv(x, 2, global_pool=True, name="last")))
    placements = place_feature_maps(graph)
    stages = collect_stages(graph, placements, core_named("host"))
    schedule = schedule_stream(graph, placements, stages, (1, 1), (False, False), True)
    assert [step.stage for step in schedule.steps] == [INPUT_STAGE, 0, 1, *[INPUT_STAGE] * 4]
    plan = plan_memory(graph, schedule)
    verify_execution(graph, schedule, plan)
    with pytest.raises(InternalError, match="sums were overwritten before step 7"):
        verify_execution(graph, schedule, onto(plan, "last", "image"))
