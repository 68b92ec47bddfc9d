"""Buffers and when they are live, in schedule time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from squeeze2c.ir import Graph
from squeeze2c.schedule import Schedule, live_steps, row_uses

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
    """Something that needs arena space. ``kind``: line_buffer, scratch or accumulator.

    ``live``: ranges of steps, disjoint and in order. A streamed line buffer is live
    again and again: between two rows of it others may have its place.
    """

    name: str
    size_bytes: int
    live: tuple[LiveRange, ...]
    kind: str
    alignment_bytes: int = ALIGNMENT_BYTES

    @property
    def live_mask(self) -> int:
        """Bit i is set where the buffer is live during step i."""
        return sum((1 << r.end) - (1 << r.start) for r in self.live)

    @property
    def start(self) -> int:
        return self.live[0].start

    @property
    def end(self) -> int:
        return self.live[-1].end

    @property
    def steps(self) -> int:
        """Number of steps during which the buffer is live."""
        return sum(r.end - r.start for r in self.live)


def collect_buffers(graph: Graph, schedule: Schedule) -> tuple[BufferInfo, ...]:
    """All buffers of ``schedule``.

    Line buffers are live while some row of them waits for a reader, each stage's scratch
    during its steps. Where the caller pushes rows, the sums that become the logits need
    a place too, from the first to the last step; otherwise they go straight to the
    caller's array.
    """
    uses = row_uses(schedule)
    buffers = [
        BufferInfo(
            name,
            line_buffer.size_bytes,
            tuple(LiveRange(first, end) for first, end in live_steps(uses[name])),
            "line_buffer",
        )
        for name, line_buffer in schedule.line_buffers.items()
    ]
    steps_of: dict[int, list[int]] = defaultdict(list)
    for position, step in enumerate(schedule.steps):
        steps_of[step.stage].append(position)
    for index, stage in enumerate(schedule.stages):
        at = steps_of[index]
        if stage.scratch_bytes:
            name = scratch_name(stage.node)
            buffers.append(BufferInfo(name, stage.scratch_bytes, _joined(at), "scratch"))
        if stage.buffer is None and schedule.push:
            live = (LiveRange(at[0], len(schedule.steps)),)
            size = graph.values[stage.output].type.size_bytes
            buffers.append(BufferInfo(stage.output, size, live, "accumulator"))
    return tuple(buffers)


def scratch_name(node: str) -> str:
    """Name of the scratch buffer of ``node``."""
    return f"{node}/scratch"


def _joined(steps: Iterable[int]) -> tuple[LiveRange, ...]:
    ranges: list[LiveRange] = []
    for step in steps:
        if ranges and ranges[-1].end == step:
            ranges[-1] = LiveRange(ranges[-1].start, step + 1)
        else:
            ranges.append(LiveRange(step, step + 1))
    return tuple(ranges)
