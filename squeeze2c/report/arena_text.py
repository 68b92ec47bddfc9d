"""The arena over time in characters: a letter per buffer where it fills most of a cell."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from squeeze2c.memory import ArenaPicture
from squeeze2c.report.arena import by_size

LETTERS = string.ascii_letters + string.digits
SURPLUS = "#"
"""For buffers beyond the letters there are."""

FREE = "."


@dataclass(frozen=True, slots=True)
class ArenaGrid:
    """``lines``: the highest addresses first, a character per column of steps.

    ``letters``: buffer name to letter, of those that are seen, the largest first.
    ``line_bytes``: what a line stands for; ``peak_column``: where most bytes are in use.
    """

    lines: tuple[str, ...]
    letters: Mapping[str, str]
    line_bytes: int
    peak_column: int


def arena_grid(picture: ArenaPicture, columns: int, lines: int) -> ArenaGrid:
    """The picture in at most ``columns`` by ``lines`` cells."""
    columns = min(columns, len(picture.steps))
    line_bytes = -(-picture.arena_bytes // lines)
    lines = -(-picture.arena_bytes // line_bytes)
    edges = np.linspace(0, len(picture.steps), columns + 1)
    floors = np.arange(lines) * line_bytes
    ordered = by_size(picture)
    # (buffers, lines, columns): bytes times steps of the cell that the buffer takes.
    taken = np.zeros((len(ordered), lines, columns))
    for index, buffer in enumerate(ordered):
        steps = sum(
            np.clip(np.minimum(edges[1:], r.end) - np.maximum(edges[:-1], r.start), 0, None)
            for r in buffer.live
        )
        low = np.maximum(floors, buffer.offset_bytes)
        high = np.minimum(floors + line_bytes, buffer.end_bytes)
        taken[index] = np.clip(high - low, 0, None)[:, None] * steps
    winner = taken.argmax(axis=0)
    heights = np.minimum(picture.arena_bytes - floors, line_bytes)
    free = taken.sum(axis=0) < 0.5 * heights[:, None] * np.diff(edges)
    seen = [i for i in range(len(ordered)) if (~free & (winner == i)).any()]
    letters = {
        ordered[index].name: LETTERS[rank] if rank < len(LETTERS) else SURPLUS
        for rank, index in enumerate(seen)
    }
    drawn = [
        "".join(
            FREE if free[line, column] else letters[ordered[winner[line, column]].name]
            for column in range(columns)
        )
        for line in reversed(range(lines))
    ]
    peak = int(np.searchsorted(edges, picture.peak_step, side="right")) - 1
    return ArenaGrid(tuple(drawn), letters, line_bytes, peak)
