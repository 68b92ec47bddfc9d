"""The only place that chooses kernels."""

from __future__ import annotations

from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph, Window, ops
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
    shares_words,
    skips_zeros,
    tables,
)
from squeeze2c.kernels.layout import (
    BLOCK,
)
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
