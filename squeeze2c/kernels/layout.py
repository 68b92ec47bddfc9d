"""Weights in the order in which kernels read them."""

from __future__ import annotations

import numpy as np

QUAD = 4
"""Taps that the DSP extension expands at once: the bytes of one word."""


def padded_taps(taps: int) -> int:
    """``taps`` rounded up to whole quads."""
    return -(-taps // QUAD) * QUAD


def pair_weights(weight: np.ndarray) -> np.ndarray:
    """Weights int8 (outputs, taps) for kernels that read pairs of channels: int16, flat.

    A number is ``256 * second + first`` modulo 2^16 of one tap; a missing second channel is
    zero, and so are taps that fill up the last quad. Per pair: of each quad taps 0 and 2,
    then of each quad taps 1 and 3, as ``UXTB16`` expands the bytes of the input.
    """
    outputs, taps = weight.shape
    even = np.zeros((-(-outputs // 2) * 2, padded_taps(taps)), np.int32)
    even[:outputs, :taps] = weight
    pairs = 256 * even[1::2] + even[::2]
    quads = pairs.reshape(len(pairs), -1, QUAD)
    order = np.concatenate([quads[:, :, 0::2], quads[:, :, 1::2]], axis=1)
    return order.astype(np.int16).ravel()
