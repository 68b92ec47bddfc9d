"""Which files of ``runtime_c/`` a model needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from squeeze2c.errors import InternalError
from squeeze2c.kernels import KernelSpec, support_files
from squeeze2c.resources import runtime_dir

RUNTIME_FOLDER = "runtime"
HELPERS = ("s2c_crc32.c", "s2c_softmax_q16.c", "s2c_status.c", "s2c_top_k.c")
PROFILE_FOLDER = "profile"
PROFILE = ("s2c_ticks.c", "s2c_ticks.h")
UNPACK = ("s2c_unpack_prepare.c", "s2c_unpack_rounds.c", "s2c_unpack_tile.c")
HEADERS_OF_MODEL = ("s2c.h", "s2c_hooks.h", "s2c_input.h", "s2c_kernels.h", "s2c_rows.h")
"""What a generated model includes itself."""

_INCLUDE = re.compile(r'^\s*#\s*include\s+"(s2c[a-z0-9_]*\.h)"', re.MULTILINE)


def runtime_files(kernels: Iterable[KernelSpec], unpack: bool = False) -> dict[str, bytes]:
    """Path in the output folder to content: kernels, helpers, and all headers they include.

    ``unpack``: the decoder of packed weights too.
    """
    decoder = UNPACK if unpack else ()
    own = {name for k in kernels for name in (k.source_file, *support_files(k, unpack))}
    sources = sorted({*HELPERS, *decoder, *own})
    files = {name: _read(runtime_dir() / "src" / name) for name in sources}
    pending = [*HEADERS_OF_MODEL, *(("s2c_packed_conv2d.h",) if unpack else ())]
    for content in list(files.values()):
        pending += _includes(content)
    while pending:
        name = pending.pop()
        if name not in files:
            files[name] = _read(runtime_dir() / "include" / name)
            pending += _includes(files[name])
    return {f"{RUNTIME_FOLDER}/{name}": files[name] for name in sorted(files)}


def profile_files() -> dict[str, bytes]:
    """Path in the output folder to content: hooks that time layers, for who wants to build them."""
    return {f"{PROFILE_FOLDER}/{name}": _read(runtime_dir() / "profile" / name) for name in PROFILE}


def _includes(content: bytes) -> list[str]:
    return _INCLUDE.findall(content.decode())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InternalError(f"the C runtime lacks {path.name}") from error
