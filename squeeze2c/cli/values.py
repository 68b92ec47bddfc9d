"""Values of options, as text from the command line or as TOML from a configuration file.

Every reader takes the value and the name of the option, and raises UsageError.
"""

from __future__ import annotations

import re
from typing import Any

from squeeze2c.errors import UsageError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?)(?:I?B)?", re.IGNORECASE)
_UNIT_BYTES = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def read_size_bytes(value: Any, option: str) -> int:
    """Bytes: ``131072``, ``128K``, ``128KiB``, ``1.5M``. K is 1024, however it is spelled."""
    match = _SIZE.fullmatch(str(value).strip()) if _is_text_or_number(value) else None
    if match is not None:
        size = float(match[1]) * _UNIT_BYTES[match[2].upper()]
        if size >= 1 and size == int(size):
            return int(size)
    raise UsageError(
        f"{value!r} is not a size", where=option, hint="write bytes, or units: 131072, 128K, 1M"
    )


def read_shape(value: Any, option: str) -> tuple[int, int, int, int]:
    """A shape N,C,H,W of four positive integers: text or a list."""
    try:
        parts = re.split(r"[,x]", value) if isinstance(value, str) else list(value)
        if any(isinstance(p, bool | float) for p in parts):
            raise ValueError
        shape = tuple(int(p) for p in parts)
    except (TypeError, ValueError):
        shape = ()
    if len(shape) != 4 or min(shape) < 1:
        raise UsageError(
            f"{value!r} is not a shape", where=option, hint="write N,C,H,W: 1,3,224,224"
        )
    return shape[0], shape[1], shape[2], shape[3]


def read_numbers(value: Any, option: str) -> tuple[float, ...]:
    """Numbers, one per channel: text with commas, a list, or a single number."""
    try:
        if isinstance(value, str):
            return tuple(float(part) for part in value.split(","))
        items = value if isinstance(value, list) else [value]
        if any(isinstance(i, bool | str) for i in items):
            raise ValueError
        return tuple(float(i) for i in items)
    except (TypeError, ValueError):
        raise UsageError(
            f"{value!r} is not a list of numbers", where=option,
            hint="one per channel: 123.68,116.779,103.939",
        ) from None


def read_pixels(value: Any, option: str) -> int | None:
    """A positive whole number of pixels, or ``none``."""
    if isinstance(value, str) and value.lower() == "none":
        return None
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(
            f"{value!r} is not a length", where=option, hint="whole pixels, 256, or none"
        )
    return value


def read_percent(value: Any, option: str) -> float:
    """A percentage, 0 to 100: ``2``, ``0.5``, ``2%``."""
    try:
        if not _is_text_or_number(value):
            raise ValueError
        percent = float(value.strip().removesuffix("%") if isinstance(value, str) else value)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise UsageError(
            f"{value!r} is not a percentage", where=option, hint="0 to 100, for example 2"
        )
    return percent


def read_text(value: Any, option: str) -> str:
    """Text that is not empty."""
    if not isinstance(value, str) or not value:
        raise UsageError(f"{value!r} is not a text", where=option)
    return value


def read_flag(value: Any, option: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise UsageError(f"{value!r} is neither true nor false", where=option)
    return value


def _is_text_or_number(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
