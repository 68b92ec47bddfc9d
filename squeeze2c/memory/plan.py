"""The memory plan: allocation, its lower bound, and independent checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph
from squeeze2c.memory.allocate import PoolAllocation, allocate, peak_bytes
from squeeze2c.memory.bound import align_up, live_at, lower_bound_bytes
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
    placed = {a.buffer: a.byte_offset for a in plan.allocations}
    if set(placed) != set(buffers) or len(plan.allocations) != len(buffers):
        raise InternalError("the memory plan does not place every buffer exactly once")
    for buffer, offset in placed.items():
        if offset < 0 or offset % buffer.alignment_bytes:
            raise InternalError(f"buffer {buffer.name} is misaligned at {offset}")
        if offset + buffer.size_bytes > plan.arena_bytes:
            raise InternalError(f"buffer {buffer.name} ends beyond the arena")
    # What is live changes only where a range starts.
    for step in sorted({r.start for b in buffers for r in b.live}):
        spans = sorted(
            (placed[b], placed[b] + b.size_bytes, b.name) for b in live_at(buffers, step)
        )
        for (_, end, left), (start, _, right) in pairwise(spans):
            if start < end:
                raise InternalError(f"buffers {left} and {right} overlap at step {step}")
