"""Buffers and their live ranges, in schedule time."""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.ir import Graph
from squeeze2c.schedule import Schedule

ALIGNMENT_BYTES = 16
"""Of every buffer and of the arena: enough for any vector load of the kernels."""


@dataclass(frozen=True, slots=True)
class LiveRange:
    """Half-open range of step indices: [start, end)."""

    start: int
    end: int

    def overlaps(self, other: LiveRange) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class BufferInfo:
    """Something that needs arena space. ``kind`` is ``feature_map`` or ``scratch``."""

    name: str
    size_bytes: int
    live: LiveRange
    kind: str
    alignment_bytes: int = ALIGNMENT_BYTES


def collect_buffers(graph: Graph, schedule: Schedule) -> tuple[BufferInfo, ...]:
    """All buffers of ``schedule``: outermost feature maps and each step's scratch.

    A feature map lives from the first step that writes into it (or into a slice
    of it) to the last step that reads it. The graph input belongs to the caller.
    """
    index = {step.node: i for i, step in enumerate(schedule.steps)}
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for node in graph.nodes:
        if node.name not in index:
            continue
        at = index[node.name]
        for name in (*graph.activations(node), node.output):
            placement = schedule.placements.get(name)
            if placement is None or placement.buffer == graph.input:
                continue
            first[placement.buffer] = min(first.get(placement.buffer, at), at)
            last[placement.buffer] = max(last.get(placement.buffer, at), at)
    maps = [
        BufferInfo(
            name, graph.values[name].type.size_bytes, LiveRange(first[name], last[name] + 1),
            "feature_map",
        )
        for name in first
    ]
    scratch = [
        BufferInfo(f"{step.node}/scratch", step.scratch_bytes, LiveRange(i, i + 1), "scratch")
        for i, step in enumerate(schedule.steps)
        if step.scratch_bytes
    ]
    return tuple(maps + scratch)
