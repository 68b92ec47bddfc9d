"""What the user says about schedules."""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.errors import UsageError

KINDS = ("auto", "stream", "layerwise")
INPUT_MODES = ("push", "frame")


@dataclass(frozen=True, slots=True)
class ScheduleOptions:
    """``kind``: one of :data:`KINDS`. ``input_mode``: push or frame; None takes push, and
    frame for layerwise, which needs the whole image anyway. ``input_format``: what the
    caller's pixels are. ``ram_bytes``: the most that arena, stack, logits and
    a row that is pushed may take together. ``small_code``: fewer kinds of kernels, in favour of
    less code.

    Raises :class:`UsageError` where a field makes no sense.
    """

    kind: str = "auto"
    input_mode: str | None = None
    input_format: str = "rgb888"
    ram_bytes: int | None = None
    small_code: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(
                f"unknown schedule {self.kind!r}",
                where="--schedule",
                hint=f"choose one of {', '.join(KINDS)}",
            )
        if self.input_mode is not None and self.input_mode not in INPUT_MODES:
            raise UsageError(
                f"unknown way of input {self.input_mode!r}",
                where="--input",
                hint=f"choose one of {', '.join(INPUT_MODES)}",
            )

    @property
    def push(self) -> bool:
        """Whether the caller hands the image over row by row."""
        if self.input_mode is None:
            return self.kind != "layerwise"
        return self.input_mode == "push"
