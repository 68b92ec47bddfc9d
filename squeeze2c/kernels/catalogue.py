"""The kernels of the runtime, by architecture: one table, one file per kernel.

``c`` runs everywhere. ``m0`` is for cores that multiply 32 bits by 32 and keep 32, ``m3`` for
those that keep 64, ``dsp`` for cores with the DSP extension, ``mve`` for those with Helium,
``host`` for PCs: the same sources compile and give the same bits anywhere, but only there they
are fast.
"""

from __future__ import annotations

from squeeze2c.ir import ops
from squeeze2c.kernels.layout import (
    BLOCK,
    block_taps,
    blocked_bytes,
    padded_taps,
    signed_channels,
)
from squeeze2c.kernels.spec import KernelSpec
from squeeze2c.target import Core

CONV2D = KernelSpec("conv2d", ("u8", "s8", "u8"), "c", (4, 2))
CONV2D_SUM = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "c", (4, 2))
MAXPOOL2D = KernelSpec("maxpool2d", ("u8",), "c")
SUM = KernelSpec("sum", ("u8", "s32"), "c")
ADD = KernelSpec("add", ("u8",), "c")

CONV2D_DSP = KernelSpec("conv2d", ("u8", "s8", "u8"), "dsp", (4, 2))
CONV2D_SUM_DSP = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "dsp", (4, 2))
WINOGRAD_DSP = KernelSpec("winograd3x3", ("u8", "s8", "u8"), "dsp", (4, 2))
MAXPOOL2D_DSP = KernelSpec("maxpool2d", ("u8",), "dsp")
SPARSE_CONV2D_DSP = KernelSpec("sparse_conv2d", ("u8", "s8", "u8"), "dsp", (8, 1))
SPARSE_CONV2D_SUM_DSP = KernelSpec("sparse_conv2d_sum", ("u8", "s8", "s32"), "dsp", (8, 1))

CONV2D_HOST = KernelSpec("conv2d", ("u8", "s8", "u8"), "host", (14, 16))
CONV2D_SUM_HOST = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "host", (14, 16))
MAXPOOL2D_HOST = KernelSpec("maxpool2d", ("u8",), "host")

CONV2D_M0 = KernelSpec("conv2d", ("u8", "s8", "u8"), "m0", (16, 1))
CONV2D_SUM_M0 = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "m0", (16, 1))
CONV2D_SHORT_M0 = KernelSpec("conv2d", ("u8", "s8", "u8"), "m0", (8, 1))
CONV2D_SUM_SHORT_M0 = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "m0", (8, 1))
WINOGRAD_M0 = KernelSpec("winograd3x3", ("u8", "s8", "u8"), "m0", (4, 1))
WINOGRAD_TALL_M0 = KernelSpec("winograd3x3", ("u8", "s8", "u8"), "m0", (12, 1))
CONV2D_LONG_M0 = KernelSpec("conv2d", ("u8", "s8", "u8"), "m0", (88, 1))
CONV2D_LONGEST_M0 = KernelSpec("conv2d", ("u8", "s8", "u8"), "m0", (224, 1))
CONV2D_SUM_LONG_M0 = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "m0", (88, 1))
MAXPOOL2D_M0 = KernelSpec("maxpool2d", ("u8",), "m0")

CONV2D_MVE = KernelSpec("conv2d", ("u8", "s8", "u8"), "mve", (4, 2))
CONV2D_SUM_MVE = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "mve", (4, 2))
CONV3X3_MVE = KernelSpec("conv3x3", ("u8", "s8", "u8"), "mve", (4, 2))
MAXPOOL2D_MVE = KernelSpec("maxpool2d", ("u8",), "mve")

CONV2D_M3 = KernelSpec("conv2d", ("u8", "s8", "u8"), "m3", (4, 3))
CONV2D_SUM_M3 = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "m3", (4, 3))
POLY_M3 = KernelSpec("poly3x3", ("u8", "s8", "u8"), "m3", (8, 1))
MAXPOOL2D_M3 = KernelSpec("maxpool2d", ("u8",), "m3")

