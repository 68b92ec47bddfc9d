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
SCRATCH_BYTES, STRIPS_SCRATCH_BYTES = 8 << 10, 64 << 10
"""Of columns, about; more of them share the work of expanding the weights."""
LEAST_GROUPS = 2
_TAP_BYTES = 8
_FIXED_BYTES = 92
_LARGEST = 255

_found: dict[tuple[int, int], tuple[weakref.ref[np.ndarray], int]] = {}


def blocks_of(taps: int) -> int:
    """Blocks of taps of an output channel, the first of which may be incomplete."""
    return -(-taps // BLOCK)


def scratch_bytes(taps: int, groups: int) -> int:
    """``S2C_CONV2D_4X3_SCRATCH_BYTES``."""
    return _FIXED_BYTES + _TAP_BYTES * taps * (1 + groups) + 4 * blocks_of(taps)


def groups_at_once(taps: int, pixels: int, strips: bool) -> int:
    """Groups of four pixels that are expanded at once, of ``pixels`` in a row.

    At least one; all of equal size where that takes no more passes.
    """
    whole = -(-pixels // PIXELS)
    limit = STRIPS_SCRATCH_BYTES if strips else SCRATCH_BYTES
    most = max(limit // (_TAP_BYTES * taps), LEAST_GROUPS)
    passes = -(-whole // most)
    return -(-whole // passes)


def groups_in(scratch: int, taps: int) -> int:
    """The groups that ``scratch`` bytes are for."""
    return (scratch - scratch_bytes(taps, 0)) // (_TAP_BYTES * taps)


def part_blocks(weight: np.ndarray, tile_channels: int = 0) -> int:
    """Blocks of a part for weights int8 (outputs, ...): as many as are proven to be exact.

    ``tile_channels``: where triples of channels begin anew, 0 for nowhere.
    """
    key = (id(weight), tile_channels)
    if key in _found and _found[key][0]() is weight:
        return _found[key][1]
    result = _part_blocks(weight.reshape(len(weight), -1), tile_channels or len(weight))
    _found[key] = (weakref.ref(weight), result)
    return result


def _part_blocks(matrix: np.ndarray, tile_channels: int) -> int:
    outputs, taps = matrix.shape
    blocks = blocks_of(taps)
    tile = -(-tile_channels // CHANNELS) * CHANNELS
    tiles = -(-outputs // tile_channels)
    padded = np.zeros((tiles, tile, blocks * BLOCK), np.int32)
    for index in range(tiles):
        part = matrix[index * tile_channels : (index + 1) * tile_channels]
        padded[index, : len(part), blocks * BLOCK - taps :] = part
    per_block = [
        _LARGEST * side.reshape(-1, CHANNELS, blocks, BLOCK).sum(axis=3)
        for side in (np.maximum(padded, 0), np.maximum(-padded, 0))
    ]
    for parts in range(1, blocks + 1):
        length = -(-blocks // parts)
        starts = np.arange(0, blocks, length)
        sums = [np.add.reduceat(side, starts, axis=2) for side in per_block]
        if all((s[:, 0] + s[:, other] < FIELD_LIMIT).all() for s in sums for other in (1, 2)):
            return length
    raise InternalError("a block of taps leaves its fields")
