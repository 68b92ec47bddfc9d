"""What a fault record says, in words. Bits: Armv7-M ARM, B3.2.15; Armv8-M ARM, D1.2.7."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from squeeze2c.emulate.elf import FirmwareImage
from squeeze2c.target import Board, Region

STACK_GUARD_BYTES = 256
"""Forbidden memory below the stack: a power of two, as the MPU of Armv7-M demands."""
_RECORD = struct.Struct("<9I")
_EXCEPTIONS = {
    2: "NMI", 3: "HardFault", 4: "MemManage", 5: "BusFault", 6: "UsageFault", 7: "SecureFault",
}
_CAUSES = {
    0: "instruction fetch forbidden by the MPU",
    1: "data access forbidden by the MPU",
    3: "MPU violation while leaving an exception",
    4: "MPU violation while entering an exception",
    5: "MPU violation while saving FPU registers",
    8: "bus error on an instruction fetch",
    9: "bus error on a data access",
    10: "imprecise bus error",
    11: "bus error while leaving an exception",
    12: "bus error while entering an exception",
    13: "bus error while saving FPU registers",
    16: "undefined instruction",
    17: "invalid state",
    18: "invalid exception return",
    19: "no such coprocessor: FPU or MVE disabled or absent",
    20: "stack limit exceeded",
    24: "unaligned access",
    25: "division by zero",
}
_MMAR_VALID, _BFAR_VALID = 1 << 7, 1 << 15


@dataclass(frozen=True, slots=True)
class Fault:
    """Registers at a fault: ``s2c_fault_record``."""

    exception: int
    pc: int
    lr: int
    sp: int
    cfsr: int
    hfsr: int
    mmfar: int
    bfar: int
    stack_bottom: int

    @classmethod
    def unpack(cls, data: bytes) -> Fault:
        return cls(*_RECORD.unpack(data))

    @property
    def address(self) -> int | None:
        """The address whose access failed, if the core knows it."""
        if self.cfsr & _MMAR_VALID:
            return self.mmfar
        return self.bfar if self.cfsr & _BFAR_VALID else None

    def describe(self, board: Board, image: FirmwareImage) -> str:
        """Kind, cause, address and place of the fault, in one line."""
        kind = _EXCEPTIONS.get(self.exception, f"exception {self.exception}")
        causes = [text for bit, text in _CAUSES.items() if self.cfsr >> bit & 1]
        text = f"{kind}: {', '.join(causes) or f'HFSR {self.hfsr:#010x}'}"
        if self.address is not None:
            text += f" at address {self.address:#010x}{self._where(self.address, board)}"
        elif self.sp < self.stack_bottom:
            text += " (stack overflow)"
        if self.pc:
            function = image.function_at(self.pc)
            text += f", by the instruction at {self.pc:#010x}"
            text += f" in {function}" if function else ""
        return text

    def _where(self, address: int, board: Board) -> str:
        """What is special about ``address``."""
        if self.stack_bottom - STACK_GUARD_BYTES <= address < self.stack_bottom:
            return " (stack overflow)"
        if board.fence and _holds(board.fence, address):
            return f" (beyond the board's {board.ram.size_bytes:,} bytes of RAM)"
        return ""


def _holds(region: Region, address: int) -> bool:
    return region.origin <= address < region.end