PORTABLE: dict[type[ops.Node], KernelSpec] = {
    ops.QConv2D: CONV2D,
    ops.QConvGlobalPool: CONV2D_SUM,
    ops.QMaxPool2D: MAXPOOL2D,
    ops.QGlobalPool: SUM,
    ops.QAdd: ADD,
}

DSP: dict[type[ops.Node], KernelSpec] = {
    ops.QConv2D: CONV2D_DSP,
    ops.QConvGlobalPool: CONV2D_SUM_DSP,
    ops.QMaxPool2D: MAXPOOL2D_DSP,
}

HOST: dict[type[ops.Node], KernelSpec] = {
    ops.QConv2D: CONV2D_HOST,
    ops.QConvGlobalPool: CONV2D_SUM_HOST,
    ops.QMaxPool2D: MAXPOOL2D_HOST,
}

SPARSE_KERNELS: dict[KernelSpec, KernelSpec] = {
    CONV2D_DSP: SPARSE_CONV2D_DSP,
    WINOGRAD_DSP: SPARSE_CONV2D_DSP,
    CONV2D_SUM_DSP: SPARSE_CONV2D_SUM_DSP,
}
"""Kernels that skip weights of zero, by the one in whose place they may stand."""

_SPARSE = frozenset(SPARSE_KERNELS.values())

M0: dict[type[ops.Node], KernelSpec] = {
    ops.QConv2D: CONV2D_M0,
    ops.QConvGlobalPool: CONV2D_SUM_M0,
    ops.QMaxPool2D: MAXPOOL2D_M0,
}

LONG_M0: dict[KernelSpec, KernelSpec] = {
    CONV2D_M0: CONV2D_LONG_M0,
    CONV2D_SUM_M0: CONV2D_SUM_LONG_M0,
}
"""The same kernels with more pixels at once, which is faster and takes more RAM."""

SHORT_M0: dict[KernelSpec, KernelSpec] = {
    CONV2D_M0: CONV2D_SHORT_M0,
    CONV2D_SUM_M0: CONV2D_SUM_SHORT_M0,
}
"""With the fewest pixels at once, for the smallest RAM."""

STRIP_KERNELS: dict[KernelSpec, KernelSpec] = {
    WINOGRAD_DSP: CONV2D_DSP,
    WINOGRAD_M0: CONV2D_M0,
    WINOGRAD_TALL_M0: CONV2D_M0,
}
"""Kernels that compute several rows at once, and what computes what is left of a strip."""

MVE: dict[type[ops.Node], KernelSpec] = {
    ops.QConv2D: CONV2D_MVE,
    ops.QConvGlobalPool: CONV2D_SUM_MVE,
    ops.QMaxPool2D: MAXPOOL2D_MVE,
}
M3: dict[type[ops.Node], KernelSpec] = {
    ops.QConv2D: CONV2D_M3,
    ops.QConvGlobalPool: CONV2D_SUM_M3,
    ops.QMaxPool2D: MAXPOOL2D_M3,
}

SHARED_WORDS: dict[KernelSpec, KernelSpec] = {
    CONV2D_DSP: CONV2D_M3,
    WINOGRAD_DSP: CONV2D_M3,
    CONV2D_SUM_DSP: CONV2D_SUM_M3,
}
"""Kernels for Cortex-M3 that may stand in place of those for the DSP extension: they take fewer
instructions and more scratch."""

CATALOGUE: tuple[KernelSpec, ...] = (
    *PORTABLE.values(), *DSP.values(), *dict.fromkeys(SPARSE_KERNELS.values()),
    *M0.values(), *LONG_M0.values(), CONV2D_LONGEST_M0, *SHORT_M0.values(),
    *M3.values(), POLY_M3,
    *MVE.values(), CONV3X3_MVE,
    *HOST.values(), *STRIP_KERNELS,
)  # fmt: skip

_SIGNED = (CONV2D_MVE, CONV2D_SUM_MVE, CONV3X3_MVE)
_PAIRED = (CONV2D_DSP, CONV2D_SUM_DSP, WINOGRAD_DSP)
_BLOCKED = (CONV2D_HOST, CONV2D_SUM_HOST)


