"""The checks behind :mod:`squeeze2c.frontend.constraints`.

Each takes a node and returns what is wrong with it, or None. A check may rely on the
rules that stand before it in the operator's entry of the table.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from squeeze2c.frontend.geometry import (
    REDUCE_AXES_INPUT_OPSET,
    auto_pad_of,
    axes_of,
    clip_range,
    kernel_of,
    pads_of,
    strides_of,
    window_of,
)
from squeeze2c.frontend.node import OnnxNode
from squeeze2c.frontend.shapes import (
    AUTO_PADS,
    EXPLICIT,
    SAME,
    normalised_axes,
    show,
)
from squeeze2c.frontend.weights import as_float32, is_float

STRIDE_LIMIT = 4


# --- inputs and outputs ---------------------------------------------------------


def computed_input(node: OnnxNode) -> str | None:
    return _computed(node, 0)


def map_input(node: OnnxNode) -> str | None:
    return _map(node, 0)


def map_inputs(node: OnnxNode) -> str | None:
    return next(filter(None, (_map(node, i) for i in range(len(node.inputs)))), None)


def _computed(node: OnnxNode, index: int) -> str | None:
    if not node.input(index):
        return f"input {index} is missing"
    if node.shape(index) is None:
        return f"input {node.input(index)!r} is a constant"
    return None


def _map(node: OnnxNode, index: int) -> str | None:
    problem = _computed(node, index)
    shape = node.shape(index)
    if problem is None and shape is not None and len(shape) != 4:
        return f"input {node.input(index)!r} has shape {show(shape)}"
    return problem


def two_inputs(node: OnnxNode) -> str | None:
    return None if len(node.inputs) == 2 else f"it has {len(node.inputs)} inputs"


def one_output(node: OnnxNode) -> str | None:
    used = [name for name in node.proto.output[1:] if name and node.scope.is_read(name)]
    return f"its output {used[0]!r} is used" if used else None


def flag(attribute: str) -> Callable[[OnnxNode], str | None]:
    """A check that ``attribute`` is 0 or 1: runtimes disagree on what other numbers mean."""

    def check(node: OnnxNode) -> str | None:
        found = node.attribute(attribute, 0)
        return None if found in (0, 1) else f"{attribute} is {found}"

    return check


# --- windows --------------------------------------------------------------------


def auto_pad(node: OnnxNode) -> str | None:
    found = auto_pad_of(node)
    return None if found in AUTO_PADS else f"auto_pad is {found!r}"


def strides(node: OnnxNode) -> str | None:
    found = strides_of(node)
    valid = len(found) == 2 and all(1 <= stride <= STRIDE_LIMIT for stride in found)
    return None if valid else f"strides are {list(found)}"


def same_strides(node: OnnxNode) -> str | None:
    found = strides_of(node)
    if auto_pad_of(node) not in SAME:
        return None
    if all(s <= k + 1 for s, k in zip(found, kernel_of(node), strict=True)):
        return None
    return (
        f"auto_pad is {auto_pad_of(node)}, the kernel is {list(kernel_of(node))} "
        f"and the strides are {list(found)}"
    )


def dilations(node: OnnxNode) -> str | None:
    found = node.attribute("dilations", (1, 1))
    return None if found == (1, 1) else f"dilations are {list(found)}"


def pads(node: OnnxNode) -> str | None:
    found = pads_of(node)
    valid = len(found) == 4 and all(pad >= 0 for pad in found)
    return None if valid else f"pads are {list(found)}"


def window_fits(node: OnnxNode) -> str | None:
    window = window_of(node)
    _, _, rows, cols = node.map_shape()
    if min(window.counts(rows, cols)) >= 1:
        return None
    kernel_rows, kernel_cols = window.kernel
    padding = window.padding
    return (
        f"a kernel of {kernel_rows}x{kernel_cols} does not fit into a map of {rows}x{cols} padded "
        f"by {padding.top}, {padding.left}, {padding.bottom}, {padding.right} "
        "(top, left, bottom, right)"
    )


# --- convolution ----------------------------------------------------------------


def conv_weight(node: OnnxNode) -> str | None:
    problem = _float_constant(node, 1, "weight")
    weight = node.constant(1)
    if problem or weight is None:
        return problem
    if weight.ndim != 4 or 0 in weight.shape:
        return f"weight {node.input(1)!r} has shape {show(weight.shape)}"
    return None


def group(node: OnnxNode) -> str | None:
    found = node.attribute("group", 1)
    return None if found == 1 else f"group is {found}"


def conv_channels(node: OnnxNode) -> str | None:
    weight = node.constant(1)
    channels = node.map_shape()[1]
    if weight is None or weight.shape[1] == channels:
        return None
    return (
        f"weight {node.input(1)!r} of shape {show(weight.shape)} expects {weight.shape[1]} "
        f"channels, but input {node.input(0)!r} has {channels}"
    )


def conv_kernel(node: OnnxNode) -> str | None:
    weight = node.constant(1)
    found = kernel_of(node)
    if weight is None or found == weight.shape[2:]:
        return None
    return f"kernel_shape is {list(found)}, but weight {node.input(1)!r} is {show(weight.shape)}"


def conv_bias(node: OnnxNode) -> str | None:
    if not node.input(2):
        return None
    problem = _float_constant(node, 2, "bias")
    bias, weight = node.constant(2), node.constant(1)
    if problem or bias is None or weight is None or bias.shape == weight.shape[:1]:
        return problem
    return (
        f"bias {node.input(2)!r} has shape {show(bias.shape)} for {weight.shape[0]} output channels"
    )


def _float_constant(node: OnnxNode, index: int, what: str) -> str | None:
    array = node.constant(index)
    if array is None:
        return f"{what} {node.input(index)!r} is not a constant"
    return None if is_float(array) else f"{what} {node.input(index)!r} is {array.dtype}"


def finite_weights(node: OnnxNode) -> str | None:
    for index in range(1, len(node.inputs)):
        array = node.constant(index)
        if array is None or np.isfinite(as_float32(array)).all():
            continue
        if np.isnan(array).any():
            return f"tensor {node.input(index)!r} holds NaN"
        if np.isinf(array).any():
            return f"tensor {node.input(index)!r} holds infinity"
        return f"tensor {node.input(index)!r} holds numbers beyond the range of 32-bit floats"
    return None


# --- batch normalisation and dropout ----------------------------------------------

_NORM = ("scale", "bias", "mean", "variance")


def training_attribute(node: OnnxNode) -> str | None:
    found = node.attribute("training_mode", 0)
    return None if found == 0 else f"training_mode is {found}"


def spatial(node: OnnxNode) -> str | None:
    found = node.attribute("spatial", 1)
    return None if found == 1 else f"spatial is {found}"


def norm_parameters(node: OnnxNode) -> str | None:
    channels = node.map_shape()[1]
    for index, what in enumerate(_NORM, start=1):
        problem = _float_constant(node, index, what)
        array = node.constant(index)
        if problem or array is None:
            return problem
        if array.shape != (channels,):
            return (
                f"{what} {node.input(index)!r} has shape {show(array.shape)} "
                f"for {channels} channels"
            )
    return None


def norm_variance(node: OnnxNode) -> str | None:
    epsilon = node.attribute("epsilon", 1e-5)
    if not np.isfinite(epsilon):
        return f"epsilon is {epsilon}"
    variance = node.constant(4)
    if variance is None or not (as_float32(variance) + np.float32(epsilon) <= 0).any():
        return None
    return f"variance {node.input(4)!r} goes down to {variance.min()}, epsilon is {epsilon:g}"


def training_input(node: OnnxNode) -> str | None:
    if not node.input(2):
        return None
    mode = node.constant(2)
    if mode is not None and mode.dtype == np.bool_ and not mode.any():
        return None
    return f"training_mode {node.input(2)!r} may be true"


# --- activation, pooling ------------------------------------------------------------


def clip_is_relu(node: OnnxNode) -> str | None:
    found = clip_range(node)
    if found is None:
        return "its bounds are not constant scalars"
    low, high = found
    return None if (low, high) == (0, np.inf) else f"it clips to {low:g}..{high:g}"


def pool_kernel(node: OnnxNode) -> str | None:
    found = kernel_of(node)
    valid = len(found) == 2 and all(size >= 1 for size in found)
    return None if valid else f"kernel_shape is {list(found)}"


def pool_pads(node: OnnxNode) -> str | None:
    if auto_pad_of(node) != EXPLICIT:
        return None
    top, left, bottom, right = pads_of(node)
    rows, cols = kernel_of(node)
    if max(top, bottom) < rows and max(left, right) < cols:
        return None
    return f"pads are {[top, left, bottom, right]} with a kernel of {rows}x{cols}"


def valid_ceil(node: OnnxNode) -> str | None:
    if auto_pad_of(node) == "VALID" and node.attribute("ceil_mode", 0):
        return "ceil_mode is set while auto_pad is VALID"
    return None


def storage_order(node: OnnxNode) -> str | None:
    found = node.attribute("storage_order", 0)
    return None if found == 0 else f"storage_order is {found}"


def no_same_padding(node: OnnxNode) -> str | None:
    found = auto_pad_of(node)
    return None if found in (EXPLICIT, "VALID") else f"auto_pad is {found!r}"


def no_pads(node: OnnxNode) -> str | None:
    found = pads_of(node)
    return f"pads are {list(found)}" if any(found) else None


def average_covers_map(node: OnnxNode) -> str | None:
    _, _, rows, cols = node.map_shape()
    kernel_rows, kernel_cols = kernel_of(node)
    if (kernel_rows, kernel_cols) == (rows, cols):
        return None
    return f"its kernel is {kernel_rows}x{kernel_cols} on a map of {rows}x{cols}"


def mean_axes(node: OnnxNode) -> str | None:
    axes = axes_of(node, REDUCE_AXES_INPUT_OPSET)
    if axes is None:
        return "axes are absent or not constant"
    if normalised_axes(axes, 4) == (2, 3):
        return None
    return f"axes are {list(axes)}"
