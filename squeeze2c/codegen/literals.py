"""Numbers and text as C source."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from squeeze2c.errors import CodegenError

LINE_CHARACTERS = 98


def float_literal(value: float) -> str:
    """A C99 ``float`` constant with enough digits to give ``value`` as float32 back."""
    if not math.isfinite(value):
        raise CodegenError(f"{value} cannot be written as a C constant")
    text = f"{np.float32(value):.9g}"
    if not any(c in text for c in ".e"):
        text += ".0"
    return f"{text}f"


def word_lines(content: bytes) -> tuple[str, ...]:
    """``content`` (whole little-endian 32-bit words) as lines of hexadecimal constants.

    Eleven characters for four bytes: compact enough that editors and compilers
    stay quick with a megabyte of weights.
    """
    words = np.frombuffer(content, "<u4")
    return _filled(f"0x{w:08x}," for w in words.tolist())


def decimal_lines(values: np.ndarray) -> tuple[str, ...]:
    """Integer ``values`` of at most 32 bits as lines of decimal constants.

    The least int32 has no literal of its own type in C, so it is refused.
    """
    if values.size and int(values.min()) == -(2**31):
        raise CodegenError("-2^31 cannot be written as an int32_t constant")
    return _filled(f"{v}," for v in values.ravel().tolist())


def comment_text(text: str) -> str:
    """``text`` safe inside a C comment: ASCII without backslashes, which would join lines,
    and neither the beginning nor the end of a comment.
    """
    plain = "".join(c if " " <= c <= "~" and c != "\\" else "?" for c in text)
    return plain.replace("*/", "* /").replace("/*", "/ *").replace("??/", "?? /")


def _filled(items: Iterable[str]) -> tuple[str, ...]:
    lines: list[str] = []
    line = ""
    for item in items:
        if len(line) + len(item) > LINE_CHARACTERS:
            lines.append(line)
            line = ""
        line += item
    if line:
        lines.append(line)
    return tuple(lines)
