"""Edits of generated C that give firmware something to stumble over."""

from __future__ import annotations

from collections.abc import Callable

MODEL = "tiny"


LAST = f"{MODEL}_finish"
"""What the harness calls last for an image that is pushed."""


def insert_at_end(statement: str) -> Callable[[str], str]:
    """An edit of the model's C file: ``statement`` runs at the end of :data:`LAST`."""

    def edit(text: str) -> str:
        start = text.index(f"s2c_status {LAST}(")
        end = text.index("    return S2C_OK;", start)
        return f"{text[:end]}    {statement}\n{text[end:]}"

    return edit


def replace_once(old: str, new: str) -> Callable[[str], str]:
    """An edit: the first ``old`` becomes ``new``."""

    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return edit
