"""How many rows of each feature map must exist at once, read off the order of steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from squeeze2c.schedule.model import Schedule


@dataclass(slots=True)
class RowUses:
    """Per row of one buffer: the step that first writes it, and the last that uses it."""

    first_write: list[int] = field(default_factory=list)
    last_use: list[int] = field(default_factory=list)


def row_uses(schedule: Schedule) -> Mapping[str, RowUses]:
    """The uses of every row of every line buffer, in step indices."""
    uses = {
        name: RowUses([-1] * buffer.rows, [-1] * buffer.rows)
        for name, buffer in schedule.line_buffers.items()
    }
    for at, step in enumerate(schedule.steps):
        for source, demand in schedule.reads(step):
            if source.buffer in uses:
                last_use = uses[source.buffer].last_use
                last_use[demand.first : demand.last] = [at] * (demand.last - demand.first)
        written = schedule.writes(step)
        if written is not None:
            use = uses[written]
            for row in range(step.first_row, step.first_row + step.rows):
                if use.first_write[row] < 0:
                    use.first_write[row] = at
                use.last_use[row] = at
    return uses


def needed_capacity(use: RowUses) -> int:
    """Least c such that row r is no longer used when row r + c is first written."""
    rows = len(use.first_write)
    capacity = 1
    for row in range(rows):
        while row + capacity < rows and use.first_write[row + capacity] <= use.last_use[row]:
            capacity += 1
    return capacity


def live_steps(use: RowUses) -> Iterator[tuple[int, int]]:
    """Half-open ranges of steps during which some row is in use, joined and in order."""
    spans = sorted(
        (first, last + 1)
        for first, last in zip(use.first_write, use.last_use, strict=True)
        if first >= 0
    )
    current: tuple[int, int] | None = None
    for start, end in spans:
        if current is not None and start <= current[1]:
            current = (current[0], max(current[1], end))
            continue
        if current is not None:
            yield current
        current = (start, end)
    if current is not None:
        yield current


def fit_line_buffers(schedule: Schedule) -> Schedule:
    """``schedule`` with line buffers of just as many rows as its steps need."""
    uses = row_uses(schedule)
    buffers = {
        name: replace(buffer, capacity_rows=needed_capacity(uses[name]))
        for name, buffer in schedule.line_buffers.items()
    }
    return replace(schedule, line_buffers=buffers)
