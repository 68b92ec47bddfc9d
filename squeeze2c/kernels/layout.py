"""Weights in the order in which kernels read them."""

from __future__ import annotations

import numpy as np

QUAD = 4
"""Taps that the DSP extension expands at once: the bytes of one word."""


BLOCK_CHANNELS = 16
"""Output channels that a PC's vectors hold at once."""

BLOCK = 16
"""Taps that Helium multiplies at once: the bytes of a vector."""
SIGNED_CHANNELS = 4
"""Output channels that its kernels finish together."""
SIGNED_MULTIPLIER_SHIFT = 7
"""S2C_MVE_MULTIPLIER_SHIFT."""


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


def block_taps(taps: int) -> int:
    """``taps`` rounded up to whole blocks."""
    return -(-taps // BLOCK) * BLOCK


def signed_channels(outputs: int) -> int:
    """``outputs`` rounded up to what kernels for Helium finish together."""
    return -(-outputs // SIGNED_CHANNELS) * SIGNED_CHANNELS


def signed_constants(
    weight: np.ndarray, bias: np.ndarray, multiplier: np.ndarray, row_blocks: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Weights int8 (outputs, taps), and biases with multipliers int32 for Helium.

    Its vectors multiply signed bytes, so kernels read ``x - 128`` and biases are
    ``bias + 128 * sum(weight)``. That is the accumulator of an input of nothing but 128, so it
    fits int32 where all accumulators do. Multipliers are 128 times theirs. Zeros fill up
    blocks of taps and quads of channels. Blocks of two channels take turns; per quad come bias 0
    and 2, multiplier 0 and 2, then those of channels 1 and 3.

    ``row_blocks``: blocks of channels of an input pixel for kernels for 3x3 windows, which read
    (row, block, column) in place of (row, column, block); otherwise 0.
    """
    outputs, taps = weight.shape
    rows = signed_channels(outputs)
    padded = np.zeros((rows, block_taps(taps)), np.int8)
    padded[:outputs, :taps] = weight
    if row_blocks:
        blocks = padded.reshape(rows, 3, 3, row_blocks, BLOCK)
        padded = blocks.swapaxes(2, 3).reshape(rows, -1)
    pairs = padded.reshape(rows // 2, 2, -1, BLOCK).swapaxes(1, 2)
    numbers = np.zeros((2, rows), np.int64)
    numbers[0, :outputs] = bias + 128 * weight.astype(np.int64).sum(axis=1)
    numbers[1, :outputs] = multiplier.astype(np.int64) << SIGNED_MULTIPLIER_SHIFT
    # (what, quad, channel // 2, channel % 2) to (quad, channel % 2, what, channel // 2)
    quads = numbers.reshape(2, -1, 2, 2).transpose(1, 3, 0, 2)
    return np.ascontiguousarray(pairs), quads.astype(np.int32).ravel()
