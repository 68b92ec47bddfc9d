"""Shape arithmetic of ONNX operators on plain integers, free of ONNX objects.

Spatial quantities are pairs (rows, columns). Formulas are those of the ONNX operator
specifications of Conv, MaxPool, Reshape, Flatten and Squeeze.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from squeeze2c.ir import Padding, Window

Pair = tuple[int, int]
Shape = tuple[int, ...]

EXPLICIT = "NOTSET"
SAME = ("SAME_UPPER", "SAME_LOWER")
AUTO_PADS = (EXPLICIT, *SAME, "VALID")


def same_padding(size: int, kernel: int, stride: int, auto_pad: str) -> Pair:
    """Padding (before, after) with which ``ceil(size / stride)`` windows fit.

    An odd total puts the extra element after with SAME_UPPER, before with SAME_LOWER. A
    kernel smaller than the stride may need no padding; nothing is ever cropped.
    """
    windows = -(-size // stride)
    total = max(0, (windows - 1) * stride + kernel - size)
    small, large = total // 2, total - total // 2
    return (small, large) if auto_pad == "SAME_UPPER" else (large, small)


def ceil_padding(size: int, kernel: int, stride: int, before: int, after: int) -> int:
    """The padding after with which rounding down gives what ``ceil_mode`` asks for.

    Rounding up adds a window that hangs over the end. ONNX drops it where it would start
    in the padding after, that is at or behind element ``size`` of the unpadded axis.
    """
    windows = -(-(size + before + after - kernel) // stride) + 1
    if (windows - 1) * stride >= size + before:
        windows -= 1
    return max(after, (windows - 1) * stride + kernel - size - before)


def resolve_window(
    size: Pair,
    kernel: Pair,
    strides: Pair,
    pads: tuple[int, int, int, int] = (0, 0, 0, 0),
    auto_pad: str = EXPLICIT,
    ceil_mode: bool = False,
) -> Window:
    """A window with explicit padding for a map of ``size``.

    ``pads`` are (top, left, bottom, right); only EXPLICIT reads them, and only there does
    ``ceil_mode`` matter: with SAME the number of windows is ceil(size / stride) either
    way, and with VALID it must not be set.
    """
    top, left, bottom, right = (0, 0, 0, 0)
    if auto_pad in SAME:
        top, bottom = same_padding(size[0], kernel[0], strides[0], auto_pad)
        left, right = same_padding(size[1], kernel[1], strides[1], auto_pad)
    elif auto_pad == EXPLICIT:
        top, left, bottom, right = pads
        if ceil_mode:
            bottom = ceil_padding(size[0], kernel[0], strides[0], top, bottom)
            right = ceil_padding(size[1], kernel[1], strides[1], left, right)
    return Window(kernel, strides, Padding(top, left, bottom, right))


def reshaped(shape: Shape, target: Sequence[int], allow_zero: bool = False) -> Shape | None:
    """The result of Reshape, None where the number of elements does not allow it.

    In ``target``, -1 (once at most) is inferred, and 0 copies the axis of ``shape``
    unless ``allow_zero``.
    """
    result = list(target)
    for axis, size in enumerate(result):
        if size == 0 and not allow_zero:
            if axis >= len(shape):
                return None
            result[axis] = shape[axis]
    unknown = [axis for axis, size in enumerate(result) if size == -1]
    known = math.prod(size for size in result if size != -1)
    if len(unknown) > 1 or any(size < -1 for size in result):
        return None
    if unknown:
        if known == 0 or math.prod(shape) % known:
            return None
        result[unknown[0]] = math.prod(shape) // known
    return tuple(result) if math.prod(result) == math.prod(shape) else None


def flattened(shape: Shape, axis: int) -> Shape | None:
    """The result of Flatten, None where ``axis`` lies outside [-rank, rank]."""
    if not -len(shape) <= axis <= len(shape):
        return None
    axis = axis + len(shape) if axis < 0 else axis
    return math.prod(shape[:axis]), math.prod(shape[axis:])


def squeezed(shape: Shape, axes: Sequence[int] | None) -> Shape | None:
    """The result of Squeeze, all axes of size 1 where ``axes`` is None.

    None where an axis does not exist or is not of size 1.
    """
    if axes is None:
        return tuple(size for size in shape if size != 1)
    wanted = normalised_axes(axes, len(shape))
    if wanted is None or any(shape[axis] != 1 for axis in wanted):
        return None
    return tuple(size for axis, size in enumerate(shape) if axis not in wanted)


def normalised_axes(axes: Sequence[int], rank: int) -> tuple[int, ...] | None:
    """``axes`` counted from the front, sorted; None where one does not exist."""
    if not all(-rank <= axis < rank for axis in axes):
        return None
    return tuple(sorted({axis % rank for axis in axes}))


def show(shape: Sequence[object]) -> str:
    """``(1, 3, n, n)``: a shape for messages."""
    return f"({', '.join(str(size) for size in shape)})"
