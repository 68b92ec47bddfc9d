"""Windows and axes that a node's attributes and inputs describe, whatever the opset.

These functions read; :mod:`squeeze2c.frontend.constraints` has checked, or is about to
check, that what they return is supported.
"""

from __future__ import annotations

import math

import numpy as np

from squeeze2c.frontend.node import OnnxNode
from squeeze2c.frontend.shapes import (
    EXPLICIT,
    Pair,
    Shape,
    flattened,
    reshaped,
    resolve_window,
    squeezed,
)
from squeeze2c.frontend.weights import is_float
from squeeze2c.ir import Window

REDUCE_AXES_INPUT_OPSET = 18
SQUEEZE_AXES_INPUT_OPSET = 13
CLIP_INPUTS_OPSET = 11
PAD_INPUTS_OPSET = 11
SOFTMAX_ONE_AXIS_OPSET = 13
"""Before, Softmax saw its input as a matrix, all axes from ``axis`` on being columns."""

FLOAT32_MAX = float(np.finfo(np.float32).max)


def kernel_of(node: OnnxNode) -> tuple[int, ...]:
    """``kernel_shape``, for Conv by default that of the weight."""
    weight = node.constant(1) if node.op == "Conv" else None
    return node.attribute("kernel_shape", () if weight is None else weight.shape[2:])


def strides_of(node: OnnxNode) -> tuple[int, ...]:
    return node.attribute("strides", (1, 1))


def pads_of(node: OnnxNode) -> tuple[int, ...]:
    """Top, left, bottom, right, as ``pads`` says; not what ``auto_pad`` asks for."""
    return node.attribute("pads", (0, 0, 0, 0))


def auto_pad_of(node: OnnxNode) -> str:
    return node.attribute("auto_pad", EXPLICIT) or EXPLICIT


def window_of(node: OnnxNode) -> Window:
    """The window of a Conv or pooling node whose attributes are supported."""
    _, _, rows, cols = node.map_shape()
    top, left, bottom, right = pads_of(node)
    return resolve_window(
        (rows, cols),
        _pair(kernel_of(node)),
        _pair(strides_of(node)),
        (top, left, bottom, right),
        auto_pad_of(node),
        bool(node.attribute("ceil_mode", 0)),
    )


def axes_of(node: OnnxNode, input_opset: int) -> tuple[int, ...] | None:
    """Axes of Squeeze or ReduceMean, an input from ``input_opset`` on; None where absent."""
    if node.opset < input_opset:
        found: tuple[int, ...] | None = node.raw_attribute("axes")
        return found
    return node.integers(1)


def clip_range(node: OnnxNode) -> tuple[float, float] | None:
    """Bounds of Clip, infinite where it has none; None where they are not constant."""
    if node.opset < CLIP_INPUTS_OPSET:
        low, high = node.attribute("min", -math.inf), node.attribute("max", math.inf)
    else:
        bounds = [node.constant(i) if node.input(i) else np.array(s) for i, s in _OPEN]
        numbers = [float(b.reshape(())) for b in bounds if b is not None and _is_scalar(b)]
        if len(numbers) != 2:
            return None
        low, high = numbers
    return (-math.inf if low <= -FLOAT32_MAX else low, math.inf if high >= FLOAT32_MAX else high)


def _is_scalar(array: np.ndarray) -> bool:
    return array.size == 1 and is_float(array)


_OPEN = ((1, -math.inf), (2, math.inf))


def paddings_of(node: OnnxNode) -> tuple[int, ...] | None:
    """All paddings of a Pad node, None where they are not constant."""
    if node.opset < PAD_INPUTS_OPSET:
        return node.attribute("pads", ())
    return node.integers(1)


def reshape_result(node: OnnxNode) -> Shape | None:
    """Shape that Reshape, Flatten or Squeeze gives its first input; None where impossible."""
    shape = node.shape()
    if shape is None:
        return None
    if node.op == "Flatten":
        return flattened(shape, node.attribute("axis", 1))
    if node.op == "Squeeze":
        return squeezed(shape, axes_of(node, SQUEEZE_AXES_INPUT_OPSET))
    target = node.integers(1)
    if target is None:
        return None
    return reshaped(shape, target, bool(node.attribute("allowzero", 0)))


def softmax_axes(node: OnnxNode) -> tuple[int, ...] | None:
    """The axes, counted from the front, that Softmax normalises together; None if invalid."""
    rank = len(node.scope.shapes[node.input(0)])
    one_axis = node.opset >= SOFTMAX_ONE_AXIS_OPSET
    axis = node.attribute("axis", -1 if one_axis else 1)
    if not -rank <= axis < rank:
        return None
    axis = axis + rank if axis < 0 else axis
    return (axis,) if one_axis else tuple(range(axis, rank))


def _pair(sizes: tuple[int, ...]) -> Pair:
    rows, cols = sizes
    return rows, cols
