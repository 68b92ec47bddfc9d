"""Layers of one kernel each, with inputs, and what the integer oracle makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from squeeze2c.ir import DType, Graph, Layout, Padding, QuantParams, TensorType, Value, Window, ops
from squeeze2c.reference.int_eval import accumulate, evaluate_qnode


def feature_map(name: str, x: np.ndarray, zero_point: int = 0) -> Value:
    """The value of uint8 maps like ``x`` (rows, cols, channels)."""
    kind = TensorType(DType.UINT8, (1, *x.shape), Layout.NHWC)
    return Value(name, kind, quant=QuantParams(1.0, zero_point))


def single(
    node: ops.Node, inputs: Mapping[str, Value], constants: Mapping[str, np.ndarray],
    zero_point: int = 0,
) -> Graph:
    """A graph of ``node`` alone. The type of its output does not matter to the oracle."""
    kind = TensorType(DType.UINT8, (1, 1, 1, 1), Layout.NHWC)
    out = Value(node.output, kind, quant=QuantParams(1.0, zero_point))
    values = {**inputs, node.output: out}
    return Graph("case", (node,), values, constants, next(iter(inputs)), node.output)


def _first(batch: np.ndarray) -> np.ndarray:
    return np.asarray(batch[0])


@dataclass(frozen=True, eq=False)
class Strides:
    """Bytes from pixel to pixel beyond the channels, and how far off alignment rows begin."""

    in_extra: int = 0
    out_extra: int = 0
    misaligned: int = 0


DENSE = Strides()


@dataclass(frozen=True, eq=False)
class ConvCase:
    """``x`` (rows, cols, channels) uint8, ``weight`` OHWI int8, ``bias``, ``multiplier`` int32."""

    label: str
    x: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    multiplier: np.ndarray
    shift: int
    window: Window
    pad_value: tuple[int, ...]
    zero_point: int = 0
    clamp_min: int = 0
    relu: bool = False
    strides: Strides = DENSE

    @cached_property
    def expected(self) -> np.ndarray:
        """uint8 (rows, cols, O)."""
        node = ops.QConv2D(
            name="conv", inputs=("x", "w", "b", "m"), output="y", window=self.window,
            shift=self.shift, clamp_min=self.clamp_min, pad_value=self.pad_value,
        )
        return self._evaluate(node)

    @cached_property
    def expected_sums(self) -> np.ndarray:
        """int32 (O,)."""
        return self._evaluate(self._summing())

    @property
    def accumulators(self) -> np.ndarray:
        """int32 (rows, cols, O)."""
        node = self._summing()
        return _first(accumulate(self._graph(node), node, self.x[None]))

    def _summing(self) -> ops.QConvGlobalPool:
        return ops.QConvGlobalPool(
            name="conv", inputs=("x", "w", "b", "m"), output="y", window=self.window,
            shift=self.shift, pad_value=self.pad_value, relu=self.relu,
        )

    def _graph(self, node: ops.Node) -> Graph:
        constants = {"w": self.weight, "b": self.bias, "m": self.multiplier}
        return single(node, {"x": feature_map("x", self.x)}, constants, self.zero_point)

    def _evaluate(self, node: ops.Node) -> np.ndarray:
        return _first(evaluate_qnode(self._graph(node), node, [self.x[None]]))


@dataclass(frozen=True, eq=False)
class PoolCase:
    """Max-pooling of ``x`` (rows, cols, channels) uint8."""

    label: str
    x: np.ndarray
    window: Window
    strides: Strides = DENSE

    @cached_property
    def expected(self) -> np.ndarray:
        node = ops.QMaxPool2D(name="pool", inputs=("x",), output="y", window=self.window)
        graph = single(node, {"x": feature_map("x", self.x)}, {})
        return _first(evaluate_qnode(graph, node, [self.x[None]]))


@dataclass(frozen=True, eq=False)
class AddCase:
    """Sum of ``a`` and ``b`` (rows, cols, channels) uint8; zero points of a, b and the output."""

    label: str
    a: np.ndarray
    b: np.ndarray
    zero_points: tuple[int, int, int]
    multipliers: tuple[int, int]
    shift: int
    clamp_min: int = 0
    strides: Strides = DENSE

    @cached_property
    def expected(self) -> np.ndarray:
        node = ops.QAdd(
            name="add", inputs=("a", "b"), output="y", multiplier_a=self.multipliers[0],
            multiplier_b=self.multipliers[1], shift=self.shift, clamp_min=self.clamp_min,
        )
        inputs = {
            "a": feature_map("a", self.a, self.zero_points[0]),
            "b": feature_map("b", self.b, self.zero_points[1]),
        }
        graph = single(node, inputs, {}, self.zero_points[2])
        return _first(evaluate_qnode(graph, node, [self.a[None], self.b[None]]))


@dataclass(frozen=True, eq=False)
class SumCase:
    """Sum over the pixels of ``x`` (rows, cols, channels) uint8."""

    label: str
    x: np.ndarray
    zero_point: int
    strides: Strides = DENSE

    @cached_property
    def expected(self) -> np.ndarray:
        node = ops.QGlobalPool(name="sum", inputs=("x",), output="y")
        graph = single(node, {"x": feature_map("x", self.x, self.zero_point)}, {})
        return _first(evaluate_qnode(graph, node, [self.x[None]]))


def padding_of(kernel: tuple[int, int], style: str) -> Padding:
    """``none``, ``same`` for odd kernels, or ``uneven``: as far as it goes on two sides."""
    rows, cols = kernel
    match style:
        case "none":
            return Padding()
        case "same":
            return Padding(rows // 2, cols // 2, (rows - 1) // 2, (cols - 1) // 2)
        case "uneven":
            return Padding(rows - 1, 0, 0, cols - 1)
    return Padding(0, cols - 1, rows - 1, 0)
