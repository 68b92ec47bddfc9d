"""RAM against speed: what was chosen among a network's schedules, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schedule = Mapping[str, Any]
"""A candidate as the manifest has it: ``kind``, ``strip_rows``, ``arena_bytes`` and so on."""


def schedule_title(schedule: Schedule) -> str:
    """``stream, strips of 2 rows``."""
    if schedule["kind"] == "layerwise":
        return "layerwise, whole feature maps"
    rows = schedule["strip_rows"]
    title = "stream, row by row" if rows == 1 else f"stream, strips of {rows} rows"
    return title if schedule["running_pools"] else f"{title}, pools a window at a time"


def trade_off(manifest: Mapping[str, Any], beside_arena_bytes: int) -> str:
    """What was chosen where the user set no budget, and what a budget would buy.

    ``beside_arena_bytes``: what a budget must hold beside the arena.
    """
    candidates = manifest["schedule"]["candidates"]
    smallest, cheapest = candidates[0], candidates[-1]
    arena_bytes = manifest["ram"]["arena_bytes"]
    chosen = next(c for c in candidates if c["arena_bytes"] == arena_bytes)
    said = f"no --ram: took the schedule with {arena_bytes:,} bytes of arena"
    if len(candidates) == 1:
        return f"{said}; no other is smaller or predicted to be faster"
    parts = []
    if chosen is smallest:
        said += ", the smallest"
    else:
        said += f", predicted to take {_more(chosen, cheapest)} than the fastest"
        parts.append(f"{_budget(smallest, beside_arena_bytes)} would do, with "
                     f"{_more(smallest, chosen)}")  # fmt: skip
    if chosen is cheapest:
        said += " and the fastest" if not parts else ""
    else:
        parts.append(
            f"{_budget(cheapest, beside_arena_bytes)} ({schedule_title(cheapest)}) would save "
            f"{_percent(1 - _ratio(cheapest, chosen))} of the predicted instructions"
        )
    return "; ".join((said, *parts))


def compared(schedule: Schedule, cheapest: Schedule) -> str:
    """``+1.250 %``: predicted instructions beyond those of the cheapest schedule."""
    return f"{100 * (_ratio(schedule, cheapest) - 1):+.3f} %"


def _budget(schedule: Schedule, beside_arena_bytes: int) -> str:
    return f"--ram {schedule['arena_bytes'] + beside_arena_bytes}"


def _more(schedule: Schedule, other: Schedule) -> str:
    return f"{_percent(_ratio(schedule, other) - 1)} more instructions"


def _ratio(schedule: Schedule, other: Schedule) -> float:
    return float(schedule["predicted_instructions"] / other["predicted_instructions"])


def _percent(part: float) -> str:
    """Two significant digits; what is less than 0.01 % is said to be."""
    percent = 100 * part
    if percent == 0:
        return "0 %"
    return "less than 0.01 %" if percent < 0.01 else f"{percent:.2g} %"
