"""The memory plan: allocation, its lower bound, and independent checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph
from squeeze2c.memory.allocate import PoolAllocation, allocate, peak_bytes
from squeeze2c.memory.bound import align_up, lower_bound_bytes
from squeeze2c.memory.buffers import ALIGNMENT_BYTES, BufferInfo, collect_buffers
from squeeze2c.schedule import Schedule


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Offsets of all buffers in one arena of ``arena_bytes``.

    ``lower_bound_bytes``: the most bytes live at one step, each buffer rounded to
    its alignment; no allocation for the same schedule can be smaller.
    """

    allocations: tuple[PoolAllocation, ...]
    arena_bytes: int
    lower_bound_bytes: int
    alignment_bytes: int = ALIGNMENT_BYTES

    @property
    def buffers(self) -> tuple[BufferInfo, ...]:
        return tuple(a.buffer for a in self.allocations)

    @property
    def offsets(self) -> Mapping[str, int]:
        return {a.buffer.name: a.byte_offset for a in self.allocations}


def plan_memory(graph: Graph, schedule: Schedule) -> MemoryPlan:
    """Plan the arena of ``schedule``; the result has been verified."""
    buffers = collect_buffers(graph, schedule)
    allocations = allocate(buffers)
    # An arena of at least one unit keeps a static array of it valid C.
    size = max(align_up(peak_bytes(allocations), ALIGNMENT_BYTES), ALIGNMENT_BYTES)
    plan = MemoryPlan(allocations, size, lower_bound_bytes(buffers))
    verify_plan(plan, buffers)
    return plan


def verify_plan(plan: MemoryPlan, buffers: Sequence[BufferInfo]) -> None:
    """Check a plan byte by byte against its definition, sharing no code with the allocator.

    Raises :class:`InternalError` where a buffer is missing, misaligned, outside
    the arena, or shares a byte with another while both are live.
    """
    if sorted(plan.buffers, key=_name) != sorted(buffers, key=_name):
        raise InternalError("the memory plan does not place every buffer exactly once")
    for a in plan.allocations:
        if a.byte_offset < 0 or a.byte_offset % a.buffer.alignment_bytes:
            raise InternalError(f"buffer {a.buffer.name} is misaligned at {a.byte_offset}")
        if a.end_bytes > plan.arena_bytes:
            raise InternalError(f"buffer {a.buffer.name} ends beyond the arena")
    for left, right in combinations(sorted(plan.allocations, key=lambda a: a.byte_offset), 2):
        if right.byte_offset < left.end_bytes:
            step = _first_common(left.buffer, right.buffer)
            if step is not None:
                raise InternalError(
                    f"buffers {left.buffer.name} and {right.buffer.name} overlap at step {step}"
                )


def _name(buffer: BufferInfo) -> str:
    return buffer.name


def _first_common(a: BufferInfo, b: BufferInfo) -> int | None:
    """The first step during which both are live."""
    i = j = 0
    while i < len(a.live) and j < len(b.live):
        if a.live[i].overlaps(b.live[j]):
            return max(a.live[i].start, b.live[j].start)
        if a.live[i].end <= b.live[j].end:
            i += 1
        else:
            j += 1
    return None
