"""Where the C runtime and the templates are: inside an installed wheel, or in the checkout."""

from __future__ import annotations

from pathlib import Path

from squeeze2c.errors import InternalError

_PACKAGE = Path(__file__).resolve().parent


def templates_dir() -> Path:
    """Folder of the Jinja templates."""
    return _find("templates")


def runtime_dir() -> Path:
    """Folder of the C runtime: ``include/``, ``src/``, ``port/``, ``profile/``, ``host/``."""
    return _find("runtime_c")


def _find(name: str) -> Path:
    for base in (_PACKAGE / "_data", _PACKAGE.parent):
        if (base / name).is_dir():
            return base / name
    raise InternalError(f"{name}/ is neither in the package nor beside it")
