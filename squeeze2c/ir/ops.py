"""Operators. Immutable, and ignorant of C.

Every node names its inputs and its single output. Operands that must be
constant (weights, bias) are inputs too; :class:`Graph.constants` holds their
arrays.

Float operators come from the frontend and live through the passes. Quantised
operators (``Q...``) come from :mod:`squeeze2c.quantize`; they are what the
integer oracle executes and what C is generated from.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from squeeze2c.ir.types import Provenance, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What all operators have in common."""

    name: str
    inputs: tuple[str, ...]
    output: str
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def kind(self) -> str:
        return type(self).__name__


# --- float operators ---------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv2D(Node):
    """Inputs (x, weight[, bias]). Weight is OIHW while x is NCHW, OHWI while x is NHWC.

    ``pad_value`` is the real value per input channel that padding stands for;
    empty means zero. Only folding of the input normalisation makes it otherwise.
    """

    window: Window
    relu: bool = False
    pad_value: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvGlobalPool(Node):
    """Convolution, optional ReLU, then the mean over all pixels. Output is flat (1, C).

    Inputs (x, weight[, bias]) as :class:`Conv2D`.
    """

    window: Window
    relu: bool = False
    pad_value: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchNorm(Node):
    """Inputs (x, scale, bias, mean, variance), inference mode."""

    epsilon: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Relu(Node):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool2D(Node):
    """Padding never wins the maximum. The frontend makes ceil mode into bottom/right padding."""

    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalAvgPool2D(Node):
    """Mean over all pixels. Output keeps the rank: (1, C, 1, 1) in NCHW."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concat(Node):
    """Concatenation along the channel axis. ``axis`` counts from 0 in the current layout."""

    axis: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Node):
    """Elementwise sum of two feature maps of one shape."""

    relu: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax(Node):
    axis: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity(Node):
    """Identity, Dropout at inference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshape(Node):
    """Flatten, Reshape, Squeeze: ``shape`` is the static result."""

    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill(Node):
    """ConstantOfShape: no inputs, every element is ``value``."""

    shape: tuple[int, ...]
    value: float


# --- quantised operators: NHWC, uint8 activations ------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class QConv2D(Node):
    """Inputs (x, weight int8 OHWI, bias int32 [O], multiplier int32 [O]).

    With zp the zero point of the output value::

        acc[o] = bias[o] + sum(weight[o] * x)          (int32, proven not to overflow)
        y[o]   = clamp(zp + ((acc[o] * multiplier[o] + 2**(shift-1)) >> shift), clamp_min, 255)

    The correction for a zero point of x is folded into the bias. Taps outside
    x read ``pad_value`` (one integer per input channel).
    """

    window: Window
    shift: int
    clamp_min: int
    pad_value: tuple[int, ...]
    relu: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QConvGlobalPool(Node):
    """Convolution whose outputs are summed over all pixels without rounding to 8 bits.

    Inputs as :class:`QConv2D`; output int32 (1, O) with one scale::

        y[o] = sum over pixels of max(floor, (acc[o] * multiplier[o] + 2**(shift-1)) >> shift)

    ``floor`` is 0 with ReLU and absent (minus infinity) without.
    """

    window: Window
    shift: int
    pad_value: tuple[int, ...]
    relu: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QMaxPool2D(Node):
    """uint8 to uint8 with unchanged quantisation. Padding reads 0, the least uint8."""

    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class QGlobalPool(Node):
    """``y[c] = sum over pixels of (x[c] - zero_point)``: int32 (1, C), one scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QAdd(Node):
    """Inputs (a, b) uint8; multipliers are scalars::

        r = (a - za) * multiplier_a + (b - zb) * multiplier_b     (int32, proven)
        y = clamp(zp + ((r + 2**(shift-1)) >> shift), clamp_min, 255)
    """

    multiplier_a: int
    multiplier_b: int
    shift: int
    clamp_min: int
    relu: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QConcat(Node):
    """Channel concatenation, in order, of inputs that all share the output's quantisation.

    Every input is written by its producer straight into its slice of the
    output rows, so this node itself costs nothing. An input belongs to one
    QConcat only and is not the graph input.
    """
