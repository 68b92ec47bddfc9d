"""Builds the kernels of ``runtime_c`` as a shared library and calls them through cffi.

Every buffer that a kernel sees is a piece of C memory of its own. In a plain build it lies
between canaries, which :meth:`Memory.check` inspects; in a sanitised build it has exactly the
size that the kernel may touch, and AddressSanitizer watches both ends.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cffi
import numpy as np

from squeeze2c.resources import runtime_dir
from tests.support.tools import require_tool

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror")
SHIM = Path(__file__).parent / "c" / "shim.c"
SANITISED_LIBRARY = "S2C_SANITISED_LIBRARY"
"""Names a library under AddressSanitizer that takes the place of all others."""
_HEADERS = ("s2c.h", "s2c_kernels.h", "s2c_unpack.h")


@dataclass(frozen=True, slots=True)
class Build:
    """A compiler and its flags."""

    compiler: str
    flags: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.compiler, *self.flags))


def kernel_sources() -> list[Path]:
    """Every C file of the portable runtime."""
    return sorted((runtime_dir() / "src").glob("*.c"))


def include_flags() -> list[str]:
    return [f"-I{runtime_dir() / 'include'}", f"-I{SHIM.parent}"]


def run(command: Sequence[str | Path]) -> str:
    """Run ``command``; its standard output. A failure shows all that it printed."""
    result = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}"
    return result.stdout


def build_library(build: Build, folder: Path) -> Path:
    """All kernels and the shim as one shared library; built once, in ``folder``.

    Processes that share the tests share the libraries as well, in a folder above theirs.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent.parent / "kernels"
        folder.mkdir(exist_ok=True)
    library = folder / (re.sub(r"[^0-9A-Za-z]+", "_", str(build)) + ".so")
    with library.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not library.exists():
            sources = [*kernel_sources(), SHIM]
            run(
                [build.compiler, *WARNINGS, *build.flags, "-shared", "-fPIC", *include_flags(),
                 *sources, "-o", library]
            )
    return library


def declarations() -> str:
    """What cffi needs of the headers: comments, preprocessor lines and C++ guards removed."""
    paths = [runtime_dir() / "include" / name for name in _HEADERS]
    text = "\n".join(p.read_text() for p in (*paths, SHIM.with_suffix(".h")))
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    text = re.sub(r"#ifdef __cplusplus\n.*?#endif", "", text, flags=re.DOTALL)
    text = text.replace("\\\n", " ")
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def load_kernels(build: Build, folder: Path) -> Kernels:
    """The kernels of ``build``, or the sanitised ones where the environment names them."""
    if SANITISED_LIBRARY in os.environ:
        return Kernels(Path(os.environ[SANITISED_LIBRARY]), guard_bytes=0)
    require_tool(build.compiler)
    return Kernels(build_library(build, folder))


class Memory:
    """C memory of ``count`` elements at ``address``, as ``array`` in Python.

    ``shift_bytes`` moves it off the alignment of malloc. ``guard_bytes`` of canary lie on
    either side. Content is garbage until written.
    """

    def __init__(
        self, kernels: Kernels, count: int, dtype: str = "uint8", shift_bytes: int = 0
    ) -> None:
        size = count * np.dtype(dtype).itemsize
        guard = kernels.guard_bytes
        before = guard + shift_bytes
        self._free = kernels.libc.free
        self._block = kernels.libc.malloc(before + size + guard)
        whole = np.frombuffer(kernels.ffi.buffer(self._block, before + size + guard), np.uint8)
        whole[:] = _canary(len(whole))
        self._low, self._high = whole[:before], whole[before + size :]
        self.array: np.ndarray = whole[before : before + size].view(dtype)
        self.address = kernels.ffi.cast("uint8_t *", self._block) + before

    def __del__(self) -> None:
        self._free(self._block)

    def check(self) -> None:
        """Both canaries are untouched."""
        before, size, after = len(self._low), self.array.nbytes, len(self._high)
        expected = _canary(before + size + after)
        np.testing.assert_array_equal(self._low, expected[:before], "written before the buffer")
        np.testing.assert_array_equal(
            self._high, expected[before + size :], "written behind the buffer"
        )


def _canary(length: int) -> np.ndarray:
    return (np.arange(length, dtype=np.uint32) * 37 + 0xA5).astype(np.uint8)


class Kernels:
    """A loaded library. ``lib`` holds the C functions."""

    def __init__(self, library: Path, guard_bytes: int = 64) -> None:
        self.ffi = cffi.FFI()
        self.ffi.cdef(declarations())
        self.ffi.cdef("void *malloc(size_t); void free(void *);")
        self.libc: Any = self.ffi.dlopen(None)
        self.lib: Any = self.ffi.dlopen(str(library))
        self.guard_bytes = guard_bytes

    def memory(self, content: np.ndarray, shift_bytes: int = 0) -> Memory:
        """C memory that holds ``content``, flattened."""
        memory = Memory(self, content.size, content.dtype.name, shift_bytes)
        memory.array[:] = content.ravel()
        return memory

    def room(self, count: int, dtype: str = "uint8", shift_bytes: int = 0) -> Memory:
        """C memory for ``count`` elements of garbage."""
        return Memory(self, count, dtype, shift_bytes)

    def pointer(self, memory: Memory, kind: str) -> Any:
        return self.ffi.cast(f"{kind} *", memory.address)
