"""What code is generated for: cores, boards, their memories, flags and emulators."""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.errors import UsageError

KIB = 1024

OPTIMISATION = {"speed": "-O3", "size": "-Os"}
"""What generated code is compiled with, by what it is optimised for, as compilers call it."""


def check_optimize(optimize: str) -> str:
    """``optimize``, a key of :data:`OPTIMISATION`. Raises :class:`UsageError` otherwise."""
    if optimize not in OPTIMISATION:
        raise UsageError(
            f"unknown aim {optimize!r}",
            where="--optimize",
            hint=f"choose one of {', '.join(OPTIMISATION)}",
        )
    return optimize


@dataclass(frozen=True, slots=True)
class Core:
    """A processor core as the compiler sees it.

    ``dsp``: SIMD-in-register instructions (SMLAD). ``mve``: Helium vectors.
    ``short_multiply``: a product has no more than 32 bits (Armv6-M). ``long_multiply``:
    products of 64 bits (SMLAL) and no more than that. ``pc``: a computer with wide vectors,
    large caches and memory to spare.
    ``also_runs``: other cores whose code this one executes, FPU included.
    ``armv8m``: Armv8-M architecture; its MPU is programmed in another way.
    """

    name: str
    gcc_flags: tuple[str, ...]
    dsp: bool = False
    mve: bool = False
    pc: bool = False
    long_multiply: bool = False
    also_runs: tuple[str, ...] = ()
    armv8m: bool = False
    short_multiply: bool = False

    def runs(self, code: str) -> bool:
        """Whether this core executes code generated for the core called ``code``."""
        return code == self.name or code in self.also_runs


@dataclass(frozen=True, slots=True)
class Region:
    """A contiguous memory. ``kind``: flash (code and constants), ram, or none (no memory)."""

    name: str
    kind: str
    origin: int
    size_bytes: int

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.origin + self.size_bytes


@dataclass(frozen=True, slots=True)
class Board:
    """A board, real or emulated.

    ``machine`` is QEMU's name. ``flash`` holds vectors, code and constants;
    ``ram`` holds data, bss and stack; ``bulk`` (may be equal to ``ram``) holds
    the arena and the frame. ``vectors``: where the vector table must be, if
    not at the start of ``flash``. ``fence``: RAM that the emulator has but the
    board has not; firmware forbids it with the MPU, so it must be a power of
    two in size and aligned to that. ``emulated_flash_bytes``: flash of the
    emulator, if it has more; builds with hooks may use it.
    """

    name: str
    core: str
    machine: str
    flash: Region
    ram: Region
    bulk: Region
    vectors: Region | None = None
    fence: Region | None = None
    emulated_flash_bytes: int | None = None
    description: str = ""


def _core(name: str, *flags: str, also_runs: tuple[str, ...] = (), **features: bool) -> Core:
    return Core(name, ("-mthumb", f"-mcpu={name}", *flags), also_runs=also_runs, **features)


_HARD_FLOAT = "-mfloat-abi=hard"
_M0, _M3, _M4, _M7, _M33 = (f"cortex-m{n}" for n in (0, 3, 4, 7, 33))


CORES: dict[str, Core] = {
    c.name: c
    for c in (
        _core(_M0, short_multiply=True),
        _core(_M3, also_runs=(_M0,), long_multiply=True),
        _core(_M4, _HARD_FLOAT, "-mfpu=fpv4-sp-d16", also_runs=(_M0, _M3), dsp=True),
        _core(_M7, _HARD_FLOAT, "-mfpu=fpv5-d16", also_runs=(_M0, _M3, _M4), dsp=True),
        # An M33 has no double precision, so M7 code is not for it.
        _core(
            _M33, _HARD_FLOAT, "-mfpu=fpv5-sp-d16", also_runs=(_M0, _M3, _M4), dsp=True, armv8m=True
        ),
        _core(
            "cortex-m55", _HARD_FLOAT, also_runs=(_M0, _M3, _M4, _M7, _M33),
            dsp=True, mve=True, armv8m=True,
        ),
        Core("host", (), pc=True),
    )
}


def _flash(origin: int, size: int) -> Region:
    return Region("FLASH", "flash", origin, size)


def _ram(origin: int, size: int, name: str = "RAM") -> Region:
    return Region(name, "ram", origin, size)


_SRAM_4M = _ram(0x2000_0000, 4096 * KIB)
_SRAM_128K = _ram(0x2000_0000, 128 * KIB)
_AFTER_128K = Region("FENCE", "none", _SRAM_128K.end, 64 * KIB)

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
            vectors=Region("VECTORS", "flash", 0, 512 * KIB),
            description="Arm MPS3, Cortex-M55 with Helium",
        ),
        Board(
            "stm32f405", "cortex-m4", "netduinoplus2",
            _flash(0x0800_0000, 1024 * KIB), _SRAM_128K, _SRAM_128K, fence=_AFTER_128K,
            description="STM32F405: 1 MB flash, 128 KB RAM",
        ),
        Board(
            "stm32f446", "cortex-m4", "netduinoplus2",
            _flash(0x0800_0000, 512 * KIB), _SRAM_128K, _SRAM_128K, fence=_AFTER_128K,
            emulated_flash_bytes=1024 * KIB,
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
        raise UsageError(
            f"unknown board {name!r}", where="--board", hint=f"choose one of {', '.join(BOARDS)}"
        )
    return BOARDS[name]
