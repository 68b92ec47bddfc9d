"""The result file that firmware writes: twin of ``runtime_c/port/s2c_port_records.h``."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from squeeze2c.errors import InternalError

_HEADER = struct.Struct("<4I")


class RecordKind(IntEnum):
    """``s2c_record_kind``"""

    LOGITS = 1
    ROW = 2
    STATUS = 3
    STACK = 4
    FAULT = 5
    END = 6
    TICKS = 7


class Stage(IntEnum):
    """``s2c_stage``: functions of the model; 0 is the firmware as a whole."""

    FIRMWARE = 0
    INIT = 1
    CHECK_WEIGHTS = 2
    RUN = 3
    BEGIN = 4
    PUSH_ROWS = 5
    FINISH = 6
    TOP_K = 7
    SOFTMAX = 8

    @property
    def function(self) -> str:
        """The function's name without the model's."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Record:
    """One record; what ``first`` and ``second`` mean depends on ``kind``."""

    kind: RecordKind
    first: int
    second: int
    data: bytes


def read_records(path: Path) -> Iterator[Record]:
    """The records of a file, in order. An incomplete last record is left out.

    Raises :class:`InternalError` where the file is not a sequence of records.
    """
    with path.open("rb") as stream:
        while len(header := stream.read(_HEADER.size)) == _HEADER.size:
            kind, first, second, size = _HEADER.unpack(header)
            if kind not in RecordKind._value2member_map_:
                raise InternalError(f"firmware wrote a record of unknown kind {kind}")
            data = stream.read(size)
            if len(data) < size:
                return
            yield Record(RecordKind(kind), first, second, data)
