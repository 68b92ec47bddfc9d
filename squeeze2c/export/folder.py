"""Writing the output folder: complete under another name first, then moved into place."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from squeeze2c.errors import CodegenError, UsageError
from squeeze2c.export.manifest import MANIFEST_FILE


def check_output(folder: Path, force: bool) -> None:
    """Raise :class:`UsageError` unless ``folder`` may be written.

    It may where it does not exist or is empty, or, with ``force``, where
    squeeze2c wrote it before: ``force`` never deletes anything else.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError("exists and is not a folder", where=str(folder), hint="choose another -o")
    if not any(folder.iterdir()):
        return
    if not force:
        raise UsageError(
            "output folder exists", where=str(folder), hint="use --force to replace it"
        )
    if not (folder / MANIFEST_FILE).is_file():
        raise UsageError(
            "folder was not written by squeeze2c, so --force does not replace it",
            where=str(folder),
            hint="choose another -o, or empty the folder yourself",
        )


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
