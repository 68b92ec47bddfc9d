"""The integer oracle: the specification of squeeze2c's arithmetic.

Generated C equals these functions bit for bit on every compiler and core. The
equations stand in the docstrings of :mod:`squeeze2c.ir.ops` and in
``docs/quantization-spec.md``.

Matrix products use floating-point BLAS where that is provably exact: all
partial sums are integers below the mantissa's limit, so the order of summation
and fused multiply-add do not matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph, ops
from squeeze2c.reference.columns import columns, max_pool
from squeeze2c.reference.fixed_point import clamp_u8, requantise


def evaluate_int(
    graph: Graph, images: np.ndarray, keep: Collection[str] | None = None
) -> dict[str, np.ndarray]:
    """All values of a quantised ``graph`` for ``images`` uint8 (N, H, W, C).

    Feature maps are uint8 (N, rows, cols, channels), logits int32 (N, classes).
    ``keep`` names the values wanted (all if None).
    """
    wanted = set(graph.values) if keep is None else set(keep)
    return {k: v for k, v in walk_int(graph, images) if k in wanted}


def walk_int(graph: Graph, images: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """(value name, array) in topological order, input first; frees what is no longer read."""
    if images.dtype != np.uint8:
        raise InternalError(f"the oracle reads uint8 images, not {images.dtype}")
    last_use = {name: i for i, node in enumerate(graph.nodes) for name in node.inputs}
    live: dict[str, np.ndarray] = {graph.input: images}
    yield graph.input, images
    for index, node in enumerate(graph.nodes):
        result = evaluate_qnode(graph, node, [live[i] for i in graph.activations(node)])
        for name in node.inputs:
            if last_use[name] == index:
                live.pop(name, None)
        live[node.output] = result
        yield node.output, result


def evaluate_qnode(graph: Graph, node: ops.Node, operands: list[np.ndarray]) -> np.ndarray:
    """The result of one quantised operator for its activation ``operands`` (batched)."""
    match node:
        case ops.QConv2D():
            acc = accumulate(graph, node, operands[0])
            scaled = requantise(acc, graph.constants[node.inputs[3]], node.shift)
            return clamp_u8(scaled + zero_point(graph, node.output), node.clamp_min)
        case ops.QConvGlobalPool():
            acc = accumulate(graph, node, operands[0])
            scaled = requantise(acc, graph.constants[node.inputs[3]], node.shift)
            if node.relu:
                scaled = np.maximum(scaled, 0)
            return _int32(scaled.sum(axis=(1, 2)), node)
        case ops.QMaxPool2D():
            return max_pool(operands[0], node.window, 0)
        case ops.QGlobalPool():
            x = operands[0].astype(np.int64) - zero_point(graph, node.inputs[0])
            return _int32(x.sum(axis=(1, 2)), node)
        case ops.QAdd():
            a = operands[0].astype(np.int64) - zero_point(graph, node.inputs[0])
            b = operands[1].astype(np.int64) - zero_point(graph, node.inputs[1])
            total = _int32(a * node.multiplier_a + b * node.multiplier_b, node)
            rounded = requantise(total, 1, node.shift)
            return clamp_u8(rounded + zero_point(graph, node.output), node.clamp_min)
        case ops.QConcat():
            return np.concatenate(operands, axis=-1)
    raise InternalError(f"no integer evaluation for {node.kind} {node.name}")


def accumulate(
    graph: Graph, node: ops.QConv2D | ops.QConvGlobalPool, x: np.ndarray
) -> np.ndarray:
    """int32 accumulators (N, rows, cols, O) of a convolution, bias included."""
    weight = graph.constants[node.inputs[1]]
    bias = graph.constants[node.inputs[2]]
    matrix = weight.reshape(weight.shape[0], -1)
    largest = 255 * int(np.abs(matrix.astype(np.int64)).sum(axis=1).max(initial=0))
    exact_type = np.float32 if largest < 1 << 24 else np.float64
    taps = columns(x, node.window, np.asarray(node.pad_value, np.uint8))
    sums = taps.astype(exact_type) @ matrix.T.astype(exact_type)
    return _int32(sums.astype(np.int64) + bias, node)


def zero_point(graph: Graph, value: str) -> int:
    """Zero point of a quantised feature map."""
    quant = graph.values[value].quant
    if quant is None:
        raise InternalError(f"value {value} is not quantised")
    return quant.zero_point


def _int32(values: np.ndarray, node: ops.Node) -> np.ndarray:
    """``values`` as int32; leaving its range would break a proof made by quantize."""
    if values.size and (values.max() > 2**31 - 1 or values.min() < -(2**31)):
        raise InternalError(f"{node.kind} {node.name} left the range of int32")
    return values.astype(np.int32)
