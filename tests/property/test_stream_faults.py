"""Planted faults: whatever is wrong with a schedule or a plan, a verifier sees it.

And the other way round: what the symbolic executor lets pass computes the right bytes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from squeeze2c.errors import InternalError
from squeeze2c.memory import MemoryPlan, collect_buffers, plan_memory, verify_execution, verify_plan
from squeeze2c.memory.allocate import PoolAllocation
from squeeze2c.schedule import INPUT_STAGE, Schedule, Step
from tests.property.stream_graphs import Case, cases
from tests.property.test_stream_random import assert_equals_oracle
from tests.support.kernel_library import Build, Kernels, load_kernels

SETTINGS = settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="session")
def kernels(build_dir: Path) -> Kernels:
    return load_kernels(Build("gcc", ("-O2",)), build_dir)


def accepted(case: Case, schedule: Schedule, plan: MemoryPlan) -> bool:
    """Whether the symbolic executor finds nothing wrong."""
    try:
        verify_execution(case.graph, schedule, plan)
    except InternalError:
        return False
    return True


def written_at(schedule: Schedule, stage: int) -> list[int]:
    """Per row of ``stage``: the step that first writes it."""
    first: dict[int, int] = {}
    for at, step in enumerate(schedule.steps):
        if step.stage == stage:
            for row in range(step.first_row, step.first_row + step.rows):
                first.setdefault(row, at)
    return [first[row] for row in range(len(first))]


def loses_rows(schedule: Schedule, buffer: str) -> bool:
    """Whether a row of ``buffer`` is read while or after its slot is written again."""
    capacity = schedule.line_buffers[buffer].capacity_rows
    writes = {s: written_at(schedule, s) for s in range(INPUT_STAGE, len(schedule.stages))}
    for at, step in enumerate(schedule.steps):
        for source, demand in schedule.reads(step):
            if source.buffer != buffer:
                continue
            for row in range(demand.first, demand.last):
                for writer in source.writers:
                    later = writes[writer][row + capacity :]
                    if later and later[0] <= at:
                        return True
    return False


@given(case=cases(), data=st.data())
@SETTINGS
def test_a_slot_too_few(kernels: Kernels, case: Case, data: st.DataObject) -> None:
    """Every capacity is the least one: with a slot fewer, a row is lost that somebody reads."""
    buffers = case.schedule.line_buffers
    names = [name for name, b in buffers.items() if b.capacity_rows > 1]
    assume(names)
    name = data.draw(st.sampled_from(names))
    smaller = replace(buffers[name], capacity_rows=buffers[name].capacity_rows - 1)
    schedule = replace(case.schedule, line_buffers={**buffers, name: smaller})
    plan = plan_memory(case.graph, schedule)
    assert not loses_rows(case.schedule, name)
    assert accepted(case, schedule, plan) == (not loses_rows(schedule, name))
    if accepted(case, schedule, plan):
        # Of a map that is whole by choice, or where nobody reads the row that was kept.
        assert_equals_oracle(kernels, case.graph, schedule, plan)


@given(case=cases(), data=st.data())
@SETTINGS
def test_a_buffer_elsewhere(kernels: Kernels, case: Case, data: st.DataObject) -> None:
    """Moved by a unit, onto another one, or out of the arena."""
    plan = plan_memory(case.graph, case.schedule)
    index = data.draw(st.integers(0, len(plan.allocations) - 1))
    old = plan.allocations[index]
    offsets = {old.byte_offset + 16, old.byte_offset - 16, old.byte_offset + 4, 0}
    offsets |= {a.byte_offset for a in plan.allocations}
    offset = data.draw(st.sampled_from(sorted(offsets - {old.byte_offset})))
    moved = PoolAllocation(old.buffer, offset)
    others = [a for a in plan.allocations if a is not old]
    faulty = replace(plan, allocations=(*others, moved))
    buffers = collect_buffers(case.graph, case.schedule)
    if offset % 16 or not 0 <= offset <= plan.arena_bytes - old.buffer.size_bytes:
        with pytest.raises(InternalError, match=r"misaligned|beyond the arena"):
            verify_plan(faulty, buffers)
        return
    steps = {s for r in old.buffer.live for s in range(r.start, r.end)}
    shared = any(
        a.byte_offset < moved.end_bytes and offset < a.end_bytes
        and any(r.start <= s < r.end for s in steps for r in a.buffer.live)
        for a in others
    )
    if shared:
        with pytest.raises(InternalError, match="overlap at step"):
            verify_plan(faulty, buffers)
    else:
        verify_plan(faulty, buffers)
        assert accepted(case, case.schedule, faulty)
    if accepted(case, case.schedule, faulty):
        assert_equals_oracle(kernels, case.graph, case.schedule, faulty)


def depends(schedule: Schedule, late: Step, early: Step) -> bool:
    """Whether ``late`` must not come before ``early``, which was right in front of it."""
    if late.stage == early.stage:
        return True
    done = range(early.first_row, early.first_row + early.rows)
    return any(
        early.stage in source.writers and demand.first <= done[-1] and done[0] < demand.last
        for source, demand in schedule.reads(late)
    )


@given(case=cases(), data=st.data())
@SETTINGS
def test_steps_in_the_wrong_order(kernels: Kernels, case: Case, data: st.DataObject) -> None:
    steps = list(case.schedule.steps)
    assume(len(steps) > 1)
    at = data.draw(st.integers(0, len(steps) - 2))
    steps[at], steps[at + 1] = steps[at + 1], steps[at]
    schedule = replace(case.schedule, steps=tuple(steps))
    plan = plan_memory(case.graph, case.schedule)
    if depends(case.schedule, steps[at], steps[at + 1]):
        with pytest.raises(InternalError):
            verify_execution(case.graph, schedule, plan)
    elif accepted(case, schedule, plan):
        assert_equals_oracle(kernels, case.graph, schedule, plan)


@given(case=cases(), data=st.data())
@SETTINGS
def test_a_step_left_out_or_done_twice(case: Case, data: st.DataObject) -> None:
    steps = case.schedule.steps
    plan = plan_memory(case.graph, case.schedule)
    at = data.draw(st.integers(0, len(steps) - 1))
    for faulty in ((*steps[:at], *steps[at + 1 :]), (*steps[: at + 1], *steps[at:])):
        assert not accepted(case, replace(case.schedule, steps=faulty), plan)


@given(case=cases(), data=st.data())
@SETTINGS
def test_a_step_of_other_rows(case: Case, data: st.DataObject) -> None:
    """Generated code counts rows by itself, so a step that says otherwise is wrong."""
    steps = list(case.schedule.steps)
    plan = plan_memory(case.graph, case.schedule)
    at = data.draw(st.integers(0, len(steps) - 1))
    step = steps[at]
    changes = [replace(step, rows=step.rows + 1), replace(step, first_row=step.first_row + 1)]
    if step.rows > 1:
        changes.append(replace(step, rows=step.rows - 1))
    if step.input_row is not None:
        changes += [replace(step, input_row=step.input_row + d) for d in (-1, 1)]
        changes.append(replace(step, input_row=None))
    steps[at] = data.draw(st.sampled_from(changes))
    assert not accepted(case, replace(case.schedule, steps=tuple(steps)), plan)
