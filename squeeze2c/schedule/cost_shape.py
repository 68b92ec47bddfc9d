"""What the cost of a convolution depends on, whatever its kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from squeeze2c.ir import Graph, ops


@dataclass(frozen=True, slots=True)
class Shape:
    """A convolution along its rows; ``summed``: over all pixels.

    ``contiguous``: the input's pixels follow one another without a gap.
    """

    cols: int
    outputs: int
    channels: int
    window: tuple[int, int]
    in_cols: int
    stride: int
    pad_left: int
    contiguous: bool
    summed: bool


def shape_of(
    graph: Graph, node: ops.QConv2D | ops.QConvGlobalPool, contiguous: bool
) -> dict[str, Any]:
    """The fields of a :class:`Shape` of ``node``."""
    source, window = graph.values[node.inputs[0]].type, node.window
    return {
        "cols": window.count(source.width, 1),
        "outputs": len(graph.constants[node.inputs[1]]),
        "channels": source.channels,
        "window": window.kernel,
        "in_cols": source.width,
        "stride": window.strides[1],
        "pad_left": window.padding.left,
        "contiguous": contiguous,
        "summed": isinstance(node, ops.QConvGlobalPool),
    }
