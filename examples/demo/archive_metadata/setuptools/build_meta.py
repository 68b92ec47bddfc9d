"""A build backend that runs nothing of the package that it is asked about.

pip wants the metadata of a source archive before it keeps it, for which setuptools would
run the archive's ``setup.py``. This backend reads ``PKG-INFO`` instead. It is found in
place of setuptools where this folder's parent is on PYTHONPATH.
"""

from __future__ import annotations

import email
from pathlib import Path
from typing import Any


def prepare_metadata_for_build_wheel(metadata_directory: str, *_: Any, **__: Any) -> str:
    """Write a ``.dist-info`` made of the archive's PKG-INFO; its name."""
    text = Path("PKG-INFO").read_text(encoding="utf-8")
    fields = email.message_from_string(text)
    folder = Path(metadata_directory) / f"{fields['Name']}-{fields['Version']}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(text, encoding="utf-8")
    return folder.name


class _Legacy:
    """What pip asks for where an archive has no pyproject.toml."""

    prepare_metadata_for_build_wheel = staticmethod(prepare_metadata_for_build_wheel)


__legacy__ = _Legacy()
