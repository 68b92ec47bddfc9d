"""The result file, and the numbers that C and Python must agree on."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from squeeze2c.emulate import qemu
from squeeze2c.emulate.outcome import STATUS_NAMES, ExitCode
from squeeze2c.emulate.records import Record, RecordKind, Stage, read_records
from squeeze2c.errors import InternalError
from squeeze2c.resources import runtime_dir


def _header(kind: int, first: int, second: int, size: int) -> bytes:
    return struct.pack("<4I", kind, first, second, size)


def test_records_are_read_in_order(tmp_path: Path) -> None:
    file = tmp_path / "results.bin"
    file.write_bytes(_header(2, 5, 7, 3) + b"abc" + _header(6, 1, 0, 0))
    assert list(read_records(file)) == [
        Record(RecordKind.ROW, 5, 7, b"abc"),
        Record(RecordKind.END, 1, 0, b""),
    ]


@pytest.mark.parametrize("cut", [1, 3, 4, 16])
def test_an_incomplete_record_is_left_out(cut: int, tmp_path: Path) -> None:
    """Firmware may end in the middle of one."""
    file = tmp_path / "results.bin"
    content = _header(6, 1, 0, 0) + _header(2, 5, 7, 3) + b"abc"
    file.write_bytes(content[:-cut])
    assert [record.kind for record in read_records(file)] == [RecordKind.END]


def test_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "results.bin"
    file.write_bytes(b"not records at all")
    with pytest.raises(InternalError, match="unknown kind"):
        list(read_records(file))


def _enumerators(header: str, prefix: str) -> dict[str, int]:
    text = (runtime_dir() / header).read_text(encoding="utf-8")
    found = re.findall(rf"\b{prefix}(\w+) = (\d+)", text)
    return {name: int(value) for name, value in found}


def test_c_and_python_name_the_same_numbers() -> None:
    records = _enumerators("port/s2c_port_records.h", "S2C_RECORD_")
    assert records == {kind.name: kind.value for kind in RecordKind}
    stages = _enumerators("port/s2c_port_records.h", "S2C_STAGE_")
    assert stages == {stage.name: stage.value for stage in Stage}
    codes = _enumerators("port/s2c_port.h", "S2C_PORT_EXIT_")
    assert codes == {code.name: code.value for code in ExitCode}
    statuses = {"S2C_OK": 0}
    errors = _enumerators("include/s2c.h", "S2C_ERROR_")
    statuses |= {f"S2C_ERROR_{name}": value for name, value in errors.items()}
    assert statuses == {name: value for value, name in enumerate(STATUS_NAMES)}


def test_c_and_python_name_the_same_files() -> None:
    port = (runtime_dir() / "port" / "s2c_port.h").read_text(encoding="utf-8")
    files = dict(re.findall(r'#define S2C_PORT_(\w+)_FILE "(.+)"', port))
    assert files == {"IMAGES": qemu.IMAGES_FILE, "RESULTS": qemu.RESULTS_FILE}
    simulate = (runtime_dir() / "port" / "s2c_port_simulate.c").read_text(encoding="utf-8")
    line = qemu.IMAGE_DONE.decode().rstrip("\n")
    assert f'#define IMAGE_DONE "{line}\\n"' in simulate
