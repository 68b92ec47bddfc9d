"""Every exception squeeze2c raises on purpose.

A message answers four questions: what went wrong, where (file or ONNX node),
which rule was broken, and what the user can do. ``exit_code`` is the process
exit code that the command line uses.
"""

from __future__ import annotations


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
        if stderr:
            message = f"{message}\n{stderr.strip()[-2000:]}"
        super().__init__(message, where=where, hint=hint)


class ArtifactError(Squeeze2cError):
    """A folder is not one that squeeze2c wrote, or was changed since."""


class InternalError(Squeeze2cError):
    """An invariant of squeeze2c itself is broken: a bug. Exit code 70."""

    exit_code = 70
