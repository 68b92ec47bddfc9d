"""The only place that chooses kernels, and knows what scratch they need."""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph, Window, ops
from squeeze2c.kernels.catalogue import (
    CONV2D_DSP,
    CONV2D_LONG_M0,
    CONV2D_LONGEST_M0,
    CONV2D_M0,
    CONV2D_SUM_DSP,
    LONG_M0,
    PORTABLE,
    SHORT_M0,
    STRIP_KERNELS,
    WINOGRAD_DSP,
    WINOGRAD_M0,
    WINOGRAD_TALL_M0,
    pairs_weights,
    tables,
)
from squeeze2c.kernels.layout import QUAD, padded_taps
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

_COLUMN_ITEM_BYTES = 2
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
    return WINOGRAD_ROWS if kernel in (*STRIP_KERNELS, *_LONG_M0) else 1


def kernel_for_strips(kernel: KernelSpec, strip_rows: int, map_rows: int) -> KernelSpec:
    """What takes the place of ``kernel`` for strips of ``strip_rows`` of ``map_rows`` rows."""
    tall = strip_rows >= TALL_ROWS and map_rows <= TALL_MAP_ROWS
    return WINOGRAD_TALL_M0 if kernel == WINOGRAD_M0 and tall else kernel


def joins_rows(kernel: KernelSpec, window: Window, cols: int, strip_rows: int) -> bool:
    """Whether the rows of a strip that lie one behind the other become one long row.

    Then fewer groups of pixels are incomplete. Only a kernel without neighbours allows it.
    """
    alone = window.kernel == (1, 1) and window.strides == (1, 1) and not window.padding.any
    fits = strip_rows > 1 and strip_rows * cols <= UINT16_MAX
    joining = kernel in (CONV2D_DSP, CONV2D_SUM_DSP, *LONG_M0, *_LONG_M0, *SHORT_M0.values())
    return joining and alone and fits


def fallbacks(node: ops.Node, kernel: KernelSpec) -> tuple[KernelSpec, ...]:
    """What can take the place of ``kernel``, the best first; the last takes any numbers.

    None needs more scratch.
    """
    rest = (STRIP_KERNELS[kernel],) if kernel in STRIP_KERNELS else ()
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
    kernel: KernelSpec, columns_bytes: int, taps: int, tile_channels: int
) -> TileScratch:
    """The scratch of a layer whose weights are decoded ``tile_channels`` channels at a time."""
    decoded = -(-columns_bytes // _WORD_BYTES) * _WORD_BYTES
    weights = tile_channels * taps
    if pairs_weights(kernel):
        weights = (tile_channels + tile_channels % 2) * padded_taps(taps)
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
        if kernel in STRIP_KERNELS:
            cols = graph.values[node.output].type.width
            columns = winograd_scratch_bytes(channels, cols, kernel)
        else:
            columns = _columns_bytes(kernel, taps, channels)
        if tile_channels:
            return tile_scratch(kernel, columns, taps, tile_channels).size_bytes
        return columns
    return 0


def _columns_bytes(kernel: KernelSpec, taps: int, channels: int) -> int:
    """Expanded columns; with pairs, windows whose pixels are no whole words are gathered first."""
    pixels = kernel.tile[0] if kernel.tile else 0
    if kernel.arch == "m0":
        return m0_scratch_bytes(taps, pixels)
    if not pairs_weights(kernel):
        return pixels * _COLUMN_ITEM_BYTES * taps
    gathered = pixels * padded_taps(taps) if channels % QUAD else 0
    return pixels * _COLUMN_ITEM_BYTES * padded_taps(taps) + gathered


def m0_scratch_bytes(taps: int, pixels: int) -> int:
    """``S2C_CONV2D_M0_SCRATCH_BYTES``."""
    return (taps + taps % 2) * (2 * pixels + 14) + 28


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
