"""Arena allocation: first fit into the gaps, under several orders; the best one wins.

Dynamic storage allocation is NP-hard; largest-first with gap filling is the
rule that TensorFlow Lite Micro's planner made popular. Where no simple order reaches
the lower bound, orders are varied: a buffer that sticks out is placed earlier.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from squeeze2c.memory.bound import align_up, lower_bound_bytes
from squeeze2c.memory.buffers import BufferInfo

_VARIATIONS = 400
_SEED = 20161104


@dataclass(frozen=True, slots=True)
class PoolAllocation:
    """``buffer`` at ``byte_offset`` of the arena."""

    buffer: BufferInfo
    byte_offset: int

    @property
    def end_bytes(self) -> int:
        return self.byte_offset + self.buffer.size_bytes


_ORDERS: tuple[Callable[[BufferInfo], tuple[int, ...]], ...] = (
    lambda b: (-b.size_bytes, b.start),
    lambda b: (-b.steps * b.size_bytes, b.start),
    lambda b: (-b.steps, -b.size_bytes),
    lambda b: (b.start, -b.size_bytes),
    lambda b: (-b.end, -b.size_bytes),
)


def allocate(buffers: Sequence[BufferInfo]) -> tuple[PoolAllocation, ...]:
    """Offsets for ``buffers`` with the smallest peak of all orders tried; deterministic."""
    masks = {b.name: b.live_mask for b in buffers}
    orders = [sorted(buffers, key=order) for order in _ORDERS]
    candidates = [(_first_fit(order, masks), order) for order in orders]
    best, order = min(candidates, key=lambda c: peak_bytes(c[0]))
    bound = lower_bound_bytes(buffers)
    alignment = max((b.alignment_bytes for b in buffers), default=1)
    choices = random.Random(_SEED)
    for _ in range(_VARIATIONS):
        if align_up(peak_bytes(best), alignment) <= bound:
            break
        varied = _promote(best, order, choices)
        candidate = _first_fit(varied, masks)
        if peak_bytes(candidate) <= peak_bytes(best):
            best, order = candidate, varied
    return best


def peak_bytes(allocations: Sequence[PoolAllocation]) -> int:
    """Bytes of arena that ``allocations`` reach."""
    return max((a.end_bytes for a in allocations), default=0)


def _promote(
    placed: Sequence[PoolAllocation], order: Sequence[BufferInfo], choices: random.Random
) -> list[BufferInfo]:
    """``order`` with the highest buffer, or now and then any other, moved forward."""
    highest = max(placed, key=lambda a: a.end_bytes).buffer
    moved = highest if choices.random() < 0.5 else choices.choice(list(order))
    rest = [b for b in order if b is not moved]
    rest.insert(choices.randrange(len(order)), moved)
    return rest


def _first_fit(
    ordered: Sequence[BufferInfo], masks: dict[str, int]
) -> tuple[PoolAllocation, ...]:
    placed: list[tuple[int, int, int]] = []
    result: list[PoolAllocation] = []
    for buffer in ordered:
        mask = masks[buffer.name]
        neighbours = sorted((start, end) for start, end, other in placed if other & mask)
        offset = 0
        for start, end in neighbours:
            if offset + buffer.size_bytes <= start:
                break
            offset = max(offset, align_up(end, buffer.alignment_bytes))
        placed.append((offset, offset + buffer.size_bytes, mask))
        result.append(PoolAllocation(buffer, offset))
    return tuple(result)
