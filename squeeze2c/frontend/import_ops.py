"""ONNX nodes that passed their checks, as operators of the IR."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from squeeze2c.errors import InternalError
from squeeze2c.frontend.geometry import reshape_result, window_of
from squeeze2c.frontend.node import OnnxNode, Scope
from squeeze2c.frontend.shapes import Shape
from squeeze2c.frontend.weights import as_float32
from squeeze2c.ir import DType, Layout, Provenance, TensorType, Value, Window, ops, unique_name


@dataclass(frozen=True, slots=True)
class Draft:
    """The graph while it grows. Values are called as the ONNX tensors that they equal."""

    scope: Scope
    taken: set[str]
    """Names of ONNX nodes and tensors."""
    nodes: list[ops.Node] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    constants: dict[str, np.ndarray] = field(default_factory=dict)

    def append(
        self,
        kind: Callable[..., ops.Node],
        node: OnnxNode,
        inputs: tuple[str, ...],
        onnx_shape: Shape,
        **fields: Any,
    ) -> None:
        """Adds an operator that yields the output of ``node``, a tensor of ``onnx_shape``."""
        output = self.tensor(node.output, onnx_shape)
        provenance = Provenance((node.name,))
        self.nodes.append(
            kind(name=node.name, inputs=inputs, output=output, provenance=provenance, **fields)
        )

    def tensor(self, name: str, shape: Shape) -> str:
        """Adds the value that equals the ONNX tensor ``name`` of shape ``shape``.

        Vectors are (1, channels) here, also where ONNX keeps a last axis of size 1.
        """
        self.scope.shapes[name] = shape
        self.values[name] = Value(name, _type(shape), source=name)
        return name

    def weight(self, node: OnnxNode, index: int) -> str:
        """Adds the constant input ``index`` of ``node``."""
        name = node.input(index)
        array = node.constant(index)
        if array is None:
            raise InternalError(f"input {name!r} should be constant", where=node.where)
        if name not in self.constants:
            self.constants[name] = as_float32(array)
        return name

    def fresh(self, stem: str) -> str:
        """A name like ``stem`` that is not taken; from now on it is."""
        name = unique_name(stem, self.taken)
        self.taken.add(name)
        return name


def import_node(node: OnnxNode, draft: Draft) -> None:
    """Appends what ``node`` becomes. Its rules have been checked."""
    IMPORTERS[node.op](node, draft)


def _type(shape: Shape) -> TensorType:
    if len(shape) == 4:
        return TensorType(DType.FLOAT32, shape, Layout.NCHW)
    return TensorType(DType.FLOAT32, shape[:2], Layout.FLAT)


def _conv(node: OnnxNode, draft: Draft) -> None:
    window = window_of(node)
    operands = (node.input(0), *(draft.weight(node, i) for i in (1, 2) if node.input(i)))
    channels = draft.constants[operands[1]].shape[0]
    shape = _windowed(node, window, channels)
    draft.append(ops.Conv2D, node, operands, shape, window=window)


def _max_pool(node: OnnxNode, draft: Draft) -> None:
    window = window_of(node)
    shape = _windowed(node, window, node.map_shape()[1])
    draft.append(ops.MaxPool2D, node, (node.input(0),), shape, window=window)


def _windowed(node: OnnxNode, window: Window, channels: int) -> Shape:
    n, _, rows, cols = node.map_shape()
    return (n, channels, *window.counts(rows, cols))


def _relu(node: OnnxNode, draft: Draft) -> None:
    draft.append(ops.Relu, node, (node.input(0),), node.map_shape())


def _global_average(node: OnnxNode, draft: Draft) -> None:
    n, channels, _, _ = node.map_shape()
    draft.append(ops.GlobalAvgPool2D, node, (node.input(0),), (n, channels, 1, 1))


def _reduce_mean(node: OnnxNode, draft: Draft) -> None:
    if node.attribute("keepdims", 1):
        _global_average(node, draft)
        return
    n, channels, _, _ = node.map_shape()
    pooled = draft.fresh(f"{node.output}/pooled")
    draft.values[pooled] = Value(pooled, _type((n, channels, 1, 1)))
    draft.nodes.append(
        ops.GlobalAvgPool2D(
            name=draft.fresh(f"{node.name}/pool"),
            inputs=(node.input(0),),
            output=pooled,
            provenance=Provenance((node.name,)),
        )
    )
    draft.append(ops.Reshape, node, (pooled,), (n, channels), shape=(n, channels))


def _concat(node: OnnxNode, draft: Draft) -> None:
    if len(node.inputs) == 1:
        _identity(node, draft)
        return
    n, _, rows, cols = node.map_shape()
    channels = sum(node.map_shape(i)[1] for i in range(len(node.inputs)))
    draft.append(ops.Concat, node, node.inputs, (n, channels, rows, cols), axis=1)


def _add(node: OnnxNode, draft: Draft) -> None:
    draft.append(ops.Add, node, node.inputs, node.map_shape())


def _batch_norm(node: OnnxNode, draft: Draft) -> None:
    operands = (node.input(0), *(draft.weight(node, i) for i in range(1, 5)))
    epsilon = float(node.attribute("epsilon", 1e-5))
    draft.append(ops.BatchNorm, node, operands, node.map_shape(), epsilon=epsilon)


def _identity(node: OnnxNode, draft: Draft) -> None:
    draft.append(ops.Identity, node, (node.input(0),), draft.scope.shapes[node.input(0)])


def _reshape(node: OnnxNode, draft: Draft) -> None:
    shape = reshape_result(node)
    if shape is None:
        raise InternalError("this reshape should have been refused", where=node.where)
    draft.append(ops.Reshape, node, (node.input(0),), shape, shape=_type(shape).shape)


def _softmax(node: OnnxNode, draft: Draft) -> None:
    draft.append(ops.Softmax, node, (node.input(0),), draft.scope.shapes[node.input(0)], axis=1)


IMPORTERS: Mapping[str, Callable[[OnnxNode, Draft], None]] = {
    "Add": _add,
    "AveragePool": _global_average,
    "BatchNormalization": _batch_norm,
    "Clip": _relu,
    "Concat": _concat,
    "Conv": _conv,
    "Dropout": _identity,
    "Flatten": _reshape,
    "GlobalAveragePool": _global_average,
    "Identity": _identity,
    "MaxPool": _max_pool,
    "Pad": _identity,
    "ReduceMean": _reduce_mean,
    "Relu": _relu,
    "Reshape": _reshape,
    "Softmax": _softmax,
    "Squeeze": _reshape,
    "Sum": _add,
}
"""One importer for each operator of the constraint table."""
