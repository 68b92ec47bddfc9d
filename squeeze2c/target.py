"""What code is generated for: cores, boards, their memories, flags and emulators."""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.errors import UsageError

KIB = 1024


@dataclass(frozen=True, slots=True)
class Core:
    """A processor core as the compiler sees it.

    ``dsp``: SIMD-in-register instructions (SMLAD). ``mve``: Helium vectors.
    """

    name: str
    gcc_flags: tuple[str, ...]
    dsp: bool = False
    mve: bool = False


@dataclass(frozen=True, slots=True)
class Region:
    """A contiguous memory. ``kind`` is flash (code and constants) or ram."""

    name: str
    kind: str
    origin: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Board:
    """A board, real or emulated.

    ``machine`` is QEMU's name. ``flash`` holds vectors, code and constants;
    ``ram`` holds data, bss and stack; ``bulk`` (may be equal to ``ram``) holds
    the arena, the frame and the simulation harness's buffers.
    ``ram_fence``: emulated RAM continues past the real one, so the firmware
    fences it with the MPU.
    """

    name: str
    core: str
    machine: str
    flash: Region
    ram: Region
    bulk: Region
    ram_fence: bool = False
    description: str = ""


def _core(name: str, *flags: str, dsp: bool = False, mve: bool = False) -> Core:
    return Core(name, ("-mthumb", *flags), dsp, mve)


CORES: dict[str, Core] = {
    c.name: c
    for c in (
        _core("cortex-m0", "-mcpu=cortex-m0"),
        _core("cortex-m3", "-mcpu=cortex-m3"),
        _core("cortex-m4", "-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", dsp=True),
        _core("cortex-m7", "-mcpu=cortex-m7", "-mfloat-abi=hard", "-mfpu=fpv5-d16", dsp=True),
        _core("cortex-m33", "-mcpu=cortex-m33", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16", dsp=True),
        _core("cortex-m55", "-mcpu=cortex-m55", "-mfloat-abi=hard", dsp=True, mve=True),
        Core("host", ()),
    )
}


def _flash(origin: int, size: int) -> Region:
    return Region("FLASH", "flash", origin, size)


def _ram(origin: int, size: int, name: str = "RAM") -> Region:
    return Region(name, "ram", origin, size)


_SRAM_4M = _ram(0x2000_0000, 4096 * KIB)
_SRAM_128K = _ram(0x2000_0000, 128 * KIB)

BOARDS: dict[str, Board] = {
    b.name: b
    for b in (
        Board(
            "mps2-an385", "cortex-m3", "mps2-an385", _flash(0, 4096 * KIB), _SRAM_4M, _SRAM_4M,
            description="Arm MPS2, Cortex-M3; also runs Cortex-M0 code",
        ),
        Board(
            "mps2-an386", "cortex-m4", "mps2-an386", _flash(0, 4096 * KIB), _SRAM_4M, _SRAM_4M,
            description="Arm MPS2, Cortex-M4F",
        ),
        Board(
            "mps2-an500", "cortex-m7", "mps2-an500", _flash(0, 4096 * KIB), _SRAM_4M, _SRAM_4M,
            description="Arm MPS2, Cortex-M7",
        ),
        Board(
            "mps2-an505", "cortex-m33", "mps2-an505",
            _flash(0x1000_0000, 4096 * KIB),
            _ram(0x3800_0000, 4096 * KIB), _ram(0x3800_0000, 4096 * KIB),
            description="Arm MPS2, Cortex-M33, secure state",
        ),
        Board(
            "mps3-an547", "cortex-m55", "mps3-an547",
            _flash(0x0100_0000, 2048 * KIB),
            _ram(0x2000_0000, 512 * KIB), _ram(0x2100_0000, 4096 * KIB, "BULK"),
            description="Arm MPS3, Cortex-M55 with Helium",
        ),
        Board(
            "stm32f405", "cortex-m4", "netduinoplus2",
            _flash(0x0800_0000, 1024 * KIB), _SRAM_128K, _SRAM_128K, ram_fence=True,
            description="STM32F405: 1 MB flash, 128 KB RAM",
        ),
        Board(
            "stm32f446", "cortex-m4", "netduinoplus2",
            _flash(0x0800_0000, 512 * KIB), _SRAM_128K, _SRAM_128K, ram_fence=True,
            description="STM32F446: 512 KB flash, 128 KB RAM",
        ),
    )
}


def core_named(name: str) -> Core:
    """The core called ``name`` (``m4`` is short for ``cortex-m4``). Raises UsageError."""
    full = name if name in CORES else f"cortex-{name}"
    if full not in CORES:
        raise UsageError(f"unknown target {name!r}", hint=f"choose one of {', '.join(CORES)}")
    return CORES[full]


def board_named(name: str) -> Board:
    """The board called ``name``. Raises UsageError."""
    if name not in BOARDS:
        raise UsageError(f"unknown board {name!r}", hint=f"choose one of {', '.join(BOARDS)}")
    return BOARDS[name]
