"""Operators on constants: they are computed while the graph is read and leave no node.

Exporters compute the target of Reshape from the shape of a feature map, pass weights
through Identity, Cast or Transpose, or make them with ConstantOfShape. Shapes are static
here, so all of that is constant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import onnx
from onnx import helper

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.frontend.geometry import SQUEEZE_AXES_INPUT_OPSET, axes_of
from squeeze2c.frontend.node import STANDARD_DOMAIN, OnnxNode, tensor_array
from squeeze2c.frontend.shapes import reshaped

ELEMENT_LIMIT = 1 << 28
"""A constant of more elements than this is a mistake, not a SqueezeNet."""

SLICE_INPUTS_OPSET = 10

_PROBLEMS = (
    ValueError,
    IndexError,
    TypeError,
    KeyError,
    OverflowError,
    ZeroDivisionError,
    MemoryError,
)


def fold(node: OnnxNode) -> np.ndarray | None:
    """The value of ``node`` where it is constant, else None.

    Shape and Size are constant for feature maps too. Raises
    :class:`UnsupportedModelError` where the value cannot be computed.
    """
    function = FOLDED.get(node.op) if node.proto.domain == STANDARD_DOMAIN else None
    if function is None or not _is_constant(node):
        return None
    try:
        return function(node)
    except _PROBLEMS as problem:
        raise UnsupportedModelError(
            f"cannot compute this constant: {problem}",
            op=node.op,
            where=node.where,
            hint="simplify the model, for example with the package onnxsim",
        ) from problem


def _is_constant(node: OnnxNode) -> bool:
    if node.op in ("Shape", "Size") and node.shape() is not None:
        return True
    return all(node.constant(i) is not None for i, name in enumerate(node.inputs) if name)


def _array(node: OnnxNode, index: int) -> np.ndarray:
    array = node.constant(index)
    if array is None:
        raise ValueError(f"input {index} is missing")
    return array


def _integers(node: OnnxNode, index: int) -> tuple[int, ...]:
    found = node.integers(index)
    if found is None:
        raise ValueError(f"input {index} does not hold integers")
    return found


def _constant(node: OnnxNode) -> np.ndarray:
    value = node.raw_attribute("value")
    if isinstance(value, onnx.TensorProto):
        return tensor_array(value, f"{node.where}: value")
    for name, kind in (
        ("value_int", np.int64),
        ("value_ints", np.int64),
        ("value_float", np.float32),
        ("value_floats", np.float32),
    ):
        value = node.raw_attribute(name)
        if value is not None:
            return np.array(value, kind)
    raise ValueError("it holds neither a tensor nor numbers")


def _constant_of_shape(node: OnnxNode) -> np.ndarray:
    shape = _integers(node, 0)
    if any(size < 0 for size in shape) or math.prod(shape) > ELEMENT_LIMIT:
        raise ValueError(f"its shape is {list(shape)}")
    value = node.raw_attribute("value")
    if value is None:
        return np.zeros(shape, np.float32)
    fill = tensor_array(value, f"{node.where}: value")
    return np.full(shape, fill.reshape(()), fill.dtype)


def _shape(node: OnnxNode) -> np.ndarray:
    shape = node.shape()
    if shape is None:
        shape = _array(node, 0).shape
    # `start` and `end` clamp to the rank, as slices do.
    chosen = shape[node.attribute("start", 0) : node.attribute("end", len(shape))]
    return np.array(chosen, np.int64)


def _size(node: OnnxNode) -> np.ndarray:
    shape = node.shape()
    return np.array(math.prod(_array(node, 0).shape if shape is None else shape), np.int64)


def _gather(node: OnnxNode) -> np.ndarray:
    return np.take(_array(node, 0), _array(node, 1), axis=node.attribute("axis", 0))


def _slice(node: OnnxNode) -> np.ndarray:
    array = _array(node, 0)
    if node.opset < SLICE_INPUTS_OPSET:
        starts: tuple[int, ...] = node.attribute("starts", ())
        ends: tuple[int, ...] = node.attribute("ends", ())
        axes = node.attribute("axes", tuple(range(len(starts))))
        steps: tuple[int, ...] = (1,) * len(starts)
    else:
        starts, ends = _integers(node, 1), _integers(node, 2)
        axes = _integers(node, 3) if node.input(3) else tuple(range(len(starts)))
        steps = _integers(node, 4) if node.input(4) else (1,) * len(starts)
    slices = [slice(None)] * array.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        # Running backwards, an end before the first element means "through the first".
        last = None if step < 0 and end < -array.shape[axis] else end
        slices[axis] = slice(start, last, step)
    return array[tuple(slices)]


def _unsqueeze(node: OnnxNode) -> np.ndarray:
    axes = axes_of(node, SQUEEZE_AXES_INPUT_OPSET)
    if axes is None:
        raise ValueError("axes are missing")
    return np.expand_dims(_array(node, 0), axes)


def _reshape(node: OnnxNode) -> np.ndarray:
    array, target = _array(node, 0), _integers(node, 1)
    shape = reshaped(array.shape, target, bool(node.attribute("allowzero", 0)))
    if shape is None:
        raise ValueError(f"{array.shape} cannot become {target}")
    return array.reshape(shape)


def _cast(node: OnnxNode) -> np.ndarray:
    kind = helper.tensor_dtype_to_np_dtype(node.attribute("to", 0))
    with np.errstate(over="ignore", invalid="ignore"):
        return _array(node, 0).astype(kind)


def _transpose(node: OnnxNode) -> np.ndarray:
    permutation = node.raw_attribute("perm")
    return np.transpose(_array(node, 0), permutation)


def _concat(node: OnnxNode) -> np.ndarray:
    arrays = [_array(node, i) for i in range(len(node.inputs))]
    return np.concatenate(arrays, axis=node.attribute("axis", 1))


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if np.issubdtype(a.dtype, np.integer):
        # ONNX divides integers as C does: towards zero.
        if not np.all(b):
            raise ZeroDivisionError("division by zero")
        quotient: np.ndarray = np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))
        return quotient
    result: np.ndarray = np.divide(a, b)
    return result


def _binary(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> _Folder:
    def apply(node: OnnxNode) -> np.ndarray:
        a, b = _array(node, 0), _array(node, 1)
        if math.prod(np.broadcast_shapes(a.shape, b.shape)) > ELEMENT_LIMIT:
            raise ValueError(f"shapes {a.shape} and {b.shape} make too many elements")
        with np.errstate(all="ignore"):
            return function(a, b).astype(a.dtype, copy=False)

    return apply


_Folder = Callable[[OnnxNode], np.ndarray]

FOLDED: Mapping[str, _Folder] = {
    "Add": _binary(np.add),
    "Cast": _cast,
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Div": _binary(_divide),
    "Gather": _gather,
    "Identity": lambda node: _array(node, 0),
    "Mul": _binary(np.multiply),
    "Reshape": _reshape,
    "Shape": _shape,
    "Size": _size,
    "Slice": _slice,
    "Squeeze": lambda node: np.squeeze(_array(node, 0), axes_of(node, SQUEEZE_AXES_INPUT_OPSET)),
    "Sub": _binary(np.subtract),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
"""Operators on constants, by ONNX name."""
