"""The only place that chooses kernels, and knows what scratch they need."""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph, Window, ops
from squeeze2c.kernels.catalogue import (
    CONV2D_DSP,
    CONV2D_HOST,
    CONV2D_SUM_DSP,
    CONV2D_SUM_HOST,
    PORTABLE,
    STRIP_KERNELS,
    WINOGRAD_DSP,
    blocks_weights,
    pairs_weights,
    tables,
)
from squeeze2c.kernels.layout import BLOCK_CHANNELS, QUAD, blocked_bytes, padded_taps
from squeeze2c.kernels.spec import KernelSpec
from squeeze2c.target import Core

WINOGRAD_CHANNELS = 16
"""Input channels that its inner loop takes at once."""
WINOGRAD_ROWS = 4
"""Rows of output of a tile."""

UINT16_MAX = (1 << 16) - 1
"""Of the columns of a row in ``s2c_window``."""

_JOINING = (CONV2D_DSP, CONV2D_SUM_DSP, CONV2D_HOST, CONV2D_SUM_HOST)

_COLUMN_ITEM_BYTES = 2
_ROOM_BLOCKS = 3
_WORD_BYTES = 4

UNPACK_TABLE_BYTES = 2048
"""S2C_UNPACK_TABLE_BYTES: the decode table of a layer with packed weights."""

TILE_BYTES = (8192, 12288, 16384, 24576, 32768)
"""Weights of a tile, about: every tile expands its columns anew, so larger ones are faster."""
TILE_MULTIPLE = 4
LEAST_TILE_CHANNELS = 8


def select_kernel(
    graph: Graph, node: ops.Node, core: Core, strips: bool = False
) -> KernelSpec:
    """The kernel that computes ``node`` on ``core``, as far as shapes tell.

    ``strips``: one that takes several rows at once, where there is one. Where the kernel
    cannot take the numbers of the node, one of :func:`fallbacks` does.
    """
    for table in tables(core):
        kernel = table.get(type(node))
        if kernel is not None:
            return _for_strips(graph, node, kernel) if strips else kernel
    raise InternalError(f"no kernel for {node.kind} {node.name} on {core.name}")


def _for_strips(graph: Graph, node: ops.Node, kernel: KernelSpec) -> KernelSpec:
    if kernel == CONV2D_DSP and isinstance(node, ops.QConv2D):
        window, channels = node.window, graph.values[node.inputs[0]].type.channels
        whole = channels % WINOGRAD_CHANNELS == 0
        if window.kernel == (3, 3) and window.strides == (1, 1) and whole:
            return WINOGRAD_DSP
    return kernel


def rows_at_once(kernel: KernelSpec) -> int:
    """Rows of output that a call of ``kernel`` computes, at most."""
    return WINOGRAD_ROWS if kernel == WINOGRAD_DSP else 1


def joins_rows(kernel: KernelSpec, window: Window, cols: int, strip_rows: int) -> bool:
    """Whether the rows of a strip that lie one behind the other become one long row.

    Then fewer groups of pixels are incomplete. Only a kernel without neighbours allows it.
    """
    alone = window.kernel == (1, 1) and window.strides == (1, 1) and not window.padding.any
    fits = strip_rows > 1 and strip_rows * cols <= UINT16_MAX
    return kernel in _JOINING and alone and fits


def fallbacks(node: ops.Node, kernel: KernelSpec) -> tuple[KernelSpec, ...]:
    """What can take the place of ``kernel``, the best first; the last takes any numbers.

    None needs more scratch.
    """
    rest = (STRIP_KERNELS[kernel],) if kernel in STRIP_KERNELS else ()
    return (*rest, PORTABLE[type(node)])


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
    channels = tile_channels * 2 * _WORD_BYTES
    return TileScratch(decoded, decoded + UNPACK_TABLE_BYTES + channels + weights)


def default_tile_channels(outputs: int, taps: int, tile_bytes: int = TILE_BYTES[0]) -> int:
    """Output channels per tile of about ``tile_bytes`` weights."""
    fitting = tile_bytes // taps // TILE_MULTIPLE * TILE_MULTIPLE
    return min(max(fitting, LEAST_TILE_CHANNELS), outputs)


def scratch_bytes(
    graph: Graph, node: ops.Node, kernel: KernelSpec, tile_channels: int = 0
) -> int:
    """Scratch that ``kernel`` needs while it computes ``node``; see ``s2c_kernels.h``.

    ``tile_channels``: above 0, weights are packed and decoded so many channels at a time.
    """
    if isinstance(node, ops.QConv2D | ops.QConvGlobalPool) and kernel.tile:
        channels = graph.values[node.inputs[0]].type.channels
        taps = node.window.taps * channels
        if kernel == WINOGRAD_DSP:
            cols = graph.values[node.output].type.width
            columns = winograd_scratch_bytes(channels, cols)
        elif blocks_weights(kernel):
            columns = _segments_bytes(kernel, node.window, channels)
        else:
            columns = _columns_bytes(kernel, taps, channels)
        if tile_channels:
            rows = node.window.kernel[0]
            return tile_scratch(kernel, columns, taps, tile_channels, rows).size_bytes
        return columns
    return 0


def _columns_bytes(kernel: KernelSpec, taps: int, channels: int) -> int:
    """Expanded columns; with pairs, windows whose pixels are no whole words are gathered first."""
    pixels = kernel.tile[0] if kernel.tile else 0
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


def reads_in_place(window: Window, channels: int) -> bool:
    """Whether kernels for PCs read all windows where they are: whole quads, nothing outside."""
    return window.kernel[1] == 1 and not window.padding.any and channels % QUAD == 0


def winograd_groups(cols: int) -> tuple[int, int]:
    """Groups of four and of three tiles that a row of ``cols`` pixels takes."""
    tiles = -(-cols // 4)
    groups = -(-tiles // 4)
    threes = min(4 * groups - tiles, groups)
    return groups - threes, threes


def winograd_scratch_bytes(channels: int, cols: int) -> int:
    """``S2C_WINOGRAD3X3_SCRATCH_BYTES``."""
    fours, threes = winograd_groups(cols)
    return 36 * (channels * (2 * (4 * fours + 3 * threes) + 4) + 32)
