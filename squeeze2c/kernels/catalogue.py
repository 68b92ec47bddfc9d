"""The kernels of the runtime, by architecture: one table, one file per kernel.

``c`` runs everywhere. ``dsp`` is for cores with the DSP extension, ``mve`` for those with
Helium: the same sources compile and give the same bits anywhere, but only there they are fast.
"""

from __future__ import annotations

from squeeze2c.ir import ops
from squeeze2c.kernels.layout import BLOCK
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

CONV2D_MVE = KernelSpec("conv2d", ("u8", "s8", "u8"), "mve", (4, 2))
CONV2D_SUM_MVE = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "mve", (4, 2))
CONV3X3_MVE = KernelSpec("conv3x3", ("u8", "s8", "u8"), "mve", (4, 2))
MAXPOOL2D_MVE = KernelSpec("maxpool2d", ("u8",), "mve")

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

MVE: dict[type[ops.Node], KernelSpec] = {
    ops.QConv2D: CONV2D_MVE,
    ops.QConvGlobalPool: CONV2D_SUM_MVE,
    ops.QMaxPool2D: MAXPOOL2D_MVE,
}

STRIP_KERNELS: dict[KernelSpec, KernelSpec] = {WINOGRAD_DSP: CONV2D_DSP}
"""Kernels that compute several rows at once, and what computes what is left of a strip."""

CATALOGUE: tuple[KernelSpec, ...] = (
    *PORTABLE.values(), *DSP.values(), *MVE.values(), CONV3X3_MVE, *STRIP_KERNELS
)

_SIGNED = (CONV2D_MVE, CONV2D_SUM_MVE, CONV3X3_MVE)
_PAIRED = (CONV2D_DSP, CONV2D_SUM_DSP, WINOGRAD_DSP)


def tables(core: Core) -> tuple[dict[type[ops.Node], KernelSpec], ...]:
    """What ``core`` can run, by operator, the best first."""
    if core.mve:
        return (MVE, PORTABLE)
    return (DSP, PORTABLE) if core.dsp else (PORTABLE,)


def pairs_weights(kernel: KernelSpec) -> bool:
    """Whether ``kernel`` reads weights in pairs of channels; see ``kernels/layout.py``."""
    return kernel in _PAIRED


def signed_columns(kernel: KernelSpec) -> bool:
    """Whether ``kernel`` multiplies inputs less 128; see ``kernels/layout.py``."""
    return kernel in _SIGNED


def row_blocks(kernel: KernelSpec, channels: int) -> int:
    """Blocks of an input pixel of ``channels`` where ``kernel`` is for 3x3 windows on Helium."""
    return channels // BLOCK if kernel == CONV3X3_MVE else 0


def support_files(kernel: KernelSpec, unpack: bool = False) -> tuple[str, ...]:
    """Sources of the runtime that ``kernel`` needs, besides its own.

    ``unpack``: also for weights that are decoded.
    """
    if kernel in STRIP_KERNELS:
        rest = STRIP_KERNELS[kernel]
        parts = ("input", "output", "product", "weights")
        own = tuple(f"s2c_winograd_{part}__dsp.c" for part in parts)
        return (*own, rest.source_file, *support_files(rest, unpack))
    if signed_columns(kernel):
        tile = ("s2c_signed_tile__mve.c",) if unpack else ()
        columns = () if kernel == CONV3X3_MVE else ("s2c_columns__mve.c",)
        return (*columns, "s2c_product__mve.c", *tile)
    if not pairs_weights(kernel):
        return ()
    pairing = ("s2c_pair_tile__dsp.c",) if unpack else ()
    return ("s2c_columns__dsp.c", "s2c_pair__dsp.c", *pairing)
