"""Arena allocation: first fit into the gaps, under several orders; the best one wins.

Dynamic storage allocation is NP-hard; largest-first with gap filling is the
rule that TensorFlow Lite Micro's planner made popular, and trying a few other
orders costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from squeeze2c.memory.buffers import BufferInfo


@dataclass(frozen=True, slots=True)
class PoolAllocation:
    """``buffer`` at ``byte_offset`` of the arena."""

    buffer: BufferInfo
    byte_offset: int

    @property
    def end_bytes(self) -> int:
        return self.byte_offset + self.buffer.size_bytes


_ORDERS: tuple[Callable[[BufferInfo], tuple[int, ...]], ...] = (
    lambda b: (-b.size_bytes, b.live.start),
    lambda b: (-(b.live.end - b.live.start) * b.size_bytes, b.live.start),
    lambda b: (-(b.live.end - b.live.start), -b.size_bytes),
    lambda b: (b.live.start, -b.size_bytes),
    lambda b: (-b.live.end, -b.size_bytes),
)


def allocate(buffers: Sequence[BufferInfo]) -> tuple[PoolAllocation, ...]:
    """Offsets for ``buffers`` with the smallest peak of all orders tried; deterministic."""
    candidates = [_first_fit(sorted(buffers, key=order)) for order in _ORDERS]
    return min(candidates, key=peak_bytes)


def peak_bytes(allocations: Sequence[PoolAllocation]) -> int:
    """Bytes of arena that ``allocations`` reach."""
    return max((a.end_bytes for a in allocations), default=0)


def align_up(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment


def _first_fit(ordered: Sequence[BufferInfo]) -> tuple[PoolAllocation, ...]:
    placed: list[PoolAllocation] = []
    for buffer in ordered:
        neighbours = sorted(
            (a for a in placed if a.buffer.live.overlaps(buffer.live)),
            key=lambda a: a.byte_offset,
        )
        offset = 0
        for other in neighbours:
            if offset + buffer.size_bytes <= other.byte_offset:
                break
            offset = max(offset, align_up(other.end_bytes, buffer.alignment_bytes))
        placed.append(PoolAllocation(buffer, offset))
    return tuple(placed)
