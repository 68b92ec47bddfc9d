"""Writing the output folder: complete under another name first, then moved into place."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from squeeze2c.errors import CodegenError, UsageError
from squeeze2c.export.manifest import MANIFEST_FILE

_FILES = (MANIFEST_FILE, "CMakeLists.txt", "Makefile", "README.md")
_FOLDERS = ("runtime", "profile", "reference", "build")
"""What may be in a folder beside the network's own C; ``build`` is the generated Makefile's."""


def check_output(folder: Path, force: bool) -> None:
    """Raise :class:`UsageError` unless ``folder`` may be written.

    It may where it does not exist or is empty, or, with ``force``, where
    squeeze2c wrote it before: ``force`` never deletes anything else, but for
    what the generated Makefile makes.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError("exists and is not a folder", where=str(folder), hint="choose another -o")
    if folder.resolve() == Path.cwd():
        raise UsageError(
            "the current folder cannot be replaced", where=str(folder), hint="choose another -o"
        )
    if not any(folder.iterdir()):
        return
    if not force:
        raise UsageError(
            "output folder exists", where=str(folder), hint="use --force to replace it"
        )
    name = _generated_name(folder)
    if name is None:
        raise UsageError(
            "folder was not written by squeeze2c, so --force does not replace it",
            where=str(folder),
            hint="choose another -o, or empty the folder yourself",
        )
    foreign = next((p for p in sorted(folder.iterdir()) if not _is_generated(p, name)), None)
    if foreign is not None:
        raise UsageError(
            f"{foreign.name} is not from squeeze2c, so --force does not replace the folder",
            where=str(folder),
            hint="move it elsewhere, or choose another -o",
        )


def _generated_name(folder: Path) -> str | None:
    """The network's name in the folder's manifest; None where squeeze2c did not write it."""
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        return str(manifest["name"]) if "squeeze2c_version" in manifest else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _is_generated(path: Path, name: str) -> bool:
    """Whether an entry of a folder with network ``name`` is one that squeeze2c or make wrote."""
    if path.name in _FOLDERS:
        return path.is_dir()
    return path.name in _FILES or bool(re.fullmatch(rf"{re.escape(name)}(_\w+)?\.[ch]", path.name))


def write_folder(folder: Path, files: Mapping[str, bytes], force: bool = False) -> None:
    """Write ``files`` (relative path to content) as ``folder``, replacing it as a whole.

    Raises :class:`UsageError` as :func:`check_output` does, and
    :class:`CodegenError` where the disk refuses; then nothing has changed.
    """
    check_output(folder, force)
    temporary: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        complete = temporary / "new"
        for name, content in files.items():
            path = complete / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        _replace(folder, complete, temporary / "old")
    except OSError as error:
        raise CodegenError(
            f"cannot write the output folder: {error.strerror or error}", where=str(folder)
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _replace(folder: Path, complete: Path, old: Path) -> None:
    """Move ``complete`` to ``folder``; what was there comes back if that fails."""
    existed = folder.exists()
    if existed:
        os.rename(folder, old)
    try:
        os.rename(complete, folder)
    except OSError:
        if existed:
            os.rename(old, folder)
        raise
