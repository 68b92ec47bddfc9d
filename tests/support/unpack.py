"""Calls the C decoder of packed weights, on memory that is watched at both ends."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cffi
import numpy as np

from squeeze2c.entropy import PackedLayer, encode_layer
from squeeze2c.resources import runtime_dir
from tests.support.kernel_library import WARNINGS, Build, Kernels, Memory, run
from tests.support.tools import require_tool

OK, ERROR_NULL, ERROR_CRC, ERROR_ARGUMENT = 0, 1, 5, 6
TABLE_WORDS = 512
SANITISED_UNPACK = "S2C_SANITISED_UNPACK"
"""Names a library under AddressSanitizer that takes the place of all others."""


def unpack_sources() -> list[Path]:
    """The C files of the decoder; they need no others."""
    return sorted((runtime_dir() / "src").glob("s2c_unpack_*.c"))


def build_unpacker(build: Build, folder: Path) -> Path:
    """The decoder as a shared library in ``folder``; built once."""
    library = folder / (re.sub(r"[^0-9A-Za-z]+", "_", f"unpack {build}") + ".so")
    if not library.exists():
        flags = [*WARNINGS, *build.flags, "-shared", "-fPIC", f"-I{runtime_dir() / 'include'}"]
        run([build.compiler, *flags, *unpack_sources(), "-o", library])
    return library


class UnpackKernels(Kernels):
    """The loaded decoder."""

    def __init__(self, library: Path, guard_bytes: int = 64) -> None:
        include = runtime_dir() / "include"
        headers = ("s2c.h", "s2c_kernels.h", "s2c_unpack.h")
        text = "".join((include / name).read_text() for name in headers)
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
        text = re.sub(r"#ifdef __cplusplus\n.*?#endif", "", text, flags=re.DOTALL)
        text = re.sub(r"^\s*#.*$", "", text.replace("\\\n", " "), flags=re.MULTILINE)
        self.ffi = cffi.FFI()
        self.ffi.cdef(text + "void *malloc(size_t); void free(void *);")
        self.libc: Any = self.ffi.dlopen(None)
        self.lib: Any = self.ffi.dlopen(str(library))
        self.guard_bytes = guard_bytes


def load_unpacker(build: Build, folder: Path) -> UnpackKernels:
    """The decoder of ``build``, or the sanitised one where the environment names it."""
    if SANITISED_UNPACK in os.environ:
        return UnpackKernels(Path(os.environ[SANITISED_UNPACK]), guard_bytes=0)
    require_tool(build.compiler)
    return UnpackKernels(build_unpacker(build, folder))


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the C decoder wrote for one tile, and the status that it returned."""

    status: int
    weights: np.ndarray
    bias: np.ndarray
    multiplier: np.ndarray


