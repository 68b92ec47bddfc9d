"""How small an arena can be at best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from squeeze2c.ir import Graph
from squeeze2c.memory.buffers import BufferInfo, collect_buffers
from squeeze2c.schedule import INPUT_STAGE, Schedule


def align_up(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment


def live_at(buffers: Sequence[BufferInfo], step: int) -> tuple[BufferInfo, ...]:
    """The buffers that are live during ``step``."""
    return tuple(b for b in buffers if any(r.start <= step < r.end for r in b.live))


def lower_bound_bytes(buffers: Sequence[BufferInfo]) -> int:
    """Largest sum of aligned sizes over the buffers live at one step."""
    changes: dict[int, int] = {}
    for buffer in buffers:
        size = align_up(buffer.size_bytes, buffer.alignment_bytes)
        for live in buffer.live:
            changes[live.start] = changes.get(live.start, 0) + size
            changes[live.end] = changes.get(live.end, 0) - size
    most = now = 0
    for step in sorted(changes):
        now += changes[step]
        most = max(most, now)
    return most


def bytes_beside_scratch(graph: Graph, schedule: Schedule) -> tuple[int, ...]:
    """Per stage of ``schedule``, what is alive at most while it runs, besides its scratch."""
    alive = np.zeros(len(schedule.steps) + 1, np.int64)
    for buffer in collect_buffers(graph, schedule):
        if buffer.kind != "scratch":
            size = align_up(buffer.size_bytes, buffer.alignment_bytes)
            for live in buffer.live:
                alive[live.start] += size
                alive[live.end] -= size
    most = [0] * len(schedule.stages)
    for step, now in zip(schedule.steps, np.cumsum(alive)[:-1].tolist(), strict=True):
        if step.stage != INPUT_STAGE:
            most[step.stage] = max(most[step.stage], now)
    return tuple(most)
