"""Every exception squeeze2c raises on purpose.

A message answers four questions: what went wrong, where (file or ONNX node),
which rule was broken, and what the user can do. ``exit_code`` is the process
exit code that the command line uses.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_DIAGNOSTIC = re.compile(r"\berror\b|undefined reference", re.IGNORECASE)
_LONGEST_DIAGNOSTIC = 300


def one_line(text: str) -> str:
    """``text`` without line breaks and other control characters, which names in models may hold."""
    return _CONTROL.sub(" ", text).strip()


class Squeeze2cError(Exception):
    """Base class: a problem that the user can mend. Exit code 2."""

    exit_code = 2

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        """``where`` names a file, ONNX node or command; ``hint`` says what to do."""
        self.message = message
        self.where = where
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text

    @property
    def line(self) -> str:
        """The error in one line, as the command line shows it."""
        return one_line(str(self))


class UsageError(Squeeze2cError):
    """A command-line option, configuration key or API argument is wrong."""


class ModelLoadError(Squeeze2cError):
    """The model file is missing, truncated, not ONNX, or lacks external data."""


class UnsupportedModelError(Squeeze2cError):
    """The model is valid ONNX but uses an operator or attribute outside the supported set."""

    def __init__(
        self,
        message: str,
        *,
        op: str | None = None,
        attribute: str | None = None,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.op = op
        self.attribute = attribute
        super().__init__(message, where=where, hint=hint)


class ShapeError(Squeeze2cError):
    """Shapes disagree, or are not static."""


class CalibrationError(Squeeze2cError):
    """Calibration images are missing, unreadable or of the wrong size."""


class QuantizationError(Squeeze2cError):
    """A layer cannot be quantized exactly, for example because its accumulator could overflow."""


class AccuracyError(Squeeze2cError):
    """The integer network differs more from the float one than the user allows."""


class ScheduleError(Squeeze2cError):
    """No order of computation satisfies the request."""


class DoesNotFitError(Squeeze2cError):
    """A memory budget is too small."""

    def __init__(
        self,
        what: str,
        *,
        needed_bytes: int,
        available_bytes: int,
        largest: str | None = None,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.what = what
        self.needed_bytes = needed_bytes
        self.available_bytes = available_bytes
        self.largest = largest
        message = (
            f"{what} needs {needed_bytes:,} bytes but only {available_bytes:,} are available: "
            f"{needed_bytes - available_bytes:,} bytes too many"
        )
        if largest:
            message += f"; largest: {largest}"
        super().__init__(message, where=where, hint=hint)


class CodegenError(Squeeze2cError):
    """The output folder cannot be written, or a name is not a C identifier."""


class ToolchainError(Squeeze2cError):
    """A compiler, linker or emulator is missing or failed."""

    def __init__(
        self,
        message: str,
        *,
        command: str | None = None,
        stderr: str | None = None,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.command = command
        self.stderr = stderr
        self._summary = message
        if stderr:
            message = f"{message}\n{stderr.strip()[-2000:]}"
        super().__init__(message, where=where, hint=hint)

    @property
    def line(self) -> str:
        """One line, in which the tool's first diagnostic stands for all that it said."""
        said = [text for text in (self.stderr or "").splitlines() if text.strip()]
        if not said:
            return super().line
        first = next((text for text in said if _DIAGNOSTIC.search(text)), said[-1])
        short = one_line(first)[:_LONGEST_DIAGNOSTIC]
        hint = self.hint or "--verbose shows all that it said"
        brief = Squeeze2cError(f"{self._summary}: {short}", where=self.where, hint=hint)
        return brief.line


class ArtifactError(Squeeze2cError):
    """A folder is not one that squeeze2c wrote, or was changed since."""


class InternalError(Squeeze2cError):
    """An invariant of squeeze2c itself is broken: a bug. Exit code 70."""

    exit_code = 70
