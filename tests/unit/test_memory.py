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
    live_at,
    plan_memory,
    scratch_name,
    verify_plan,
)
from squeeze2c.memory.allocate import (
    _ORDERS,
    PoolAllocation,
    _first_fit,
    allocate,
    peak_bytes,
)
from squeeze2c.memory.bound import align_up, lower_bound_bytes
from squeeze2c.schedule import (
    INPUT_STAGE,
    collect_stages,
    place_feature_maps,
    schedule_layerwise,
    schedule_stream,
)
from squeeze2c.target import core_named
from tests.support.programs import camera_builder, every_operator_graph, quantised


def buffer(name: str, size: int, *steps: int) -> BufferInfo:
    """Live during the half-open ranges that ``steps`` begin and end."""
    ranges = tuple(LiveRange(a, b) for a, b in zip(steps[::2], steps[1::2], strict=True))
    return BufferInfo(name, size, ranges, "line_buffer")


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


def test_buffers_that_take_turns_share_a_place() -> None:
    """As the rows of a slow and of a quick line buffer do, again and again."""
    turns = [buffer("a", 64, 0, 1, 2, 3, 4, 5), buffer("b", 64, 1, 2, 3, 4)]
    buffers = [*turns, buffer("c", 16, 0, 5)]
    placed = allocate(buffers)
    assert peak_bytes(placed) == lower_bound_bytes(buffers) == 80
    assert len({a.byte_offset for a in placed if a.buffer in turns}) == 1


def test_orders_are_varied_where_the_simple_ones_fail() -> None:
    """Placed in any simple order, these need a unit more than their lower bound."""
    spans = {"a": (5, 2, 6), "b": (5, 0, 4), "c": (1, 2, 6), "d": (3, 5, 6), "e": (4, 4, 8)}
    buffers = [buffer(n, 16 * size, start, end) for n, (size, start, end) in spans.items()]
    masks = {b.name: b.live_mask for b in buffers}
    simple = [peak_bytes(_first_fit(sorted(buffers, key=order), masks)) for order in _ORDERS]
    assert min(simple) == 14 * 16
    assert peak_bytes(allocate(buffers)) == lower_bound_bytes(buffers) == 13 * 16


def test_lower_bound_by_hand() -> None:
    buffers = [buffer("a", 17, 0, 2), buffer("b", 16, 1, 3), buffer("c", 1, 2, 3, 5, 6)]
    assert lower_bound_bytes(buffers) == 32 + 16
    assert lower_bound_bytes([]) == 0
    assert [b.name for b in live_at(buffers, 2)] == ["b", "c"]
    assert [b.name for b in live_at(buffers, 4)] == []
    assert [b.name for b in live_at(buffers, 5)] == ["c"]


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
    """Its one layer sums over the caller's image into the caller's logits."""
    build = camera_builder(3, 3)
    graph = quantised(build.finish(build.gap(build.input)))
    schedule = schedule_layerwise(graph, core_named("host"))
    plan = plan_memory(graph, schedule)
    assert plan.buffers == ()
    assert plan.arena_bytes == ALIGNMENT_BYTES
    assert plan.lower_bound_bytes == 0


def test_buffers_of_a_network() -> None:
    """Concatenated maps share a buffer that lives from the first writer to the last reader."""
    graph = quantised(every_operator_graph())
    schedule = schedule_layerwise(graph, core_named("host"))
    buffers = {b.name: b for b in collect_buffers(graph, schedule)}
    maps = {n for n, b in buffers.items() if b.kind == "line_buffer"}
    assert maps == {"stem", "pool", "fire/concat", "signed", "bypass"}
    order = [schedule.stages[step.stage].node for step in schedule.steps]
    concat = buffers["fire/concat"]
    expected = LiveRange(order.index("fire/expand1x1"), order.index("bypass") + 1)
    assert concat.live == (expected,)
    assert concat.size_bytes == graph.values["fire/concat"].type.size_bytes
    for index, stage in enumerate(schedule.stages):
        scratch = buffers.get(scratch_name(stage.node))
        assert (scratch.size_bytes if scratch else 0) == stage.scratch_bytes
        assert scratch is None or scratch.live == (LiveRange(index, index + 1),)
    plan = plan_memory(graph, schedule)
    assert plan.lower_bound_bytes <= plan.arena_bytes
    assert plan.arena_bytes % plan.alignment_bytes == 0


def test_sums_need_room_where_rows_are_pushed() -> None:
    """From the first row that is summed until after the last step: finish copies them out."""
    graph = quantised(every_operator_graph())
    schedule = schedule_layerwise(graph, core_named("host"), push=True)
    buffers = {b.name: b for b in collect_buffers(graph, schedule)}
    steps = len(schedule.steps)
    sums = buffers[graph.output]
    assert (sums.kind, sums.size_bytes) == ("accumulator", 4 * 4)
    assert sums.live == (LiveRange(steps - 1, steps),)
    assert buffers[graph.input].live == (LiveRange(0, 13 + 1),)


def test_a_streamed_buffer_lives_while_some_row_of_it_waits() -> None:
    """Row in, row of the layer, row summed; then the next one: the image rests for a step."""
    build = camera_builder(5, 4)
    x = build.conv(build.input, 3, relu=True, name="x")
    graph = quantised(build.finish(build.conv(x, 2, global_pool=True, name="last")))
    placements = place_feature_maps(graph)
    stages = collect_stages(graph, placements, core_named("host"))
    schedule = schedule_stream(graph, placements, stages, (1, 1), (False, False), True)
    assert [step.stage for step in schedule.steps] == [INPUT_STAGE, 0, 1] * 5
    live = {b.name: [(r.start, r.end) for r in b.live] for b in collect_buffers(graph, schedule)}
    assert live[graph.input] == [(3 * row, 3 * row + 2) for row in range(5)]
    assert live["x"] == [(3 * row + 1, 3 * row + 3) for row in range(5)]
    assert live["x/scratch"] == [(3 * row + 1, 3 * row + 2) for row in range(5)]
    assert live["last/scratch"] == [(3 * row + 2, 3 * row + 3) for row in range(5)]
    assert live["last"] == [(2, 15)]
