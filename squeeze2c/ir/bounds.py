"""What integer layers can reach at most: the bounds behind every proof against overflow.

All are exact over all uint8 inputs; arrays are int64, one value per output channel.
"""

from __future__ import annotations

import numpy as np

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1
GREATEST_UINT8 = 255


def largest_partial_sum(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Magnitude that no partial sum exceeds, in whatever order bias and products are added.

    ``weight`` (O, ...), ``bias`` (O,). Nor does any sum of products without the bias.
    """
    products = np.abs(_matrix(weight)).sum(axis=1)
    bound: np.ndarray = np.abs(bias.astype(np.int64)) + GREATEST_UINT8 * products
    return bound


def accumulator_range(weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest accumulator; a sum that begins with the bias never leaves the range."""
    matrix, start = _matrix(weight), bias.astype(np.int64)
    low = start + GREATEST_UINT8 * np.minimum(matrix, 0).sum(axis=1)
    high = start + GREATEST_UINT8 * np.maximum(matrix, 0).sum(axis=1)
    return low, high


def requantised_range(
    weight: np.ndarray, bias: np.ndarray, multiplier: np.ndarray, shift: int
) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest result of requantising an accumulator that fits int32."""
    half, factor = 1 << (shift - 1), multiplier.astype(np.int64)
    low, high = accumulator_range(weight, bias)
    return (low * factor + half) >> shift, (high * factor + half) >> shift


def sum_fits(low: np.ndarray, high: np.ndarray, pixels: int) -> bool:
    """Whether sums of up to ``pixels`` results between ``low`` and ``high`` stay within int32."""
    least, greatest = int(low.min(initial=0)), int(high.max(initial=0))
    return least * pixels >= INT32_MIN and greatest * pixels <= INT32_MAX


def _matrix(weight: np.ndarray) -> np.ndarray:
    matrix: np.ndarray = weight.reshape(len(weight), -1).astype(np.int64)
    return matrix
