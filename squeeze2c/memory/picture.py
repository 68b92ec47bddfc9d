"""The arena over time: which of its bytes hold what during which steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from squeeze2c.memory.bound import align_up
from squeeze2c.memory.buffers import ALIGNMENT_BYTES, LiveRange
from squeeze2c.memory.plan import MemoryPlan
from squeeze2c.schedule import Schedule, Step


@dataclass(frozen=True, slots=True)
class PictureBuffer:
    """One buffer: ``size_bytes`` at ``offset_bytes``, in use during ``live``.

    ``kind``: line_buffer, scratch or accumulator. A line buffer holds ``capacity_rows`` of
    the ``map_rows`` rows of its feature map; both are 0 for other kinds.
    """

    name: str
    kind: str
    offset_bytes: int
    size_bytes: int
    capacity_rows: int
    map_rows: int
    live: tuple[LiveRange, ...]

    @property
    def end_bytes(self) -> int:
        """The first byte behind it."""
        return self.offset_bytes + self.size_bytes

    @property
    def live_steps(self) -> int:
        """Number of steps during which it is in use."""
        return sum(r.end - r.start for r in self.live)

    def is_live(self, step: int) -> bool:
        """Whether it is in use during ``step``."""
        return any(r.start <= step < r.end for r in self.live)


@dataclass(frozen=True, slots=True)
class ArenaPicture:
    """``steps`` in order of execution, and ``buffers`` by offset.

    ``layers``: their names, which ``Step.stage`` counts; INPUT_STAGE is the caller.
    """

    arena_bytes: int
    lower_bound_bytes: int
    layers: tuple[str, ...]
    steps: tuple[Step, ...]
    buffers: tuple[PictureBuffer, ...]

    def used_bytes(self, kind: str | None = None) -> tuple[int, ...]:
        """Per step, bytes in use, rounded to the alignment; of one ``kind`` or of all.

        The most for all kinds is the lower bound.
        """
        change = [0] * (len(self.steps) + 1)
        for buffer in self.buffers:
            if kind is None or buffer.kind == kind:
                size = align_up(buffer.size_bytes, ALIGNMENT_BYTES)
                for live in buffer.live:
                    change[live.start] += size
                    change[live.end] -= size
        used, now = [], 0
        for difference in change[:-1]:
            now += difference
            used.append(now)
        return tuple(used)

    @property
    def peak_step(self) -> int:
        """The first step during which most bytes are in use."""
        used = self.used_bytes()
        return used.index(max(used))

    def to_json(self) -> dict[str, Any]:
        """Compact JSON types; ``docs/output-format.md`` describes them."""
        return {
            "arena_bytes": self.arena_bytes,
            "lower_bound_bytes": self.lower_bound_bytes,
            "layers": list(self.layers),
            "steps": [[s.stage, s.first_row, s.rows, s.input_row] for s in self.steps],
            "buffers": [
                {
                    "name": b.name,
                    "kind": b.kind,
                    "offset_bytes": b.offset_bytes,
                    "size_bytes": b.size_bytes,
                    "capacity_rows": b.capacity_rows,
                    "map_rows": b.map_rows,
                    "live": [[r.start, r.end] for r in b.live],
                }
                for b in self.buffers
            ],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ArenaPicture:
        """What :meth:`to_json` made. Raises KeyError, TypeError or ValueError for other data."""
        return cls(
            arena_bytes=int(document["arena_bytes"]),
            lower_bound_bytes=int(document["lower_bound_bytes"]),
            layers=tuple(map(str, document["layers"])),
            steps=tuple(Step(*step) for step in document["steps"]),
            buffers=tuple(
                PictureBuffer(
                    name=str(b["name"]),
                    kind=str(b["kind"]),
                    offset_bytes=int(b["offset_bytes"]),
                    size_bytes=int(b["size_bytes"]),
                    capacity_rows=int(b["capacity_rows"]),
                    map_rows=int(b["map_rows"]),
                    live=tuple(LiveRange(int(start), int(end)) for start, end in b["live"]),
                )
                for b in document["buffers"]
            ),
        )


def draw_arena(schedule: Schedule, plan: MemoryPlan) -> ArenaPicture:
    """The picture of ``schedule`` in the arena that ``plan`` lays out."""
    buffers = []
    for allocation in sorted(plan.allocations, key=lambda a: (a.byte_offset, a.buffer.name)):
        info = allocation.buffer
        rows = schedule.line_buffers.get(info.name)
        buffers.append(
            PictureBuffer(
                name=info.name,
                kind=info.kind,
                offset_bytes=allocation.byte_offset,
                size_bytes=info.size_bytes,
                capacity_rows=rows.capacity_rows if rows else 0,
                map_rows=rows.rows if rows else 0,
                live=info.live,
            )
        )
    return ArenaPicture(
        arena_bytes=plan.arena_bytes,
        lower_bound_bytes=plan.lower_bound_bytes,
        layers=tuple(stage.node for stage in schedule.stages),
        steps=schedule.steps,
        buffers=tuple(buffers),
    )
