"""C identifiers: stable, unique, and recognisably the user's names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from squeeze2c.errors import UsageError

_KEYWORDS = """
    auto break case char const continue default do double else enum extern float for goto if
    inline int long register restrict return short signed sizeof static struct switch typedef
    union unsigned void volatile while _Bool _Complex _Imaginary
"""
C_KEYWORDS = frozenset(_KEYWORDS.split())

_HEADERS = """
    assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal
    stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings
    tgmath threads time uchar unistd wchar wctype
"""
C_HEADERS = frozenset(_HEADERS.split())
"""A model of such a name would have a header that hides the C library's."""


def identifier(text: str) -> str:
    """``text`` with every run of other characters than letters and digits as one underscore."""
    cleaned = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_").lower()
    return cleaned if cleaned and not cleaned[0].isdigit() else f"n{cleaned}"


def unique_identifiers(names: Iterable[str]) -> dict[str, str]:
    """An identifier per name; clashes get a number, in order."""
    result: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = identifier(name)
        candidate, number = base, 2
        while candidate in taken:
            candidate, number = f"{base}_{number}", number + 1
        taken.add(candidate)
        result[name] = candidate
    return result


def check_model_name(name: str) -> str:
    """``name`` if it can prefix C symbols. Raises :class:`UsageError` otherwise."""
    taken = name in C_KEYWORDS or name in C_HEADERS or name.startswith("s2c")
    if taken or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(
            f"{name!r} cannot prefix C symbols",
            where="--name",
            hint="use lower-case letters, digits and underscores, starting with a letter; "
            "not a C keyword, not the name of a C header and not s2c...",
        )
    return name
