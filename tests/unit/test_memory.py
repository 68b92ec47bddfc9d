"""Live ranges, allocation, lower bound; and the verifier, which must see every fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from squeeze2c.errors import InternalError
from squeeze2c.memory import (
    ALIGNMENT_BYTES,
    BufferInfo,
    LiveRange,
    MemoryPlan,
    collect_buffers,
    plan_memory,
    verify_plan,
)
from squeeze2c.memory.allocate import PoolAllocation, align_up, allocate, peak_bytes
from squeeze2c.memory.plan import live_at, lower_bound_bytes
from squeeze2c.schedule import schedule_layerwise
from squeeze2c.target import core_named
from tests.support.programs import every_operator_graph, quantised


def buffer(name: str, size: int, start: int, end: int) -> BufferInfo:
    return BufferInfo(name, size, LiveRange(start, end), "feature_map")


def test_live_ranges_are_half_open() -> None:
    a = LiveRange(1, 3)
    assert not a.overlaps(LiveRange(3, 4))
    assert not a.overlaps(LiveRange(0, 1))
    assert a.overlaps(LiveRange(2, 3))
    assert a.overlaps(LiveRange(0, 9))
    assert LiveRange(0, 9).overlaps(a)


def test_align_up() -> None:
    assert [align_up(v, 16) for v in (0, 1, 15, 16, 17)] == [0, 16, 16, 16, 32]


def test_a_gap_is_filled() -> None:
    """The small late buffer goes where the large early one was."""
    buffers = [buffer("early", 100, 0, 2), buffer("long", 50, 0, 4), buffer("late", 80, 2, 4)]
    placed = allocate(buffers)
    assert peak_bytes(placed) == lower_bound_bytes(buffers) - (-50 % 16)


def test_lower_bound_by_hand() -> None:
    buffers = [buffer("a", 17, 0, 2), buffer("b", 16, 1, 3), buffer("c", 1, 2, 3)]
    assert lower_bound_bytes(buffers) == 32 + 16
    assert lower_bound_bytes([]) == 0
    assert [b.name for b in live_at(buffers, 2)] == ["b", "c"]


BUFFERS = (buffer("a", 20, 0, 2), buffer("b", 30, 1, 3), buffer("c", 16, 2, 3))
GOOD = MemoryPlan(
    tuple(PoolAllocation(b, o) for b, o in zip(BUFFERS, (0, 32, 0), strict=True)), 64, 64
)


def test_a_good_plan_passes() -> None:
    verify_plan(GOOD, BUFFERS)
    assert GOOD.offsets == {"a": 0, "b": 32, "c": 0}


@pytest.mark.parametrize(
    ("offsets", "complaint"),
    [
        ((0, 16, 0), "a and b overlap at step 1"),
        ((0, 32, 32), "overlap at step 2"),
        ((0, 32, 48), "overlap at step 2"),
        ((0, 40, 0), "misaligned"),
        ((0, -32, 0), "misaligned"),
        ((0, 48, 0), "beyond the arena"),
    ],
)
def test_faulty_offsets_are_seen(offsets: tuple[int, ...], complaint: str) -> None:
    placed = tuple(PoolAllocation(b, o) for b, o in zip(BUFFERS, offsets, strict=True))
    with pytest.raises(InternalError, match=complaint):
        verify_plan(replace(GOOD, allocations=placed), BUFFERS)


def test_missing_and_foreign_buffers_are_seen() -> None:
    stranger = PoolAllocation(buffer("d", 16, 0, 1), 0)
    doubled = GOOD.allocations[0]
    for allocations in (
        GOOD.allocations[:2], (*GOOD.allocations, stranger), (*GOOD.allocations, doubled),
        (*GOOD.allocations[:2], stranger),
    ):
        with pytest.raises(InternalError, match="every buffer exactly once"):
            verify_plan(replace(GOOD, allocations=allocations), BUFFERS)


def test_a_network_without_feature_maps_has_an_arena() -> None:
    from squeeze2c.ir import Graph
    from squeeze2c.schedule import Schedule

    plan = plan_memory(Graph("empty", (), {}), Schedule((), {}))
    assert plan.arena_bytes == ALIGNMENT_BYTES
    assert plan.lower_bound_bytes == 0


def test_buffers_of_a_network() -> None:
    """Concatenated maps share a buffer that lives from the first writer to the last reader."""
    graph = quantised(every_operator_graph())
    schedule = schedule_layerwise(graph, core_named("host"))
    buffers = {b.name: b for b in collect_buffers(graph, schedule)}
    maps = {n for n, b in buffers.items() if b.kind == "feature_map"}
    assert maps == {"stem", "pool", "fire/concat", "signed", "bypass"}
    assert graph.input not in buffers
    order = [step.node for step in schedule.steps]
    concat = buffers["fire/concat"]
    assert concat.live == LiveRange(order.index("fire/expand1x1"), order.index("bypass") + 1)
    assert concat.size_bytes == graph.values["fire/concat"].type.size_bytes
    for index, step in enumerate(schedule.steps):
        scratch = buffers.get(f"{step.node}/scratch")
        assert (scratch.size_bytes if scratch else 0) == step.scratch_bytes
        assert scratch is None or scratch.live == LiveRange(index, index + 1)
    plan = plan_memory(graph, schedule)
    assert plan.lower_bound_bytes <= plan.arena_bytes
    assert plan.arena_bytes % plan.alignment_bytes == 0
