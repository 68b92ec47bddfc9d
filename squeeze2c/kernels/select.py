"""The only place that chooses kernels, and knows what scratch they need."""

from __future__ import annotations

from dataclasses import dataclass

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
_WORD_BYTES = 4

UNPACK_TABLE_BYTES = 2048
"""S2C_UNPACK_TABLE_BYTES: the decode table of a layer with packed weights."""

TILE_BYTES = (8192, 12288, 16384, 24576, 32768)
"""Weights of a tile, about: every tile expands its columns anew, so larger ones are faster."""
TILE_MULTIPLE = 4
LEAST_TILE_CHANNELS = 8


def select_kernel(node: ops.Node, core: Core) -> KernelSpec:
    """The kernel that computes ``node`` on ``core``; today the portable one on every core."""
    kernel = _PORTABLE.get(type(node))
    if kernel is None:
        raise InternalError(f"no kernel for {node.kind} {node.name} on {core.name}")
    return kernel


@dataclass(frozen=True, slots=True)
class TileScratch:
    """The scratch of a layer with packed weights: columns, then what is decoded.

    That is the decode table, biases, multipliers and weights of one tile; see
    ``s2c_packed_conv2d.h``.
    """

    decoded_offset_bytes: int
    size_bytes: int


def tile_scratch(columns_bytes: int, taps: int, tile_channels: int) -> TileScratch:
    """The scratch of a layer whose weights are decoded ``tile_channels`` channels at a time."""
    decoded = -(-columns_bytes // _WORD_BYTES) * _WORD_BYTES
    channel_bytes = 2 * _WORD_BYTES + taps
    return TileScratch(decoded, decoded + UNPACK_TABLE_BYTES + tile_channels * channel_bytes)


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
        taps = node.window.taps * graph.values[node.inputs[0]].type.channels
        columns = kernel.tile[0] * _COLUMN_ITEM_BYTES * taps
        return tile_scratch(columns, taps, tile_channels).size_bytes if tile_channels else columns
    return 0
