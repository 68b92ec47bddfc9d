"""Facts about RAM that become known only after a folder was generated, in its manifest."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

from squeeze2c.export.artifact import Artifact
from squeeze2c.export.manifest import MANIFEST_FILE, manifest_text


def with_ram_facts(manifest: str, **facts: int | str | None) -> str:
    """The text ``manifest`` with ``facts`` set below its key ``ram``."""
    document = json.loads(manifest)
    document["ram"].update(facts)
    return manifest_text(document)


def record_stack(artifact: Artifact, stack_bytes: int, board: str) -> None:
    """Write the stack that the model was measured to use on ``board`` into its manifest.

    The file is replaced at once, so that nobody reads half of it. A folder that cannot be
    written, such as one on a read-only medium, stays as it is.
    """
    file = artifact.folder / MANIFEST_FILE
    with contextlib.suppress(OSError):
        text = with_ram_facts(
            file.read_text(encoding="utf-8"),
            stack_measured_bytes=stack_bytes,
            stack_measured_board=board,
        )
        _replace(file, text)


def _replace(file: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(temporary, file.stat().st_mode & 0o777)
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise
