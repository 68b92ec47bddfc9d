"""What a run of the firmware means: its records, or the error that ended it."""

from __future__ import annotations

from enum import IntEnum

from squeeze2c.emulate.elf import FirmwareImage
from squeeze2c.emulate.fault import Fault
from squeeze2c.emulate.qemu import EMULATOR, Outcome
from squeeze2c.emulate.records import Record, RecordKind, Stage, read_records
from squeeze2c.errors import ArtifactError, InternalError, Squeeze2cError, ToolchainError
from squeeze2c.target import Board

STATUS_NAMES = (
    "S2C_OK",
    "S2C_ERROR_NULL",
    "S2C_ERROR_ARENA_SIZE",
    "S2C_ERROR_ARENA_ALIGNMENT",
    "S2C_ERROR_NOT_INITIALISED",
    "S2C_ERROR_WEIGHTS_CRC",
    "S2C_ERROR_ARGUMENT",
    "S2C_ERROR_SEQUENCE",
    "S2C_ERROR_ROWS",
)
"""``s2c_status`` of ``runtime_c/include/s2c.h``."""


class ExitCode(IntEnum):
    """``s2c_port_exit_code`` of ``runtime_c/port/s2c_port.h``."""

    OK = 0
    STATUS = 65
    FAULT = 66
    FILES = 67


def check_outcome(
    outcome: Outcome, images: int, model: str, board: Board, image: FirmwareImage
) -> None:
    """Raise the error that ended a run of firmware around ``model``; nothing where it went well.

    :class:`ArtifactError` for corrupt weights, :class:`InternalError` for
    other statuses of the model and faults of the core, :class:`ToolchainError`
    for the emulator's own failures.
    """
    where = f"{model} on {board.name}"
    last = _last_record(outcome)
    match outcome.exit_code, last:
        case ExitCode.OK, Record(RecordKind.END, count):
            if count != images:
                raise InternalError(f"firmware ran {count} of {images} images", where=where)
        case ExitCode.STATUS, Record(RecordKind.STATUS, stage, status):
            raise _status_error(f"{model}_{Stage(stage).function}", status, where)
        case ExitCode.FAULT, Record(RecordKind.FAULT, data=data):
            raise InternalError(Fault.unpack(data).describe(board, image), where=where)
        case ExitCode.FILES, _:
            raise ToolchainError(
                "the firmware could not read or write its files through semihosting",
                stderr=outcome.console,
                where=where,
                hint="is the disk full?",
            )
        case code, _:
            raise ToolchainError(
                f"{EMULATOR} ended with exit code {code} before the firmware did",
                stderr=outcome.console,
                where=where,
            )


def _last_record(outcome: Outcome) -> Record | None:
    last = None
    if outcome.results.exists():
        for record in read_records(outcome.results):
            last = record
    return last


def _status_error(function: str, status: int, where: str) -> Squeeze2cError:
    name = STATUS_NAMES[status] if status < len(STATUS_NAMES) else f"unknown status {status}"
    message = f"{function} returned {name}"
    if name == "S2C_ERROR_WEIGHTS_CRC":
        return ArtifactError(
            f"{message}: the weights are not those that were generated",
            where=where,
            hint="the folder was changed: compile the model again",
        )
    return InternalError(message, where=where)
