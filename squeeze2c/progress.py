"""How long work reports its progress, without knowing who shows it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); a stage ends with done == total."""


def silent(stage: str, done: int, total: int) -> None:
    """A :data:`Progress` that shows nothing."""


def labelled(progress: Progress, label: str) -> Progress:
    """``progress`` with ``label`` behind the name of every stage; as it is without one."""

    def show(stage: str, done: int, total: int) -> None:
        progress(f"{stage}, {label}", done, total)

    return show if label else progress
