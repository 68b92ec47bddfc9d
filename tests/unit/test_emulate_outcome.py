"""How the end of a run becomes an error message."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from squeeze2c.emulate.elf import FirmwareImage
from squeeze2c.emulate.fault import STACK_GUARD_BYTES, Fault
from squeeze2c.emulate.outcome import ExitCode, check_outcome
from squeeze2c.emulate.qemu import Outcome
from squeeze2c.emulate.records import RecordKind
from squeeze2c.errors import ArtifactError, InternalError, Squeeze2cError, ToolchainError
from squeeze2c.target import BOARDS

BOARD = BOARDS["stm32f405"]
IMAGE = FirmwareImage((), ((0x0800_0100, 0x40, "tiny_run"),))
STACK_BOTTOM = 0x2000_1000
MEMMANAGE_AT_ADDRESS = 1 << 1 | 1 << 7


def _fault(**registers: int) -> Fault:
    usual = {
        "exception": 3, "pc": 0x0800_0120, "lr": 0, "sp": STACK_BOTTOM + 0x100, "cfsr": 0,
        "hfsr": 1 << 30, "mmfar": 0, "bfar": 0, "stack_bottom": STACK_BOTTOM,
    }
    return Fault(**{**usual, **registers})


def _outcome(tmp_path: Path, code: int, kind: RecordKind | None, *fields: int) -> Outcome:
    results = tmp_path / "results.bin"
    if kind is RecordKind.FAULT:
        data = struct.pack("<9I", *fields)
        results.write_bytes(struct.pack("<4I", kind, 0, 0, len(data)) + data)
    elif kind is not None:
        results.write_bytes(struct.pack("<4I", kind, *fields, 0))
    return Outcome(code, "what QEMU printed", results)


def _error(outcome: Outcome, images: int = 2) -> Squeeze2cError:
    with pytest.raises(Squeeze2cError) as caught:
        check_outcome(outcome, images, "tiny", BOARD, IMAGE)
    return caught.value


def test_a_good_end_raises_nothing(tmp_path: Path) -> None:
    outcome = _outcome(tmp_path, ExitCode.OK, RecordKind.END, 2, 0)
    check_outcome(outcome, 2, "tiny", BOARD, IMAGE)


def test_too_few_images_are_our_bug(tmp_path: Path) -> None:
    error = _error(_outcome(tmp_path, ExitCode.OK, RecordKind.END, 1, 0))
    assert isinstance(error, InternalError)
    assert "1 of 2 images" in str(error)


def test_success_without_an_end_is_not_success(tmp_path: Path) -> None:
    assert isinstance(_error(_outcome(tmp_path, ExitCode.OK, None)), ToolchainError)


@pytest.mark.parametrize(
    ("stage", "status", "kind", "message"),
    [
        (1, 2, InternalError, "tiny_init returned S2C_ERROR_ARENA_SIZE"),
        (2, 5, ArtifactError, "tiny_check_weights returned S2C_ERROR_WEIGHTS_CRC"),
        (3, 6, InternalError, "tiny_run returned S2C_ERROR_ARGUMENT"),
        (4, 4, InternalError, "tiny_begin returned S2C_ERROR_NOT_INITIALISED"),
        (5, 8, InternalError, "tiny_push_rows returned S2C_ERROR_ROWS"),
        (6, 7, InternalError, "tiny_finish returned S2C_ERROR_SEQUENCE"),
        (3, 99, InternalError, "tiny_run returned unknown status 99"),
    ],
)
def test_statuses_are_named(
    stage: int, status: int, kind: type[Squeeze2cError], message: str, tmp_path: Path
) -> None:
    error = _error(_outcome(tmp_path, ExitCode.STATUS, RecordKind.STATUS, stage, status))
    assert type(error) is kind
    assert message in str(error)


def test_failing_files_and_a_failing_emulator_are_not_the_models_fault(tmp_path: Path) -> None:
    for code in (ExitCode.FILES, 1, -6):
        error = _error(_outcome(tmp_path, code, None))
        assert isinstance(error, ToolchainError)
        assert "what QEMU printed" in str(error)


def test_a_fault_record_is_described(tmp_path: Path) -> None:
    fields = (3, 0x0800_0120, 0, 0x2000_1100, 1 << 16, 0, 0, 0, STACK_BOTTOM)
    error = _error(_outcome(tmp_path, ExitCode.FAULT, RecordKind.FAULT, *fields))
    assert isinstance(error, InternalError)
    assert str(error) == (
        "tiny on stm32f405: HardFault: undefined instruction, "
        "by the instruction at 0x08000120 in tiny_run"
    )


def test_addresses_are_placed() -> None:
    def text(address: int) -> str:
        return _fault(cfsr=MEMMANAGE_AT_ADDRESS, mmfar=address).describe(BOARD, IMAGE)

    assert "at address 0x20020000 (beyond the board's 131,072 bytes of RAM)" in text(0x2002_0000)
    assert "(stack overflow)" in text(STACK_BOTTOM - 4)
    assert "(stack overflow)" in text(STACK_BOTTOM - STACK_GUARD_BYTES)
    assert "(" not in text(STACK_BOTTOM - STACK_GUARD_BYTES - 4)
    assert "(" not in text(STACK_BOTTOM)


def test_a_bus_fault_gives_its_own_address() -> None:
    fault = _fault(cfsr=1 << 9 | 1 << 15, bfar=0xF000_0000)
    assert fault.address == 0xF000_0000
    assert "bus error on a data access at address 0xf0000000" in fault.describe(BOARD, IMAGE)


def test_an_overflow_that_broke_the_exception_entry() -> None:
    """Neither an address nor a program counter is known then."""
    fault = _fault(cfsr=1 << 4, sp=STACK_BOTTOM - 32, pc=0)
    assert fault.describe(BOARD, IMAGE) == (
        "HardFault: MPU violation while entering an exception (stack overflow)"
    )


def test_functions_are_found_by_address() -> None:
    assert IMAGE.function_at(0x0800_0100) == "tiny_run"
    assert IMAGE.function_at(0x0800_0141) is None
    assert IMAGE.function_at(0x0800_00FF) is None
