"""What scratch kernels need; see ``runtime_c/include/s2c_kernels.h``."""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.ir import Graph, Window, ops
from squeeze2c.kernels import m3
from squeeze2c.kernels.catalogue import (
    CONV3X3_MVE,
    POLY_M3,
    STRIP_KERNELS,
    WINOGRAD_DSP,
    blocks_weights,
    pairs_weights,
    shares_words,
    signed_columns,
    skips_zeros,
)
from squeeze2c.kernels.layout import (
    BLOCK,
    BLOCK_CHANNELS,
    QUAD,
    block_taps,
    blocked_bytes,
    padded_taps,
    signed_channels,
)
from squeeze2c.kernels.select import WINOGRAD_ROWS, rows_at_once
from squeeze2c.kernels.sparse import SPARSE_TAP_BYTES
from squeeze2c.kernels.spec import KernelSpec

_COLUMN_ITEM_BYTES = 2
_ROOM_BLOCKS = 3
_WORD_BYTES = 4

UNPACK_TABLE_BYTES = 2048
"""S2C_UNPACK_TABLE_BYTES: the decode table of a layer with packed weights."""

TILE_BYTES = (4096, 8192, 12288, 16384, 24576, 32768)
"""Weights of a tile, about: every tile expands its columns anew, so larger ones are faster."""
TILE_MULTIPLE = 4
LEAST_TILE_CHANNELS = 8


@dataclass(frozen=True, slots=True)
class TileScratch:
    """The scratch of a layer with packed weights: columns, then what is decoded.

    That is the decode table, biases, multipliers and weights of one tile; see
    ``s2c_packed_conv2d.h``.
    """

    decoded_offset_bytes: int
    size_bytes: int


