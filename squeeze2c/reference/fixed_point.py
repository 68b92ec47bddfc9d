"""Fixed-point rounding: the specification that ``s2c_requantise.h`` repeats in C."""

from __future__ import annotations

import numpy as np

MULTIPLIER_LIMIT = 1 << 23
"""Multipliers lie in [1, 2**23), so 256 * multiplier fits a signed 32-bit register."""

DEFAULT_SHIFT = 24
"""With this shift a core with SMMULR requantises in one instruction."""


def requantise(acc: np.ndarray, multiplier: np.ndarray | int, shift: int) -> np.ndarray:
    """``floor((acc * multiplier + 2**(shift-1)) / 2**shift)``: round half up, once.

    ``acc`` holds int32 values, channels last; ``multiplier`` is a scalar or one
    value per channel; ``1 <= shift <= 30``. Returns int64, exact.
    """
    product = acc.astype(np.int64) * np.asarray(multiplier, np.int64)
    quotient: np.ndarray = (product + (1 << (shift - 1))) >> shift
    return quotient


def clamp_u8(value: np.ndarray, minimum: int = 0) -> np.ndarray:
    """``value`` clamped to [minimum, 255] as uint8."""
    clamped: np.ndarray = np.clip(value, minimum, 255)
    return clamped.astype(np.uint8)


def shift_for(largest_ratio: float) -> int:
    """The shift to use where ``largest_ratio`` is the greatest real multiplier of a layer.

    :data:`DEFAULT_SHIFT` wherever the ratio is below one half, else the largest
    shift that keeps the integer multiplier below :data:`MULTIPLIER_LIMIT`.
    Raises ValueError where no shift of at least 1 can represent it.
    """
    for shift in range(DEFAULT_SHIFT, 0, -1):
        # Exact: a product with a power of two does not round.
        if largest_ratio * 2.0**shift <= MULTIPLIER_LIMIT - 1:
            return shift
    raise ValueError(f"a multiplier of {largest_ratio:g} is out of range")
