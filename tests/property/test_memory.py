"""The memory planner on random live ranges."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squeeze2c.errors import InternalError
from squeeze2c.memory import BufferInfo, LiveRange, MemoryPlan, verify_plan
from squeeze2c.memory.allocate import PoolAllocation, align_up, allocate, peak_bytes
from squeeze2c.memory.plan import lower_bound_bytes


@st.composite
def buffer_lists(draw: st.DrawFn) -> tuple[BufferInfo, ...]:
    count = draw(st.integers(1, 25))
    buffers = []
    for index in range(count):
        start = draw(st.integers(0, 15))
        length = draw(st.integers(1, 6))
        size = draw(st.one_of(st.integers(1, 40), st.integers(1, 100_000)))
        live = LiveRange(start, start + length)
        buffers.append(BufferInfo(f"b{index}", size, live, "feature_map"))
    return tuple(buffers)


def planned(buffers: tuple[BufferInfo, ...]) -> MemoryPlan:
    placed = allocate(buffers)
    return MemoryPlan(placed, align_up(peak_bytes(placed), 16), lower_bound_bytes(buffers))


@given(buffer_lists())
@settings(max_examples=200)
def test_no_two_live_buffers_share_a_byte(buffers: tuple[BufferInfo, ...]) -> None:
    """Checked by brute force: neither the allocator's code nor the verifier's."""
    plan = planned(buffers)
    assert {a.buffer for a in plan.allocations} == set(buffers)
    for i, a in enumerate(plan.allocations):
        assert a.byte_offset % 16 == 0
        assert 0 <= a.byte_offset <= a.end_bytes <= plan.arena_bytes
        for b in plan.allocations[i + 1 :]:
            steps_a = set(range(a.buffer.live.start, a.buffer.live.end))
            steps_b = set(range(b.buffer.live.start, b.buffer.live.end))
            bytes_apart = a.end_bytes <= b.byte_offset or b.end_bytes <= a.byte_offset
            assert bytes_apart or not steps_a & steps_b
    verify_plan(plan, buffers)


@given(buffer_lists())
@settings(max_examples=200)
def test_arena_lies_between_its_bounds(buffers: tuple[BufferInfo, ...]) -> None:
    plan = planned(buffers)
    assert plan.lower_bound_bytes <= plan.arena_bytes
    assert plan.arena_bytes <= sum(align_up(b.size_bytes, 16) for b in buffers)


@given(buffer_lists())
def test_allocation_is_deterministic(buffers: tuple[BufferInfo, ...]) -> None:
    assert allocate(buffers) == allocate(list(buffers))


@given(buffer_lists(), st.data())
@settings(max_examples=200)
def test_verifier_sees_a_buffer_moved_onto_another(
    buffers: tuple[BufferInfo, ...], data: st.DataObject
) -> None:
    plan = planned(buffers)
    victims = [
        (i, j)
        for i, a in enumerate(plan.allocations)
        for j, b in enumerate(plan.allocations)
        if i != j and a.buffer.live.overlaps(b.buffer.live)
    ]
    if not victims:
        return
    i, j = data.draw(st.sampled_from(victims))
    moved = list(plan.allocations)
    moved[i] = PoolAllocation(moved[i].buffer, moved[j].byte_offset)
    large = replace(plan, allocations=tuple(moved), arena_bytes=10**9)
    with pytest.raises(InternalError, match="overlap"):
        verify_plan(large, buffers)
