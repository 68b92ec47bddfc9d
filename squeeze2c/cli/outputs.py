"""Files that commands write beside what they print."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from squeeze2c.errors import UsageError

STDOUT = "-"
"""Instead of the name of a file."""


def check_file(path: Path, option: str) -> None:
    """Raise :class:`UsageError` where no file can be written to ``path``, which ``option`` names.

    For commands that work long before they write.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder", where=option, hint="name a file in it")
    if not path.parent.is_dir():
        raise UsageError(
            f"{path}: there is no folder {path.parent}", where=option, hint="create it first"
        )


def json_text(document: Mapping[str, Any]) -> str:
    """``document`` as every command writes it, with a line break at its end."""
    return json.dumps(plain(document), indent=2, allow_nan=False) + "\n"


def plain(item: Any) -> Any:
    """``item`` in JSON types; numbers that JSON cannot say (infinite, undefined) become null."""
    if isinstance(item, Mapping):
        return {str(k): plain(v) for k, v in item.items()}
    if isinstance(item, list | tuple):
        return [plain(i) for i in item]
    if isinstance(item, float) and not math.isfinite(item):
        return None
    return item