def tile_scratch(
    kernel: KernelSpec, columns_bytes: int, taps: int, tile_channels: int, kernel_rows: int = 1
) -> TileScratch:
    """The scratch of a layer whose weights are decoded ``tile_channels`` channels at a time.

    ``kernel_rows``: of its window, which holds ``taps``.
    """
    decoded = -(-columns_bytes // _WORD_BYTES) * _WORD_BYTES
    weights = tile_channels * taps
    if pairs_weights(kernel):
        weights = (tile_channels + tile_channels % 2) * padded_taps(taps)
    elif blocks_weights(kernel):
        weights += blocked_bytes(tile_channels, kernel_rows, taps // kernel_rows)
    elif signed_columns(kernel):
        weights = signed_channels(tile_channels) * block_taps(taps)
        tile_channels = signed_channels(tile_channels)
    channels = tile_channels * 2 * _WORD_BYTES
    return TileScratch(decoded, decoded + UNPACK_TABLE_BYTES + channels + weights)


def default_tile_channels(outputs: int, taps: int, tile_bytes: int = TILE_BYTES[0]) -> int:
    """Output channels per tile of about ``tile_bytes`` weights."""
    fitting = tile_bytes // taps // TILE_MULTIPLE * TILE_MULTIPLE
    return min(max(fitting, LEAST_TILE_CHANNELS), outputs)


def scratch_bytes(
    graph: Graph, node: ops.Node, kernel: KernelSpec, tile_channels: int = 0,
    strips: bool = False, columns_bytes: int = m3.COLUMNS_BYTES[0],
) -> int:  # fmt: skip
    """Scratch that ``kernel`` needs while it computes ``node``; see ``s2c_kernels.h``.

    ``tile_channels``: above 0, weights are packed and decoded so many channels at a time.
    ``strips``: for strips of several rows, where more scratch makes these faster.
    ``columns_bytes``: about what columns may take where there is a choice.
    """
    if isinstance(node, ops.QConv2D | ops.QConvGlobalPool) and kernel.tile:
        channels = graph.values[node.inputs[0]].type.channels
        taps = node.window.taps * channels
        if kernel in STRIP_KERNELS:
            cols = graph.values[node.output].type.width
            columns = winograd_scratch_bytes(channels, cols, kernel)
        elif blocks_weights(kernel):
            columns = _segments_bytes(kernel, node.window, channels)
        elif kernel == POLY_M3:
            cols = graph.values[node.output].type.width
            columns = m3.poly_scratch_bytes(channels, cols, m3.POLY_ROWS if strips else 1)
        elif shares_words(kernel):
            groups = _groups_at_once(graph, node, taps, strips, columns_bytes)
            columns = m3.scratch_bytes(taps, groups)
        else:
            columns = _columns_bytes(kernel, taps, channels)
        if tile_channels:
            rows = node.window.kernel[0]
            return tile_scratch(kernel, columns, taps, tile_channels, rows).size_bytes
        return columns
    return 0


def _groups_at_once(
    graph: Graph, node: ops.QConv2D | ops.QConvGlobalPool, taps: int, strips: bool,
    columns_bytes: int,
) -> int:  # fmt: skip
    source = graph.values[node.inputs[0]].type
    rows, cols = node.window.counts(source.height, source.width)
    joined = node.window.taps == 1 and strips
    return m3.groups_at_once(taps, rows * cols if joined else cols, columns_bytes)


def _columns_bytes(kernel: KernelSpec, taps: int, channels: int) -> int:
    """Expanded columns; with pairs, windows whose pixels are no whole words are gathered first."""
    pixels = kernel.tile[0] if kernel.tile else 0
    if skips_zeros(kernel):
        return taps * SPARSE_TAP_BYTES
    if kernel.arch == "m0":
        return m0_scratch_bytes(taps, pixels)
    if kernel == CONV3X3_MVE:
        return 18 * channels
    if signed_columns(kernel):
        apart = block_taps(taps) + BLOCK if channels % BLOCK else 0
        return pixels * block_taps(taps) + apart
    if not pairs_weights(kernel):
        return pixels * _COLUMN_ITEM_BYTES * taps
    gathered = pixels * padded_taps(taps) if channels % QUAD else 0
    return pixels * _COLUMN_ITEM_BYTES * padded_taps(taps) + gathered


def _segments_bytes(kernel: KernelSpec, window: Window, channels: int) -> int:
    """``S2C_CONV2D_14X16_SCRATCH_BYTES``: the sums of a tile, and what it reads."""
    pixels = kernel.tile[0] if kernel.tile else 0
    taps = window.kernel[1] * channels
    first_taps = (pixels - 1) * window.strides[1] * channels
    sums = (pixels + _ROOM_BLOCKS) * BLOCK_CHANNELS * _WORD_BYTES
    if reads_in_place(window, channels):
        return sums
    return sums + window.kernel[0] * (first_taps + padded_taps(taps))


def m0_scratch_bytes(taps: int, pixels: int) -> int:
    """``S2C_CONV2D_M0_SCRATCH_BYTES``."""
    return (taps + taps % 2) * (2 * pixels + 14) + 28


def reads_in_place(window: Window, channels: int) -> bool:
    """Whether kernels for PCs read all windows where they are: whole quads, nothing outside."""
    return window.kernel[1] == 1 and not window.padding.any and channels % QUAD == 0


def winograd_groups(cols: int) -> tuple[int, int]:
    """Groups of four and of three tiles that a row of ``cols`` pixels takes."""
    tiles = -(-cols // 4)
    groups = -(-tiles // 4)
    threes = min(4 * groups - tiles, groups)
    return groups - threes, threes


def winograd_scratch_bytes(channels: int, cols: int, kernel: KernelSpec = WINOGRAD_DSP) -> int:
    """``S2C_WINOGRAD3X3_SCRATCH_BYTES`` or ``S2C_WINOGRAD3X3_M0_SCRATCH_BYTES``."""
    fours, threes = winograd_groups(cols)
    tiles = 4 * fours + 3 * threes
    if kernel.arch == "m0":
        tiles *= rows_at_once(kernel) // WINOGRAD_ROWS
        return 144 * (channels * (tiles + 1) + 4)
    return 36 * (channels * (2 * tiles + 4) + 32)
