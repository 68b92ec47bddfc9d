"""Shape inference: the type of a node's output from its operands.

Shared by the graph builder, which creates nodes, and the verifier, which checks them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from squeeze2c.errors import ShapeError
from squeeze2c.ir import ops
from squeeze2c.ir.types import DType, Layout, TensorType, Window


class HasShape(Protocol):
    """An array or a :class:`TensorType`: what is known of an operand."""

    @property
    def shape(self) -> tuple[int, ...]: ...


def channel_axis(layout: Layout) -> int:
    """Position of the channels in a feature map of ``layout`` (the last axis if flat)."""
    return 1 if layout is Layout.NCHW else -1 if layout is Layout.FLAT else 3


def feature_map_type(
    dtype: DType, channels: int, rows: int, cols: int, layout: Layout
) -> TensorType:
    """Type of one feature map (batch 1)."""
    shape = (1, channels, rows, cols) if layout is Layout.NCHW else (1, rows, cols, channels)
    return TensorType(dtype, shape, layout)


def flat_type(dtype: DType, channels: int) -> TensorType:
    """Type of a vector such as logits: (1, channels)."""
    return TensorType(dtype, (1, channels), Layout.FLAT)


def infer_type(node: ops.Node, operands: Sequence[TensorType | HasShape]) -> TensorType:
    """Type of ``node``'s output; ``operands`` are types of values and arrays of constants.

    Raises :class:`ShapeError`, naming the ONNX node, where the operands do not fit the
    operator or one another.
    """
    match node:
        case ops.Fill():
            layout = Layout.NCHW if len(node.shape) == 4 else Layout.FLAT
            return TensorType(DType.FLOAT32, node.shape, layout)
        case ops.Conv2D() | ops.QConv2D():
            return _convolution(node, operands)
        case ops.ConvGlobalPool() | ops.QConvGlobalPool():
            per_pixel = _convolution(node, operands)
            dtype = DType.INT32 if isinstance(node, ops.QConvGlobalPool) else DType.FLOAT32
            return flat_type(dtype, per_pixel.channels)
        case ops.MaxPool2D() | ops.QMaxPool2D():
            return _max_pool(node, operands)
        case ops.GlobalAvgPool2D():
            x = _feature_map(node, operands, 0)
            if x.layout is Layout.NHWC:
                return flat_type(DType.FLOAT32, x.channels)
            return feature_map_type(DType.FLOAT32, x.channels, 1, 1, x.layout)
        case ops.QGlobalPool():
            return flat_type(DType.INT32, _feature_map(node, operands, 0).channels)
        case ops.Concat() | ops.QConcat():
            return _concat(node, operands)
        case ops.Add() | ops.QAdd():
            return _add(node, operands)
        case ops.BatchNorm():
            return _batch_norm(node, operands)
        case ops.Reshape():
            return _reshape(node, operands)
        case ops.Relu() | ops.Softmax() | ops.Identity():
            return _elementwise(node, operands)
    raise _error(node, f"no shape inference for {node.kind}")


def _error(node: ops.Node, message: str) -> ShapeError:
    return ShapeError(f"{node.kind} {node.name}: {message}", where=str(node.provenance))


def _value(
    node: ops.Node, operands: Sequence[TensorType | HasShape], index: int
) -> TensorType:
    """Operand ``index``, which must be a value rather than a constant."""
    if index >= len(operands):
        raise _error(node, f"has {len(operands)} inputs, operand {index} is missing")
    operand = operands[index]
    if not isinstance(operand, TensorType):
        raise _error(node, f"operand {index} must not be a constant")
    return operand


def _feature_map(
    node: ops.Node, operands: Sequence[TensorType | HasShape], index: int
) -> TensorType:
    x = _value(node, operands, index)
    if len(x.shape) != 4 or x.layout is Layout.FLAT:
        raise _error(node, f"needs a feature map, got shape {_text(x.shape)} ({x.layout.value})")
    return x


def _expect_count(node: ops.Node, operands: Sequence[object], counts: Sequence[int]) -> None:
    if len(operands) not in counts:
        raise _error(node, f"has {len(operands)} inputs, expected {' or '.join(map(str, counts))}")


def _convolution(
    node: ops.Conv2D | ops.ConvGlobalPool | ops.QConv2D | ops.QConvGlobalPool,
    operands: Sequence[TensorType | HasShape],
) -> TensorType:
    """Type of the convolution's output before any pooling."""
    quantised = isinstance(node, ops.QConv2D | ops.QConvGlobalPool)
    _expect_count(node, operands, (4,) if quantised else (2, 3))
    x = _feature_map(node, operands, 0)
    weight = operands[1].shape
    kernel, axis = node.window.kernel, channel_axis(x.layout)
    if len(weight) != 4:
        raise _error(node, f"weights must have 4 axes, got {_text(weight)}")
    expected = (x.channels, *kernel) if axis == 1 else (*kernel, x.channels)
    if weight[1:] != expected:
        raise _error(
            node,
            f"weights {_text(weight)} do not fit {x.channels} input channels and a kernel of "
            f"{_text(kernel)}",
        )
    for operand in operands[2:]:
        if operand.shape != weight[:1]:
            raise _error(node, f"expected {weight[0]} constants, got {_text(operand.shape)}")
    rows, cols = _fitting_windows(node, x, node.window)
    dtype = DType.UINT8 if quantised else DType.FLOAT32
    return feature_map_type(dtype, weight[0], rows, cols, x.layout)