def tables(core: Core) -> tuple[dict[type[ops.Node], KernelSpec], ...]:
    """What ``core`` can run, by operator, the best first."""
    if core.pc:
        return (HOST, PORTABLE)
    if core.short_multiply:
        return (M0, PORTABLE)
    if core.mve:
        return (MVE, PORTABLE)
    if core.long_multiply:
        return (M3, PORTABLE)
    return (DSP, PORTABLE) if core.dsp else (PORTABLE,)


def pairs_weights(kernel: KernelSpec) -> bool:
    """Whether ``kernel`` reads weights in pairs of channels; see ``kernels/layout.py``."""
    return kernel in _PAIRED


def skips_zeros(kernel: KernelSpec) -> bool:
    """Whether ``kernel`` reads the weights that are not zero alone; see ``kernels/sparse.py``."""
    return kernel in _SPARSE


def blocks_weights(kernel: KernelSpec) -> bool:
    """Whether ``kernel`` reads weights in blocks of channels; see ``kernels/layout.py``."""
    return kernel in _BLOCKED


def weights_bytes(kernel: KernelSpec, shape: tuple[int, ...]) -> int:
    """What plain weights (outputs, rows, columns, inputs) take in the order of ``kernel``."""
    outputs, rows, cols, inputs = shape
    if blocks_weights(kernel):
        return blocked_bytes(outputs, rows, cols * inputs)
    if pairs_weights(kernel):
        return (outputs + outputs % 2) * padded_taps(rows * cols * inputs)
    if signed_columns(kernel):
        return signed_channels(outputs) * block_taps(rows * cols * inputs)
    return outputs * rows * cols * inputs


def signed_columns(kernel: KernelSpec) -> bool:
    """Whether ``kernel`` multiplies inputs less 128; see ``kernels/layout.py``."""
    return kernel in _SIGNED


def row_blocks(kernel: KernelSpec, channels: int) -> int:
    """Blocks of an input pixel of ``channels`` where ``kernel`` is for 3x3 windows on Helium."""
    return channels // BLOCK if kernel == CONV3X3_MVE else 0


def shares_words(kernel: KernelSpec) -> bool:
    """Whether ``kernel`` keeps several sums in 64 bits; see ``kernels/m3.py``."""
    return kernel in (CONV2D_M3, CONV2D_SUM_M3, POLY_M3)


def support_files(kernel: KernelSpec, unpack: bool = False) -> tuple[str, ...]:
    """Sources of the runtime that ``kernel`` needs, besides its own.

    ``unpack``: also for weights that are decoded.
    """
    if kernel in STRIP_KERNELS:
        rest = STRIP_KERNELS[kernel]
        parts = ("input", "output", "product", "weights")
        own = tuple(f"s2c_winograd_{part}__{kernel.arch}.c" for part in parts)
        if kernel.arch == "m0":
            own = (*own, "s2c_winograd3x3__m0.c")
        return (*own, rest.source_file, *support_files(rest, unpack))
    if skips_zeros(kernel):
        return ("s2c_sparse_channel__dsp.c", "s2c_sparse_columns__dsp.c")
    if blocks_weights(kernel):
        blocking = ("s2c_block_tile__host.c",) if unpack else ()
        return ("s2c_tile__host.c", "s2c_multiply__host.c", *blocking)
    if kernel.arch == "m0" and kernel.op.startswith("conv2d"):
        names = (kernel.op, "columns", "stream", "sums")
        return tuple(f"s2c_{name}__m0.c" for name in names)
    if signed_columns(kernel):
        tile = ("s2c_signed_tile__mve.c",) if unpack else ()
        columns = () if kernel == CONV3X3_MVE else ("s2c_columns__mve.c",)
        return (*columns, "s2c_product__mve.c", *tile)
    if kernel == POLY_M3:
        return tuple(f"s2c_poly_{part}__m3.c" for part in ("pixels", "stream", "product"))
    if shares_words(kernel):
        return tuple(f"s2c_{part}__m3.c" for part in ("columns", "stream", "product"))
    if not pairs_weights(kernel):
        return ()
    pairing = ("s2c_pair_tile__dsp.c",) if unpack else ()
    return ("s2c_columns__dsp.c", "s2c_pair__dsp.c", *pairing)
