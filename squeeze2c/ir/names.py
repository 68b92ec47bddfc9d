"""Names that are still free."""

from __future__ import annotations

from collections.abc import Container


def unique_name(stem: str, taken: Container[str]) -> str:
    """``stem``, or ``stem_2`` and so on where that is ``taken``."""
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem}_{count}"
    return name
