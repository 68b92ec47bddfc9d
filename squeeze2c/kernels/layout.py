"""Weights in the order in which kernels read them."""

from __future__ import annotations

import numpy as np

QUAD = 4
"""Taps that the DSP extension expands at once: the bytes of one word."""


BLOCK_CHANNELS = 16
"""Output channels that a PC's vectors hold at once."""


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


def blocked_bytes(outputs: int, kernel_rows: int, row_taps: int) -> int:
    """Size of the weights of :func:`block_weights`; ``row_taps``: in a row of the window."""
    blocks = -(-outputs // BLOCK_CHANNELS)
    return blocks * BLOCK_CHANNELS * kernel_rows * padded_taps(row_taps)


def block_weights(weight: np.ndarray) -> np.ndarray:
    """Weights int8 (outputs, rows, columns, inputs) for kernels that read blocks of channels.

    int8, flat: by block, row of the window, quad of the taps of that row, channel of the block, and
    tap of the quad. What fills up the last block and the last quad of a row is zero.
    """
    outputs, kernel_rows, kernel_cols, inputs = weight.shape
    segment = kernel_cols * inputs
    blocks = -(-outputs // BLOCK_CHANNELS)
    whole = np.zeros((blocks * BLOCK_CHANNELS, kernel_rows, padded_taps(segment)), np.int8)
    whole[:outputs, :, :segment] = weight.reshape(outputs, kernel_rows, segment)
    quads = whole.reshape(blocks, BLOCK_CHANNELS, kernel_rows, -1, QUAD)
    return np.ascontiguousarray(quads.transpose(0, 2, 3, 1, 4)).ravel()
