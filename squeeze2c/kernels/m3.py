"""Sizes of the kernels for cores that multiply 32 by 32 bits but lack the DSP extension.

See ``runtime_c/include/s2c_conv2d_m3.h``: three sums share 64 bits, so many taps as keep
each within its field are a part.
"""

from __future__ import annotations

import weakref

import numpy as np

from squeeze2c.errors import InternalError

PIXELS = 4
CHANNELS = 3
BLOCK = 8
FIELD_LIMIT = 1 << 20
"""What the sums of a part must stay below."""
COLUMNS_BYTES = (8 << 10, 16 << 10, 32 << 10, 64 << 10)
"""Columns at once, about: more of them share the work of expanding the weights."""
LEAST_GROUPS = 2
POLY_KERNEL = 3
POLY_ROWS = 4
"""S2C_POLY3X3_ROWS."""
_TAP_BYTES = 8
_FIXED_BYTES = 164
_LARGEST = 255

_found: dict[tuple[int, int, bool], tuple[weakref.ref[np.ndarray], int]] = {}


def blocks_of(taps: int) -> int:
    """Blocks of taps of an output channel, the first of which may be incomplete."""
    return -(-taps // BLOCK)


def scratch_bytes(taps: int, groups: int) -> int:
    """``S2C_CONV2D_4X3_SCRATCH_BYTES``."""
    return _FIXED_BYTES + _TAP_BYTES * taps * (1 + groups) + 4 * blocks_of(taps)


def groups_at_once(taps: int, pixels: int, columns_bytes: int) -> int:
    """Groups of four pixels that are expanded at once, of ``pixels`` in a row.

    As many as take ``columns_bytes``, but at least two; all of equal size where that
    takes no more passes.
    """
    whole = -(-pixels // PIXELS)
    most = max(columns_bytes // (_TAP_BYTES * taps), LEAST_GROUPS)
    passes = -(-whole // most)
    return -(-whole // passes)


def groups_in(scratch: int, taps: int) -> int:
    """The groups that ``scratch`` bytes are for."""
    return (scratch - scratch_bytes(taps, 0)) // (_TAP_BYTES * taps)


def part_blocks(weight: np.ndarray, tile_channels: int = 0, poly: bool = False) -> int:
    """Blocks of a part for weights int8 OHWI: as many as are proven to be exact.

    ``tile_channels``: where triples of channels begin anew, 0 for nowhere. ``poly``: for the
    3x3 kernel that takes channels one by one and kernel rows as taps.
    """
    key = (id(weight), tile_channels, poly)
    if key in _found and _found[key][0]() is weight:
        return _found[key][1]
    if poly:
        result = _longest(_of_rows(weight))
    else:
        matrix = weight.reshape(len(weight), -1)
        result = _longest(_of_triples(matrix, tile_channels or len(weight)))
    _found[key] = (weakref.ref(weight), result)
    return result


def offset_limit(weight: np.ndarray, poly: bool = False) -> int:
    """What accumulators over ``weight`` int8 OHWI must stay below: sums of fields begin at 2^20
    for each part, of which there may be as many as the shortest parts make."""
    taps = weight[0].size // POLY_KERNEL if poly else weight[0].size
    least = 1 if poly else 2
    return (1 << 31) - FIELD_LIMIT * -(-blocks_of(taps) // least)


def _of_rows(weight: np.ndarray) -> np.ndarray:
    """Sums of the positive and of the negative weights, (sums, blocks), of each output channel."""
    taps = np.swapaxes(weight, 2, 3).astype(np.int32).reshape(len(weight), -1, POLY_KERNEL)
    return _by_block(np.stack([np.maximum(taps, 0), np.maximum(-taps, 0)]).sum(axis=3))


def _of_triples(matrix: np.ndarray, tile_channels: int) -> np.ndarray:
    """The same, of channels 0 and 1 of each triple together, and of 0 and 2."""
    outputs, taps = matrix.shape
    tile = -(-tile_channels // CHANNELS) * CHANNELS
    tiles = -(-outputs // tile_channels)
    padded = np.zeros((tiles, tile, taps), np.int32)
    for index in range(tiles):
        part = matrix[index * tile_channels : (index + 1) * tile_channels]
        padded[index, : len(part)] = part
    sides = np.stack([np.maximum(padded, 0), np.maximum(-padded, 0)])
    triples = sides.reshape(-1, CHANNELS, taps)
    return _by_block(np.stack([triples[:, 0] + triples[:, i] for i in (1, 2)]))


def _by_block(sums: np.ndarray) -> np.ndarray:
    """(..., taps) to (n, blocks), the first of which is incomplete."""
    taps = sums.shape[-1]
    flat = sums.reshape(-1, taps)
    padded = np.zeros((len(flat), blocks_of(taps) * BLOCK), np.int64)
    padded[:, padded.shape[1] - taps :] = flat
    by_block: np.ndarray = padded.reshape(len(flat), -1, BLOCK).sum(axis=2)
    return by_block


def _longest(sums: np.ndarray) -> int:
    """Blocks per part such that each of ``sums`` over a part, times 255, fits a field."""
    blocks = sums.shape[1]
    for parts in range(1, blocks + 1):
        length = -(-blocks // parts)
        of_parts = np.add.reduceat(sums, np.arange(0, blocks, length), axis=1)
        if _LARGEST * of_parts.max() < FIELD_LIMIT:
            return int(length)
    raise InternalError("a block of taps leaves its fields")


def poly_groups(cols: int) -> tuple[int, int]:
    """Groups of four and of three pairs of pixels that a row of ``cols`` pixels takes."""
    pairs = cols // 2 + 1
    groups = -(-pairs // 4)
    threes = min(4 * groups - pairs, groups)
    return groups - threes, threes


def poly_row_words(cols: int) -> int:
    """Words of a row of input for one channel: each group has one more than its pairs."""
    fours, threes = poly_groups(cols)
    return 5 * fours + 4 * threes


def poly_scratch_bytes(channels: int, cols: int, rows: int) -> int:
    """``S2C_POLY3X3_SCRATCH_BYTES`` for ``rows`` rows of output at once."""
    taps = POLY_KERNEL * channels
    words = channels * poly_row_words(cols) * (rows + POLY_KERNEL - 1)
    return _FIXED_BYTES + _TAP_BYTES * taps + 4 * blocks_of(taps) + 4 * words


def poly_rows_in(scratch: int, channels: int, cols: int) -> int:
    """The rows of output at once that ``scratch`` bytes are for."""
    row = poly_scratch_bytes(channels, cols, 1) - poly_scratch_bytes(channels, cols, 0)
    return (scratch - poly_scratch_bytes(channels, cols, 0)) // row