def _max_pool(
    node: ops.MaxPool2D | ops.QMaxPool2D, operands: Sequence[TensorType | HasShape]
) -> TensorType:
    _expect_count(node, operands, (1,))
    x = _feature_map(node, operands, 0)
    padding, kernel = node.window.padding, node.window.kernel
    rows_padding = max(padding.top, padding.bottom)
    if rows_padding >= kernel[0] or max(padding.left, padding.right) >= kernel[1]:
        raise _error(node, "padding must be smaller than the kernel: a window could hold nothing")
    rows, cols = _fitting_windows(node, x, node.window)
    dtype = DType.UINT8 if isinstance(node, ops.QMaxPool2D) else DType.FLOAT32
    return feature_map_type(dtype, x.channels, rows, cols, x.layout)


def _fitting_windows(node: ops.Node, x: TensorType, window: Window) -> tuple[int, int]:
    padding = window.padding
    sizes = (*window.kernel, *window.strides)
    margins = (padding.top, padding.left, padding.bottom, padding.right)
    if min(sizes) < 1 or min(margins) < 0:
        raise _error(node, "kernel and strides must be positive, padding not negative")
    rows, cols = window.counts(x.height, x.width)
    if rows < 1 or cols < 1:
        raise _error(
            node,
            f"a kernel of {_text(window.kernel)} does not fit a feature map of "
            f"{x.height}x{x.width} pixels",
        )
    return rows, cols


def _concat(
    node: ops.Concat | ops.QConcat, operands: Sequence[TensorType | HasShape]
) -> TensorType:
    if not operands:
        raise _error(node, "has no inputs")
    maps = [_feature_map(node, operands, i) for i in range(len(operands))]
    first = maps[0]
    axis = channel_axis(first.layout)
    if isinstance(node, ops.Concat) and node.axis != axis:
        raise _error(node, f"only the channel axis {axis} can be concatenated, not {node.axis}")
    for other in maps[1:]:
        same_size = (other.height, other.width) == (first.height, first.width)
        if other.layout is not first.layout or not same_size:
            raise _error(
                node, f"cannot concatenate {_text(first.shape)} and {_text(other.shape)}"
            )
    channels = sum(m.channels for m in maps)
    dtype = DType.UINT8 if isinstance(node, ops.QConcat) else DType.FLOAT32
    return feature_map_type(dtype, channels, first.height, first.width, first.layout)


def _add(node: ops.Add | ops.QAdd, operands: Sequence[TensorType | HasShape]) -> TensorType:
    _expect_count(node, operands, (2,))
    if operands[0].shape != operands[1].shape:
        raise _error(
            node, f"shapes differ: {_text(operands[0].shape)} and {_text(operands[1].shape)}"
        )
    x = next((o for o in operands if isinstance(o, TensorType)), None)
    if x is None:
        shape = operands[0].shape
        return TensorType(DType.FLOAT32, shape, Layout.NCHW if len(shape) == 4 else Layout.FLAT)
    dtype = DType.UINT8 if isinstance(node, ops.QAdd) else DType.FLOAT32
    return TensorType(dtype, x.shape, x.layout)


def _batch_norm(node: ops.BatchNorm, operands: Sequence[TensorType | HasShape]) -> TensorType:
    _expect_count(node, operands, (5,))
    x = _feature_map(node, operands, 0)
    for operand in operands[1:]:
        if operand.shape != (x.channels,):
            raise _error(node, f"expected {x.channels} statistics, got {_text(operand.shape)}")
    return TensorType(DType.FLOAT32, x.shape, x.layout)


def _reshape(node: ops.Reshape, operands: Sequence[TensorType | HasShape]) -> TensorType:
    _expect_count(node, operands, (1,))
    source = operands[0]
    if math.prod(source.shape) != math.prod(node.shape):
        raise _error(node, f"cannot reshape {_text(source.shape)} to {_text(node.shape)}")
    if len(node.shape) != 4:
        return TensorType(DType.FLOAT32, node.shape, Layout.FLAT)
    layout = source.layout if isinstance(source, TensorType) else Layout.FLAT
    return TensorType(
        DType.FLOAT32, node.shape, Layout.NCHW if layout is Layout.FLAT else layout
    )


def _elementwise(node: ops.Node, operands: Sequence[TensorType | HasShape]) -> TensorType:
    """Relu, Softmax, Identity: the operand's own shape."""
    _expect_count(node, operands, (1,))
    x = operands[0]
    if isinstance(x, TensorType):
        if isinstance(node, ops.Softmax) and not -len(x.shape) <= node.axis < len(x.shape):
            raise _error(node, f"axis {node.axis} is out of range for {_text(x.shape)}")
        return TensorType(DType.FLOAT32, x.shape, x.layout)
    layout = Layout.NCHW if len(x.shape) == 4 else Layout.FLAT
    return TensorType(DType.FLOAT32, x.shape, layout)


def _text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "scalar"