class Unpacker:
    """One layer in C memory: every array has exactly its size."""

    def __init__(
        self,
        kernels: Kernels,
        packed: PackedLayer,
        multipliers: np.ndarray,
        bias_shift: int = 0,
        **changes: int,
    ) -> None:
        """``changes`` replace fields of the descriptor."""
        self._kernels = kernels
        self._packed = packed
        self._memory: dict[str, Memory] = {}
        self.layer = kernels.ffi.new("s2c_packed_layer *")
        self._put("stream", np.frombuffer(packed.stream, np.uint32), "uint32_t")
        self._put("table", np.frombuffer(packed.table, np.uint8), "uint8_t")
        self._put("tile_offset", np.array(packed.tile_offsets, np.uint16), "uint16_t")
        self._put("bias", np.frombuffer(packed.bias, np.int8), "int8_t")
        if packed.multiplier_index:
            index = np.frombuffer(packed.multiplier_index, np.uint8)
            self._put("multiplier_index", index, "uint8_t")
        self._put("multiplier", multipliers.astype(np.int32), "int32_t")
        fields = {
            "stream_words": len(packed.stream) // 4,
            "taps": packed.taps,
            "out_channels": packed.out_channels,
            "tile_channels": packed.tile_channels,
            "table_bytes": len(packed.table),
            "offset_shift": packed.offset_shift,
            "bias_shift": bias_shift,
            "multiplier_count": len(multipliers),
            **changes,
        }
        for name, value in fields.items():
            setattr(self.layer, name, value)
        self._table = kernels.room(TABLE_WORDS, "uint32")

    def _put(self, field: str, content: np.ndarray, kind: str) -> None:
        memory = self._kernels.memory(content)
        self._memory[field] = memory
        setattr(self.layer, field, self._kernels.pointer(memory, kind))

    def prepare(self) -> int:
        """Build the decode table; the status."""
        status: int = self._kernels.lib.s2c_unpack_prepare(self.layer, self._ram())
        self._check()
        return status

    def table(self) -> np.ndarray:
        """The decode table."""
        return self._table.array.copy()

    def tile(self, tile: int, shift_bytes: int = 0) -> Decoded:
        """Decode ``tile`` to weights that lie ``shift_bytes`` off the alignment of malloc."""
        channels = max(len(self._packed.channels(tile)), 1)
        taps = self._packed.taps
        weights = self._kernels.room(channels * taps, "int8", shift_bytes)
        bias = self._kernels.room(channels, "int32")
        multiplier = self._kernels.room(channels, "int32")
        status = self._kernels.lib.s2c_unpack_tile(
            self.layer,
            self._ram(),
            tile,
            self._kernels.pointer(weights, "int8_t"),
            self._kernels.pointer(bias, "int32_t"),
            self._kernels.pointer(multiplier, "int32_t"),
        )
        for memory in (weights, bias, multiplier):
            memory.check()
        self._check()
        return Decoded(
            status,
            weights.array.reshape(channels, taps).copy(),
            bias.array.copy(),
            multiplier.array.copy(),
        )

    def _ram(self) -> Any:
        return self._kernels.pointer(self._table, "uint32_t")

    def _check(self) -> None:
        for memory in (*self._memory.values(), self._table):
            memory.check()


def laplace(shape: tuple[int, int], spread: float, seed: int = 0, dense: float = 1.0) -> np.ndarray:
    """int8 weights as low-bit networks have them; all but a share ``dense`` of them 0."""
    random = np.random.default_rng(seed)
    weights = np.clip(np.rint(random.laplace(0, spread, shape)), -127, 127)
    return np.where(random.random(shape) < dense, weights, 0).astype(np.int8)


def extreme_layers() -> dict[str, np.ndarray]:
    """Weights of one layer each: distributions and shapes at the limits."""
    random = np.random.default_rng(1)
    uniform = np.arange(-127, 128, dtype=np.int8)
    geometric = np.repeat(np.arange(12, dtype=np.int8), 2 ** np.arange(12)[::-1])
    rare = np.zeros((8, 64), np.int8)
    rare[3, 17], rare[5, 60] = 127, -127
    return {
        "one weight": np.array([[-77]], np.int8),
        "one zero": np.zeros((1, 1), np.int8),
        "all zero": np.zeros((5, 100), np.int8),
        "all 127": np.full((3, 50), 127, np.int8),
        "all -128": np.full((3, 50), -128, np.int8),
        "all 5": np.full((7, 33), 5, np.int8),
        "two values": random.choice(np.array([-1, 1], np.int8), (6, 40)),
        "far apart": random.choice(np.array([-128, 127], np.int8), (6, 40)),
        "rarely another": rare,
        "255 values": np.tile(random.permutation(uniform), (17, 3)),
        "256 values": np.tile(np.arange(-128, 128, dtype=np.int8), (4, 1)),
        "geometric": random.permutation(geometric)[:4095].reshape(9, 455),
        "one tap": laplace((100, 1), 4),
        "one channel": laplace((1, 4608), 2),
        "many taps": laplace((5, 4608), 3, dense=0.6),
        "dense 3 bits": laplace((40, 144), 1.6),
        "sparse 8 bits": laplace((33, 288), 40, dense=0.3),
        "very sparse": laplace((20, 300), 40, dense=0.01),
        "wide": laplace((24, 576), 30),
    }


def pack(weights: np.ndarray, tile_channels: int = 16, seed: int = 2) -> PackedLayer:
    """``weights`` with random biases and multiplier indices."""
    random = np.random.default_rng(seed)
    return encode_layer(
        weights,
        random.integers(-128, 128, len(weights)).astype(np.int8),
        random.integers(0, 16, len(weights)).astype(np.uint8),
        tile_channels,
    )
