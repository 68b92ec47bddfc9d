"""The kernels of the runtime, by architecture: one table, one file per kernel.

``c`` runs everywhere. ``m0`` is for cores that multiply 32 bits by 32 and keep 32, ``dsp`` for
cores with the DSP extension: the same sources compile
and give the same bits anywhere, but only there they are fast.
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

CONV2D_M0 = KernelSpec("conv2d", ("u8", "s8", "u8"), "m0", (16, 1))
CONV2D_SUM_M0 = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "m0", (16, 1))
CONV2D_SHORT_M0 = KernelSpec("conv2d", ("u8", "s8", "u8"), "m0", (8, 1))
CONV2D_SUM_SHORT_M0 = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "m0", (8, 1))
WINOGRAD_M0 = KernelSpec("winograd3x3", ("u8", "s8", "u8"), "m0", (4, 1))
WINOGRAD_TALL_M0 = KernelSpec("winograd3x3", ("u8", "s8", "u8"), "m0", (12, 1))
CONV2D_LONG_M0 = KernelSpec("conv2d", ("u8", "s8", "u8"), "m0", (88, 1))
CONV2D_LONGEST_M0 = KernelSpec("conv2d", ("u8", "s8", "u8"), "m0", (224, 1))
CONV2D_SUM_LONG_M0 = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "m0", (88, 1))

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

MAXPOOL2D_M0 = KernelSpec("maxpool2d", ("u8",), "m0")

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

CATALOGUE: tuple[KernelSpec, ...] = (
    *PORTABLE.values(), *DSP.values(), *M0.values(), *LONG_M0.values(), CONV2D_LONGEST_M0,
    *SHORT_M0.values(), *STRIP_KERNELS,
)  # fmt: skip

_PAIRED = (CONV2D_DSP, CONV2D_SUM_DSP, WINOGRAD_DSP)


def tables(core: Core) -> tuple[dict[type[ops.Node], KernelSpec], ...]:
    """What ``core`` can run, by operator, the best first."""
    if core.short_multiply:
        return (M0, PORTABLE)
    return (DSP, PORTABLE) if core.dsp else (PORTABLE,)


def pairs_weights(kernel: KernelSpec) -> bool:
    """Whether ``kernel`` reads weights in pairs of channels; see ``kernels/layout.py``."""
    return kernel in _PAIRED


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
    if kernel.arch == "m0" and kernel.op.startswith("conv2d"):
        names = (kernel.op, "columns", "stream", "sums")
        return tuple(f"s2c_{name}__m0.c" for name in names)
    if not pairs_weights(kernel):
        return ()
    pairing = ("s2c_pair_tile__dsp.c",) if unpack else ()
    return ("s2c_columns__dsp.c", "s2c_pair__dsp.c", *pairing)
