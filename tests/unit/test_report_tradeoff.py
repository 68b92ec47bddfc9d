"""What compile says about RAM and speed where the user set no budget."""

from __future__ import annotations

from typing import Any

import pytest

from squeeze2c.report import compared, schedule_title, trade_off


def candidate(
    arena_bytes: int, instructions: int, kind: str = "stream", strip_rows: int = 1,
    running_pools: bool = True,
) -> dict[str, Any]:  # fmt: skip
    return {
        "kind": kind, "strip_rows": strip_rows, "running_pools": running_pools,
        "arena_bytes": arena_bytes, "predicted_instructions": instructions,
    }  # fmt: skip


SMALL = candidate(10_000, 103_000)
MIDDLE = candidate(20_000, 101_000, strip_rows=4)
LARGE = candidate(90_000, 100_000, "layerwise", 50, False)


def said(chosen: dict[str, Any], *candidates: dict[str, Any]) -> str:
    manifest = {
        "schedule": {"candidates": list(candidates)}, "ram": {"arena_bytes": chosen["arena_bytes"]}
    }  # fmt: skip
    return trade_off(manifest, 1000)


def test_the_only_schedule() -> None:
    assert said(SMALL, SMALL) == (
        "no --ram: took the schedule with 10,000 bytes of arena; no other is smaller or predicted "
        "to be faster"
    )


def test_the_smallest_schedule() -> None:
    assert said(SMALL, SMALL, LARGE) == (
        "no --ram: took the schedule with 10,000 bytes of arena, the smallest; --ram 91000 "
        "(layerwise, whole feature maps) would save 2.9 % of the predicted instructions"
    )


def test_a_schedule_in_between() -> None:
    assert said(MIDDLE, SMALL, MIDDLE, LARGE) == (
        "no --ram: took the schedule with 20,000 bytes of arena, predicted to take 1 % more "
        "instructions than the fastest; --ram 11000 would do, with 2 % more instructions; "
        "--ram 91000 (layerwise, whole feature maps) would save 0.99 % of the predicted "
        "instructions"
    )


def test_the_fastest_schedule() -> None:
    text = said(LARGE, SMALL, LARGE)
    assert "the fastest; --ram 11000 would do, with 3 % more instructions" in text
    assert "save" not in text


def test_tiny_differences_are_not_zero() -> None:
    a, b = candidate(1, 10_000_001), candidate(2, 10_000_000)
    assert "would save less than 0.01 %" in said(a, a, b)


@pytest.mark.parametrize(
    ("schedule", "title"),
    [
        (SMALL, "stream, row by row"),
        (MIDDLE, "stream, strips of 4 rows"),
        (candidate(1, 1, running_pools=False), "stream, row by row, pools a window at a time"),
        (LARGE, "layerwise, whole feature maps"),
    ],
)
def test_titles(schedule: dict[str, Any], title: str) -> None:
    assert schedule_title(schedule) == title


def test_comparison() -> None:
    assert compared(SMALL, LARGE) == "+3.000 %"
    assert compared(LARGE, LARGE) == "+0.000 %"
