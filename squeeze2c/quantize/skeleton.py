"""An integer graph of the right shapes and no numbers: enough to plan memory, without calibration.

Sizes, kernels and placements depend on shapes, and on where weights are zero, so what is
planned on a skeleton is what compiling arrives at.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from squeeze2c.errors import InternalError
from squeeze2c.ir import DType, Graph, QuantParams, Value, ops, unique_name
from squeeze2c.reference.fixed_point import DEFAULT_SHIFT

Convolution = ops.Conv2D | ops.ConvGlobalPool


SHIFT = DEFAULT_SHIFT
"""As quantised convolutions have it: kernels are chosen by it."""

SPARSE = 0.6
"""Where more of the weights than this are not zero, no kernel skips zeros."""


def integer_skeleton(graph: Graph, zeros_only: bool = True) -> Graph:
    """The quantised form of ``graph``, which has been through the passes, with weights of zero.

    Without ``zeros_only`` a weight of a sparse layer is 1 where that of ``graph`` is not zero:
    rounding makes more zeros, but none disappears.
    """
    values = {name: _quantised(value) for name, value in graph.values.items()}
    constants: dict[str, np.ndarray] = {}
    nodes = tuple(_node(graph, node, constants) for node in graph.nodes)
    if not zeros_only:
        constants.update(_patterns(graph, nodes))
    return Graph(graph.name, nodes, values, constants, graph.input, graph.output, graph.softmax)


def _patterns(graph: Graph, nodes: tuple[ops.Node, ...]) -> dict[str, np.ndarray]:
    """Where weights of sparse layers are not zero, by their names in the skeleton's ``nodes``."""
    patterns = {
        node.inputs[1]: graph.constants[old.inputs[1]] != 0
        for old, node in zip(graph.nodes, nodes, strict=True)
        if isinstance(node, ops.QConv2D | ops.QConvGlobalPool)
    }
    return {
        name: pattern.astype(np.int8) for name, pattern in patterns.items()
        if pattern.mean() <= SPARSE
    }  # fmt: skip


def _quantised(value: Value) -> Value:
    is_map = len(value.type.shape) == 4
    dtype = DType.UINT8 if is_map else DType.INT32
    return replace(value, type=replace(value.type, dtype=dtype), quant=QuantParams(1.0))


def _node(graph: Graph, node: ops.Node, constants: dict[str, np.ndarray]) -> ops.Node:
    common: dict[str, Any] = {
        "name": node.name, "output": node.output, "provenance": node.provenance
    }  # fmt: skip
    match node:
        case ops.Conv2D():
            return ops.QConv2D(
                inputs=_operands(graph, node, constants), window=node.window, shift=SHIFT,
                clamp_min=0, pad_value=_pad_value(graph, node), relu=node.relu, **common,
            )
        case ops.ConvGlobalPool():
            return ops.QConvGlobalPool(
                inputs=_operands(graph, node, constants), window=node.window, shift=SHIFT,
                pad_value=_pad_value(graph, node), relu=node.relu, **common,
            )
        case ops.MaxPool2D():
            return ops.QMaxPool2D(inputs=node.inputs, window=node.window, **common)
        case ops.Concat():
            return ops.QConcat(inputs=node.inputs, **common)
        case ops.Add():
            return ops.QAdd(
                inputs=node.inputs, multiplier_a=1, multiplier_b=1, shift=1, clamp_min=0,
                relu=node.relu, **common,
            )
        case ops.GlobalAvgPool2D():
            return ops.QGlobalPool(inputs=node.inputs, **common)
    raise InternalError(f"{node.kind} {node.name} is left after the passes")


def _operands(
    graph: Graph, node: Convolution, constants: dict[str, np.ndarray]
) -> tuple[str, ...]:
    weight = graph.constants[node.inputs[1]]
    taken = {*graph.values, *constants}
    arrays: dict[str, np.ndarray] = {
        unique_name(f"{node.name}/weights", taken): np.zeros(weight.shape, np.int8),
        unique_name(f"{node.name}/bias", taken): np.zeros(len(weight), np.int32),
        unique_name(f"{node.name}/multiplier", taken): np.ones(len(weight), np.int32),
    }
    constants.update(arrays)
    return (node.inputs[0], *arrays)


def _pad_value(graph: Graph, node: Convolution) -> tuple[int, ...]:
    """As the quantizer does it for a camera's pixels; 0 elsewhere, which is right after ReLU."""
    channels = graph.values[node.inputs[0]].type.channels
    real = node.pad_value or (0.0,) * channels
    return tuple(int(np.clip(round(r), 0, 255)) for r in real)
