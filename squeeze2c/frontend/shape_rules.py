"""Checks behind :mod:`squeeze2c.frontend.constraints`: joining, reshaping, Softmax.

They work as those in :mod:`squeeze2c.frontend.rules`.
"""

from __future__ import annotations

from collections.abc import Iterator

from squeeze2c.frontend.geometry import (
    SQUEEZE_AXES_INPUT_OPSET,
    axes_of,
    paddings_of,
    reshape_result,
    softmax_axes,
)
from squeeze2c.frontend.node import OnnxNode
from squeeze2c.frontend.shapes import show

RESHAPING = ("Dropout", "Flatten", "Identity", "Reshape", "Squeeze")

# --- joining ------------------------------------------------------------------------


def concat_axis(node: OnnxNode) -> str | None:
    found = node.attribute("axis", 1)
    return None if found in (1, -3) else f"axis is {found}"


def concat_sizes(node: OnnxNode) -> str | None:
    shapes = list(_input_shapes(node))
    other = next((s for s in shapes if s[2:] != shapes[0][2:]), None)
    return f"inputs have shapes {show(shapes[0])} and {show(other)}" if other else None


def same_shapes(node: OnnxNode) -> str | None:
    shapes = list(_input_shapes(node))
    if shapes[0] == shapes[1]:
        return None
    return f"inputs have shapes {show(shapes[0])} and {show(shapes[1])}"


def _input_shapes(node: OnnxNode) -> Iterator[tuple[int, int, int, int]]:
    return (node.map_shape(index) for index in range(len(node.inputs)))


# --- shapes ---------------------------------------------------------------------------


def pads_nothing(node: OnnxNode) -> str | None:
    found = paddings_of(node)
    if found is None:
        return "its pads are not constant"
    return f"it pads by {list(found)}" if any(found) else None


def constant_target(node: OnnxNode) -> str | None:
    return f"{node.input(1)!r} is not constant" if node.integers(1) is None else None


def constant_axes(node: OnnxNode) -> str | None:
    return constant_target(node) if node.input(1) else None


def reshape_possible(node: OnnxNode) -> str | None:
    if reshape_result(node) is not None:
        return None
    shape = show(node.shape() or ())
    if node.op == "Flatten":
        return f"{shape} has no axis {node.attribute('axis', 1)}"
    if node.op == "Squeeze":
        return f"{shape} cannot be squeezed along {axes_of(node, SQUEEZE_AXES_INPUT_OPSET)}"
    return f"{shape} cannot become {show(node.integers(1) or ())}"


def reshape_supported(node: OnnxNode) -> str | None:
    shape, result = node.shape() or (), reshape_result(node) or ()
    if result == shape:
        return None
    shorter = 2 <= len(result) < len(shape)
    if shorter and result == shape[: len(result)] and set(shape[len(result) :]) == {1}:
        return None
    return f"it turns {show(shape)} into {show(result)}"


# --- softmax -----------------------------------------------------------------------------


def softmax_input(node: OnnxNode) -> str | None:
    shape = node.shape() or ()
    if len(shape) == 2 or (len(shape) == 4 and shape[2:] == (1, 1)):
        return None
    return f"input {node.input(0)!r} has shape {show(shape)}"


def softmax_axis(node: OnnxNode) -> str | None:
    axes = softmax_axes(node)
    if axes is None:
        return f"axis is {node.attribute('axis', -1)}, the input {show(node.shape() or ())}"
    # Old opsets normalise over all axes from `axis` on; those of size 1 change nothing.
    if axes[:1] == (1,):
        return None
    return f"it normalises over axes {list(axes)} of {show(node.shape() or ())}"


def softmax_last(node: OnnxNode) -> str | None:
    name = node.output
    while name != node.scope.output:
        readers = node.scope.consumers.get(name, ())
        other = next((r for r in readers if r.op_type not in RESHAPING), None)
        if other is not None:
            return f"{other.op_type} reads it"
        if not readers:
            return "its result is not the model's output"
        name = readers[0].output[0]
    return None
