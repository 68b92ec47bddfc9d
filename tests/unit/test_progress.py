"""Labels behind the names of stages."""

from __future__ import annotations

from squeeze2c.progress import labelled


def test_labels() -> None:
    seen: list[tuple[str, int, int]] = []

    def show(stage: str, done: int, total: int) -> None:
        seen.append((stage, done, total))

    labelled(show, "attempt 2")("quantizing", 1, 3)
    assert seen == [("quantizing, attempt 2", 1, 3)]
    assert labelled(show, "") is show
