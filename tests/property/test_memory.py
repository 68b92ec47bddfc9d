"""The memory planner on random live ranges."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squeeze2c.errors import InternalError
from squeeze2c.memory import BufferInfo, LiveRange, MemoryPlan, live_at, verify_plan
from squeeze2c.memory.allocate import PoolAllocation, allocate, peak_bytes
from squeeze2c.memory.bound import align_up, lower_bound_bytes


@st.composite
def live_ranges(draw: st.DrawFn) -> tuple[LiveRange, ...]:
    """One range, or several with gaps of at least a step, as of a streamed line buffer."""
    ranges, start = [], draw(st.integers(0, 15))
    for _ in range(draw(st.sampled_from((1, 1, 2, 3, 5)))):
        end = start + draw(st.integers(1, 6))
        ranges.append(LiveRange(start, end))
        start = end + draw(st.integers(1, 4))
    return tuple(ranges)


@st.composite
def buffer_lists(draw: st.DrawFn) -> tuple[BufferInfo, ...]:
    count = draw(st.integers(1, 25))
    buffers = []
    for index in range(count):
        size = draw(st.one_of(st.integers(1, 40), st.integers(1, 100_000)))
        buffers.append(BufferInfo(f"b{index}", size, draw(live_ranges()), "line_buffer"))
    return tuple(buffers)


def steps_of(buffer: BufferInfo) -> set[int]:
    return {step for live in buffer.live for step in range(live.start, live.end)}


def planned(buffers: tuple[BufferInfo, ...]) -> MemoryPlan:
    placed = allocate(buffers)
    return MemoryPlan(placed, align_up(peak_bytes(placed), 16), lower_bound_bytes(buffers))


@given(buffer_lists())
@settings(max_examples=60)
def test_no_two_live_buffers_share_a_byte(buffers: tuple[BufferInfo, ...]) -> None:
    """Checked by brute force: neither the allocator's code nor the verifier's."""
    plan = planned(buffers)
    assert {a.buffer for a in plan.allocations} == set(buffers)
    for i, a in enumerate(plan.allocations):
        assert a.byte_offset % 16 == 0
        assert 0 <= a.byte_offset <= a.end_bytes <= plan.arena_bytes
        for b in plan.allocations[i + 1 :]:
            bytes_apart = a.end_bytes <= b.byte_offset or b.end_bytes <= a.byte_offset
            assert bytes_apart or not steps_of(a.buffer) & steps_of(b.buffer)
    verify_plan(plan, buffers)


@given(buffer_lists())
@settings(max_examples=60)
def test_arena_lies_between_its_bounds(buffers: tuple[BufferInfo, ...]) -> None:
    plan = planned(buffers)
    assert plan.lower_bound_bytes <= plan.arena_bytes
    assert plan.arena_bytes <= sum(align_up(b.size_bytes, 16) for b in buffers)
    used = [
        sum(align_up(b.size_bytes, 16) for b in buffers if step in steps_of(b))
        for step in range(max(b.end for b in buffers))
    ]
    assert plan.lower_bound_bytes == max(used)


@given(buffer_lists())
def test_facts_about_live_ranges(buffers: tuple[BufferInfo, ...]) -> None:
    for b in buffers:
        steps = steps_of(b)
        assert (b.start, b.end, b.steps) == (min(steps), max(steps) + 1, len(steps))
        assert {i for i in range(b.end + 2) if b.live_mask >> i & 1} == steps
    for step in range(max(b.end for b in buffers) + 1):
        assert live_at(buffers, step) == tuple(b for b in buffers if step in steps_of(b))


@given(buffer_lists())
@settings(max_examples=40)
def test_allocation_is_deterministic(buffers: tuple[BufferInfo, ...]) -> None:
    assert allocate(buffers) == allocate(list(buffers))


@given(live_ranges(), live_ranges(), st.integers(1, 99), st.integers(1, 99), st.integers(-8, 8))
@settings(max_examples=300)
def test_verifier_sees_a_shared_byte(
    first: tuple[LiveRange, ...], second: tuple[LiveRange, ...], size: int, other: int, units: int
) -> None:
    """Of buffers that are both live at some step; at other times they may share."""
    buffers = (
        BufferInfo("first", size, first, "line_buffer"),
        BufferInfo("second", other, second, "line_buffer"),
    )
    placed = (PoolAllocation(buffers[0], 128), PoolAllocation(buffers[1], 128 + 16 * units))
    plan = MemoryPlan(placed, 1024, 0)
    common = steps_of(buffers[0]) & steps_of(buffers[1])
    low, high = placed[1].byte_offset, placed[1].end_bytes
    if common and any(low <= byte < high for byte in range(128, 128 + size)):
        with pytest.raises(InternalError, match=f"overlap at step {min(common)}$"):
            verify_plan(plan, buffers)
    else:
        verify_plan(plan, buffers)
