"""The only place that chooses kernels, and knows what scratch they need."""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph, Window, ops
from squeeze2c.kernels import m3
from squeeze2c.kernels.catalogue import (
    CONV2D_DSP,
    CONV2D_HOST,
    CONV2D_LONG_M0,
    CONV2D_LONGEST_M0,
    CONV2D_M0,
    CONV2D_M3,
    CONV2D_MVE,
    CONV2D_SUM_DSP,
    CONV2D_SUM_HOST,
    CONV2D_SUM_MVE,
    CONV3X3_MVE,
    LONG_M0,
    POLY_M3,
    PORTABLE,
    SHORT_M0,
    SPARSE_CONV2D_DSP,
    SPARSE_CONV2D_SUM_DSP,
    SPARSE_KERNELS,
    STRIP_KERNELS,
    WINOGRAD_DSP,
    WINOGRAD_M0,
    WINOGRAD_TALL_M0,
    blocks_weights,
    pairs_weights,
    shares_words,
    signed_columns,
    skips_zeros,
    tables,
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
from squeeze2c.kernels.sparse import SPARSE_TAP_BYTES
from squeeze2c.kernels.spec import KernelSpec
from squeeze2c.target import Core

WINOGRAD_CHANNELS = 16
"""Input channels that its inner loop takes at once."""
WINOGRAD_ROWS = 4
"""Rows of output of a tile."""
LONGEST_TAPS = 64
"""Of windows so small that the columns of very many pixels take little RAM."""
TALL_ROWS = 12
"""Of three tiles, which share transformed weights."""
TALL_MAP_ROWS = 16
"""Of the largest maps for which that is worth the RAM."""

_LONG_M0 = (*LONG_M0.values(), CONV2D_LONGEST_M0)

UINT16_MAX = (1 << 16) - 1
"""Of the columns of a row in ``s2c_window``."""

_JOINING = (
    CONV2D_DSP, CONV2D_SUM_DSP, SPARSE_CONV2D_DSP, SPARSE_CONV2D_SUM_DSP, CONV2D_HOST,
    CONV2D_SUM_HOST, CONV2D_MVE, CONV2D_SUM_MVE, *LONG_M0, *_LONG_M0,
    *SHORT_M0.values(),
)  # fmt: skip

_COLUMN_ITEM_BYTES = 2
_ROOM_BLOCKS = 3
_WORD_BYTES = 4

UNPACK_TABLE_BYTES = 2048
"""S2C_UNPACK_TABLE_BYTES: the decode table of a layer with packed weights."""

TILE_BYTES = (4096, 8192, 12288, 16384, 24576, 32768)
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
        if kernel == CONV2D_M3 and isinstance(node, ops.QConv2D):
            return _with_m3(node)
        if kernel is not None:
            kernel = _for_window(graph, node, kernel)
            return _for_strips(graph, node, kernel) if strips else kernel
    raise InternalError(f"no kernel for {node.kind} {node.name} on {core.name}")


def _for_window(graph: Graph, node: ops.Node, kernel: KernelSpec) -> KernelSpec:
    if kernel == CONV2D_MVE and isinstance(node, ops.QConv2D):
        window, channels = node.window, graph.values[node.inputs[0]].type.channels
        if window.kernel == (3, 3) and window.strides[1] == 1 and channels % BLOCK == 0:
            return CONV3X3_MVE
    return kernel


def _with_m3(node: ops.QConv2D) -> KernelSpec:
    three = node.window.kernel == (3, 3) and node.window.strides == (1, 1)
    return POLY_M3 if three else CONV2D_M3


def _for_strips(graph: Graph, node: ops.Node, kernel: KernelSpec) -> KernelSpec:
    winograd = {CONV2D_DSP: WINOGRAD_DSP, CONV2D_M0: WINOGRAD_M0}
    if kernel in winograd and isinstance(node, ops.QConv2D):
        window, channels = node.window, graph.values[node.inputs[0]].type.channels
        whole = channels % WINOGRAD_CHANNELS == 0
        if window.kernel == (3, 3) and window.strides == (1, 1) and whole:
            return winograd[kernel]
    if kernel == CONV2D_M0 and isinstance(node, ops.QConv2D):
        taps = node.window.taps * graph.values[node.inputs[0]].type.channels
        return CONV2D_LONGEST_M0 if taps <= LONGEST_TAPS else CONV2D_LONG_M0
    return LONG_M0.get(kernel, kernel)


def rows_at_once(kernel: KernelSpec) -> int:
    """Rows of output that a call of ``kernel`` computes, at most."""
    if kernel == WINOGRAD_TALL_M0:
        return TALL_ROWS
    several = kernel in (*STRIP_KERNELS, *_LONG_M0) or shares_words(kernel)
    return WINOGRAD_ROWS if several else 1


def kernel_for_strips(kernel: KernelSpec, strip_rows: int, map_rows: int) -> KernelSpec:
    """What takes the place of ``kernel`` for strips of ``strip_rows`` of ``map_rows`` rows."""
    tall = strip_rows >= TALL_ROWS and map_rows <= TALL_MAP_ROWS
    return WINOGRAD_TALL_M0 if kernel == WINOGRAD_M0 and tall else kernel


def transforms_once(kernel: KernelSpec, strip_rows: int) -> bool:
    """Whether all tiles of packed weights share the transformed input of a strip.

    They do where the strip is what the kernel takes at once.
    """
    return kernel == WINOGRAD_DSP and strip_rows <= rows_at_once(kernel)


def joins_rows(kernel: KernelSpec, window: Window, cols: int, strip_rows: int) -> bool:
    """Whether the rows of a strip that lie one behind the other become one long row.

    Then fewer groups of pixels are incomplete. Only a kernel without neighbours allows it.
    """
    alone = window.kernel == (1, 1) and window.strides == (1, 1) and not window.padding.any
    fits = strip_rows > 1 and strip_rows * cols <= UINT16_MAX
    return (kernel in _JOINING or shares_words(kernel)) and alone and fits


def fallbacks(node: ops.Node, kernel: KernelSpec) -> tuple[KernelSpec, ...]:
    """What can take the place of ``kernel``, the best first; the last takes any numbers.

    None needs more scratch. Kernels for Helium take any numbers themselves.
    """
    rest: tuple[KernelSpec, ...] = (STRIP_KERNELS[kernel],) if kernel in STRIP_KERNELS else ()
    if skips_zeros(kernel):
        rest = tuple(
            dense for dense, sparse in SPARSE_KERNELS.items()
            if sparse == kernel and dense not in STRIP_KERNELS
        )  # fmt: skip
    return (*rest, PORTABLE[type(node)])


def smaller(node: ops.Node, kernel: KernelSpec) -> tuple[KernelSpec, ...]:
    """Kernels for the shapes of ``kernel`` that need less scratch, and time; the fastest first."""
    short = (SHORT_M0[kernel],) if kernel in SHORT_M0 else ()
    return (*short, PORTABLE[type(node)])


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
