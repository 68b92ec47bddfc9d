"""The kernels of the runtime, by architecture: one table, one file per kernel.

``c`` runs everywhere. ``dsp`` is for cores with the DSP extension: the same sources compile
and give the same bits anywhere, but only there they are fast. ``m3`` is for cores with products of
64 bits and without that extension.
"""

from __future__ import annotations

from squeeze2c.ir import ops
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

M3: dict[type[ops.Node], KernelSpec] = {
    ops.QConv2D: CONV2D_M3,
    ops.QConvGlobalPool: CONV2D_SUM_M3,
    ops.QMaxPool2D: MAXPOOL2D_M3,
}

STRIP_KERNELS: dict[KernelSpec, KernelSpec] = {WINOGRAD_DSP: CONV2D_DSP}
"""Kernels that compute several rows at once, and what computes what is left of a strip."""

CATALOGUE: tuple[KernelSpec, ...] = (
    *PORTABLE.values(), *DSP.values(), *M3.values(), POLY_M3, *STRIP_KERNELS,
)  # fmt: skip

_PAIRED = (CONV2D_DSP, CONV2D_SUM_DSP, WINOGRAD_DSP)


def tables(core: Core) -> tuple[dict[type[ops.Node], KernelSpec], ...]:
    """What ``core`` can run, by operator, the best first."""
    if core.long_multiply:
        return (M3, PORTABLE)
    return (DSP, PORTABLE) if core.dsp else (PORTABLE,)


def pairs_weights(kernel: KernelSpec) -> bool:
    """Whether ``kernel`` reads weights in pairs of channels; see ``kernels/layout.py``."""
    return kernel in _PAIRED


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
        own = tuple(f"s2c_winograd_{part}__dsp.c" for part in parts)
        return (*own, rest.source_file, *support_files(rest, unpack))
    if kernel == POLY_M3:
        return tuple(f"s2c_poly_{part}__m3.c" for part in ("pixels", "stream", "product"))
    if shares_words(kernel):
        return tuple(f"s2c_{part}__m3.c" for part in ("columns", "stream", "product"))
    if not pairs_weights(kernel):
        return ()
    pairing = ("s2c_pair_tile__dsp.c",) if unpack else ()
    return ("s2c_columns__dsp.c", "s2c_pair__dsp.c", *pairing)
