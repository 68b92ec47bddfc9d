"""The only place that chooses kernels, and knows what scratch they need."""

from __future__ import annotations

from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph, ops
from squeeze2c.kernels.spec import KernelSpec
from squeeze2c.target import Core

CONV2D = KernelSpec("conv2d", ("u8", "s8", "u8"), "c", (4, 2))
CONV2D_SUM = KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "c", (4, 2))
MAXPOOL2D = KernelSpec("maxpool2d", ("u8",), "c")
SUM = KernelSpec("sum", ("u8", "s32"), "c")
ADD = KernelSpec("add", ("u8",), "c")

CATALOGUE: tuple[KernelSpec, ...] = (CONV2D, CONV2D_SUM, MAXPOOL2D, SUM, ADD)

_PORTABLE: dict[type[ops.Node], KernelSpec] = {
    ops.QConv2D: CONV2D,
    ops.QConvGlobalPool: CONV2D_SUM,
    ops.QMaxPool2D: MAXPOOL2D,
    ops.QGlobalPool: SUM,
    ops.QAdd: ADD,
}

_COLUMN_ITEM_BYTES = 2


def select_kernel(node: ops.Node, core: Core) -> KernelSpec:
    """The kernel that computes ``node`` on ``core``; today the portable one on every core."""
    kernel = _PORTABLE.get(type(node))
    if kernel is None:
        raise InternalError(f"no kernel for {node.kind} {node.name} on {core.name}")
    return kernel


def scratch_bytes(graph: Graph, node: ops.Node, kernel: KernelSpec) -> int:
    """Scratch that ``kernel`` needs while it computes ``node``; see ``s2c_kernels.h``."""
    if isinstance(node, ops.QConv2D | ops.QConvGlobalPool) and kernel.tile:
        column = node.window.taps * graph.values[node.inputs[0]].type.channels
        return kernel.tile[0] * _COLUMN_ITEM_BYTES * column
    return 0
