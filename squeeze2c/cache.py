"""Results on disk that take long to make, named by the hash of all that went into them.

Several processes may make the same file at the same time: each writes one of its own and
renames it into place, so that nobody ever reads half a file.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CACHE_VARIABLE = "S2C_CACHE_DIR"
"""Environment variable that names the cache folder."""

_BUILD = "build-"
"""Begins the names of folders in which files are made."""

_UNUSED_SECONDS = 30 * 24 * 3600
"""Files that nobody has read for so long are removed when a new one is added."""

_KEPT = ("*.so", "*.npz")


def cached_file(
    key: str, folder: Path | None, build: Callable[[Path], None], kind: str = "host"
) -> Path:
    """The file called ``key`` in the cache; ``build(path)`` makes it where it is missing.

    ``folder``: None means :func:`default_folder` for ``kind``.
    """
    folder = _usable(folder) if folder is not None else default_folder(kind)
    wanted = folder / key
    if _found(wanted):
        return wanted
    _remove_unused(folder)
    with tempfile.TemporaryDirectory(prefix=_BUILD, dir=folder) as work:
        fresh = Path(work) / key
        build(fresh)
        os.replace(fresh, wanted)
    return wanted


def _found(file: Path) -> bool:
    """Whether ``file`` is there. If so, it counts as used: nobody removes it from now on."""
    try:
        os.utime(file)
    except OSError:
        return file.exists()
    return True


def default_folder(kind: str) -> Path:
    """``$S2C_CACHE_DIR``, else the folder ``kind`` of squeeze2c below the user's cache
    directory, else, where that cannot be written, one that lives as long as this process."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return _usable(Path(named))
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return _usable((Path(base) if base else Path.home() / ".cache") / "squeeze2c" / kind)
    except (OSError, RuntimeError):
        return _process_folder()


def _usable(folder: Path) -> Path:
    """``folder``, made where missing (for this user alone). Raises OSError where it is no use."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} cannot be written")
    return folder


@functools.lru_cache(maxsize=1)
def _process_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="squeeze2c-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _remove_unused(folder: Path) -> None:
    """Old files go, and what killed builds left; whoever has one open keeps what it mapped."""
    oldest = time.time() - _UNUSED_SECONDS
    for item in (item for pattern in (*_KEPT, f"{_BUILD}*") for item in folder.glob(pattern)):
        with contextlib.suppress(OSError):
            if item.stat().st_mtime < oldest:
                if item.is_dir():
                    shutil.rmtree(item)
                else:
                    item.unlink()
