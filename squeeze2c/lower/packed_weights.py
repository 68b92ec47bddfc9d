"""Weights of a layer as codes: which layers are worth it, and what the codes are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from squeeze2c.entropy import PackedLayer, encode_layer
from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import default_tile_channels

Convolution = ops.QConv2D | ops.QConvGlobalPool

BIAS_BITS = 8
MOST_MULTIPLIERS = 16
WORTHWHILE = 0.97
"""Of the bytes of plain weights: decoding takes time, and RAM for tiles."""

DESCRIPTOR_BYTES = 48
"""Of ``s2c_packed_layer`` in flash, on a 32-bit core."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedWeights:
    """``code`` holds weights, biases in units of ``2**bias_shift``, and indices into
    ``multipliers`` int32."""

    code: PackedLayer
    bias_shift: int
    multipliers: np.ndarray

    @property
    def parameters_bytes(self) -> int:
        """Flash for all arrays."""
        return self.code.size_bytes + self.multipliers.nbytes

    @property
    def size_bytes(self) -> int:
        """Flash for the arrays and their descriptor, which is part of the code."""
        return self.parameters_bytes + DESCRIPTOR_BYTES


def pack_weights(
    graph: Graph, nodes: Collection[str] | None = None
) -> Mapping[str, PackedWeights]:
    """Packed weights of the convolutions of a quantised ``graph`` that become smaller so.

    ``nodes``: those that may be packed; None for all.
    """
    result = {}
    for node in graph.nodes:
        if nodes is not None and node.name not in nodes:
            continue
        if isinstance(node, ops.QConv2D | ops.QConvGlobalPool):
            packed = pack_convolution(graph, node)
            plain = sum(graph.constants[name].nbytes for name in node.inputs[1:4])
            if packed is not None and packed.size_bytes <= WORTHWHILE * plain:
                result[node.name] = packed
    return result


def with_tiles(
    graph: Graph, node: Convolution, packed: PackedWeights, tile_channels: int
) -> PackedWeights:
    """``packed``, which are the weights of ``node``, in tiles of ``tile_channels`` channels."""
    if packed.code.tile_channels == tile_channels:
        return packed
    anew = pack_convolution(graph, node, tile_channels)
    if anew is None:
        raise InternalError(f"the weights of {node.name} were packed and cannot be")
    return anew


def pack_convolution(
    graph: Graph, node: Convolution, tile_channels: int | None = None
) -> PackedWeights | None:
    """The weights of ``node`` in tiles of ``tile_channels`` channels; None where they cannot be
    packed.

    They can where few multipliers serve all channels and all biases are multiples of one
    power of two, within 8 bits.
    """
    weight, bias, multiplier = (graph.constants[name] for name in node.inputs[1:4])
    multipliers, index = np.unique(multiplier, return_inverse=True)
    shift = _common_shift(bias)
    short = bias >> shift
    if len(multipliers) > MOST_MULTIPLIERS or short.min() < -128 or short.max() > 127:
        return None
    matrix = weight.reshape(len(weight), -1)
    code = encode_layer(
        matrix,
        short.astype(np.int8),
        index.astype(np.uint8),
        tile_channels or default_tile_channels(*matrix.shape),
    )
    return PackedWeights(code, shift, multipliers.astype(np.int32))


def _common_shift(values: np.ndarray) -> int:
    """The largest power of two that divides all ``values``, at most 24."""
    bits = int(np.bitwise_or.reduce(values.astype(np.int64)))
    return min((bits & -bits).bit_length() - 1, 24) if bits else 0
