"""Float evaluation of a graph in NumPy: the real numbers that quantisation approximates."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph, Layout, ops
from squeeze2c.reference.columns import columns, max_pool


def evaluate_float(
    graph: Graph, batch: np.ndarray, keep: Collection[str] | None = None
) -> dict[str, np.ndarray]:
    """All values of ``graph`` for ``batch`` (N, ...) in the layout of the graph's input.

    ``keep`` names the values wanted (all if None); others are freed as soon as
    their last consumer has run. Returns float32 arrays with batch N.
    """
    wanted = set(graph.values) if keep is None else set(keep)
    return {k: v for k, v in walk_float(graph, batch) if k in wanted}


def walk_float(graph: Graph, batch: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """(value name, array) in topological order, input first; frees what is no longer read."""
    last_use = {name: i for i, node in enumerate(graph.nodes) for name in node.inputs}
    live: dict[str, np.ndarray] = {graph.input: np.asarray(batch, np.float32)}
    yield graph.input, live[graph.input]
    for index, node in enumerate(graph.nodes):
        layout = graph.values[node.output].type.layout
        operands = [live[i] if i in live else graph.constants[i] for i in node.inputs]
        source = graph.values.get(node.inputs[0]) if node.inputs else None
        if source is not None and source.type.layout is not Layout.FLAT:
            layout = source.type.layout
        result = evaluate_node(node, operands, layout)
        for name in node.inputs:
            if last_use[name] == index:
                live.pop(name, None)
        live[node.output] = result
        yield node.output, result


def evaluate_node(
    node: ops.Node, operands: list[np.ndarray], layout: Layout = Layout.NCHW
) -> np.ndarray:
    """The result of one float operator. ``layout`` is that of its first input."""
    match node:
        case ops.Conv2D():
            return _convolve(node, operands, layout)
        case ops.ConvGlobalPool():
            return _spatial_mean(_convolve(node, operands, layout), layout)
        case ops.BatchNorm():
            return _batch_norm(node, operands, layout)
        case ops.Relu():
            positive: np.ndarray = np.maximum(operands[0], 0)
            return positive
        case ops.MaxPool2D():
            pooled = max_pool(_channels_last(operands[0], layout), node.window, -np.inf)
            return _from_channels_last(pooled, layout)
        case ops.GlobalAvgPool2D():
            mean = _spatial_mean(operands[0], layout)
            return mean if layout is Layout.NHWC else mean[:, :, None, None]
        case ops.Concat():
            return np.concatenate(operands, axis=node.axis)
        case ops.Add():
            total: np.ndarray = operands[0] + operands[1]
            return np.maximum(total, 0) if node.relu else total
        case ops.Softmax():
            shifted = operands[0] - operands[0].max(axis=node.axis, keepdims=True)
            exponential = np.exp(shifted)
            share: np.ndarray = exponential / exponential.sum(axis=node.axis, keepdims=True)
            return share
        case ops.Identity():
            return operands[0]
        case ops.Reshape():
            return _reshape(node, operands[0])
        case ops.Fill():
            return np.full(node.shape, node.value, np.float32)
    raise InternalError(f"no float evaluation for {node.kind} {node.name}")


def _channels_last(x: np.ndarray, layout: Layout) -> np.ndarray:
    return x.transpose(0, 2, 3, 1) if layout is Layout.NCHW else x


def _from_channels_last(x: np.ndarray, layout: Layout) -> np.ndarray:
    return x.transpose(0, 3, 1, 2) if layout is Layout.NCHW else x


def _convolve(
    node: ops.Conv2D | ops.ConvGlobalPool, operands: list[np.ndarray], layout: Layout
) -> np.ndarray:
    x, weight = operands[0], operands[1]
    if layout is Layout.NCHW:
        weight = weight.transpose(0, 2, 3, 1)
    fill = np.asarray(node.pad_value, np.float32) if node.pad_value else 0.0
    matrix = columns(_channels_last(x, layout), node.window, fill)
    result = matrix @ weight.reshape(weight.shape[0], -1).T
    if len(operands) > 2:
        result += operands[2]
    if node.relu:
        np.maximum(result, 0, out=result)
    return _from_channels_last(result, layout)


def _spatial_mean(x: np.ndarray, layout: Layout) -> np.ndarray:
    mean: np.ndarray = x.mean(axis=(1, 2) if layout is Layout.NHWC else (2, 3), dtype=np.float32)
    return mean


def _batch_norm(
    node: ops.BatchNorm, operands: list[np.ndarray], layout: Layout
) -> np.ndarray:
    x, scale, bias, mean, variance = operands
    factor = scale / np.sqrt(variance + node.epsilon)
    shape = (1, -1, 1, 1) if layout is Layout.NCHW else (1, 1, 1, -1)
    result: np.ndarray = x * factor.reshape(shape) + (bias - mean * factor).reshape(shape)
    return result


def _reshape(node: ops.Reshape, x: np.ndarray) -> np.ndarray:
    """The static shape with the batch of ``x`` (constants keep their shape as it is)."""
    if x.size == int(np.prod(node.shape)):
        return x.reshape(node.shape)
    return x.reshape(x.shape[0], *node.shape[1:])
