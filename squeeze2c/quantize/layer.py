"""Integer weights, bias and multipliers of one convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from squeeze2c.errors import QuantizationError
from squeeze2c.ir.bounds import INT32_MAX, largest_partial_sum
from squeeze2c.quantize.options import QuantizeOptions
from squeeze2c.quantize.rounding import error_feedback_round
from squeeze2c.quantize.statistics import InputMoments
from squeeze2c.reference.fixed_point import DEFAULT_SHIFT, MULTIPLIER_LIMIT, shift_for

WEIGHT_LIMIT = 127
PRUNED_SHARE = 0.01
"""A layer with this share of exact zeros has been pruned: its zeros are kept. Training alone
leaves practically none."""

OUT_OF_PROPORTION = "the layer's weights or bias are out of proportion; retrain or rescale it"
BIAS_LIMIT = 1 << 22
"""Weight scales are raised where the bias would exceed this many accumulator steps."""


Group = tuple[slice | np.ndarray, InputMoments]
"""Output channels, and the moments of the inputs that their rounding is judged on."""

_WHOLE = 1e-4
"""Multiples of a step in single precision are off by less, of any number up to 127."""

_ON_GRID = 1e-6
"""So much, in steps of a grid, a scale may lie above a point of it and count as on it."""


@dataclass(frozen=True, slots=True)
class LayerScales:
    """Multipliers (O,) int64 in [1, 2**23), their shift, and the weight scales (O,) they imply.

    ``weight_scale[o] = multiplier[o] * step`` exactly, so the multiplier adds no
    error of its own: weights are rounded to the grid that it can express.
    """

    multiplier: np.ndarray
    shift: int
    step: float

    @property
    def weight_scale(self) -> np.ndarray:
        return self.multiplier * self.step


@dataclass(frozen=True, slots=True)
class IntegerLayer:
    """``weight`` int8 (O, K), ``bias`` int32 (O,), ``multiplier`` int32 (O,), ``shift``."""

    weight: np.ndarray
    bias: np.ndarray
    multiplier: np.ndarray
    shift: int


def least_scales(weight: np.ndarray, bias: np.ndarray, scale_in: float) -> np.ndarray:
    """Smallest weight scale per output channel that represents ``weight`` (O, K) and ``bias``."""
    for_weight = np.abs(weight).max(axis=1, initial=0.0) / WEIGHT_LIMIT
    for_bias: np.ndarray = np.abs(bias) / (scale_in * BIAS_LIMIT)
    least: np.ndarray = np.maximum(for_weight, for_bias)
    return least


def few_scales(scales: np.ndarray, anchor: float, octaves: float, most: int) -> np.ndarray:
    """``scales`` (O,), some a little larger, so that at most ``most`` different ones are left.

    They are rounded up to a geometric grid: through ``anchor`` and of spacing ``octaves`` where
    that leaves few enough, otherwise as wide as it has to be. Scales of 0 become the least.
    """
    used = scales[scales > 0]
    if not used.size:
        return scales
    positive: np.ndarray = np.maximum(scales, used.min())
    if len(np.unique(used)) <= most:
        return positive
    low, high = float(used.min()), float(used.max())
    if anchor > 0 and octaves > 0:
        found = _on_grid(positive, anchor, octaves)
        if len(np.unique(found)) <= most:
            return found
    return _on_grid(positive, low, math.log2(high / low) / (most - 1))


def _on_grid(scales: np.ndarray, anchor: float, octaves: float) -> np.ndarray:
    """``scales`` rounded up to ``anchor`` times powers of two to multiples of ``octaves``."""
    index = np.ceil(np.log2(scales / anchor) / octaves - _ON_GRID)
    found: np.ndarray = anchor * 2.0 ** (index * octaves)
    return found


def requantised_scales(
    least: np.ndarray, scale_in: float, scale_out: float, where: str
) -> LayerScales:
    """Scales for a layer whose uint8 output has ``scale_out``; equal ``least`` give equal scales.

    Raises :class:`QuantizationError` where the weights or the bias are so much larger than
    the outputs that no multiplier can represent the ratio.
    """
    ratio = least * scale_in / scale_out
    try:
        shift = shift_for(float(ratio.max(initial=0.0)) or 1.0)
    except ValueError as error:
        raise QuantizationError(str(error), where=where, hint=OUT_OF_PROPORTION) from error
    multiplier = np.clip(np.ceil(ratio * 2.0**shift), 1, MULTIPLIER_LIMIT - 1).astype(np.int64)
    return LayerScales(multiplier, shift, scale_out / scale_in / 2.0**shift)


def summed_scales(least: np.ndarray, largest_multiplier: int) -> LayerScales:
    """Scales for a layer whose outputs are summed; the loudest channel's multiplier is largest."""
    step = (float(least.max(initial=0.0)) or 1.0) / largest_multiplier
    multiplier = np.clip(np.ceil(least / step), 1, largest_multiplier).astype(np.int64)
    return LayerScales(multiplier, DEFAULT_SHIFT, step)


def quantise_layer(
    weight: np.ndarray,
    bias: np.ndarray,
    scale_in: float,
    zero_point_in: int,
    scales: LayerScales,
    groups: Sequence[Group],
    options: QuantizeOptions,
    where: str,
    whole: np.ndarray | None = None,
) -> IntegerLayer:
    """Round one layer. ``weight`` (O, K) and ``bias`` (O,) are real, factors already folded.

    The rounding target makes up for what earlier layers' quantisation did to the
    inputs (sequential targets), the rounding feeds its error back, and the bias
    takes the remaining mean error. ``groups``: which inputs this is judged on, for all
    output channels between them. ``whole``: int64 (O, K) where weights are known to be whole
    multiples of their scales; then none is rounded. Raises :class:`QuantizationError` where
    an int32 accumulator could overflow.
    """
    exact = weight / scales.weight_scale[:, None]
    zeros = kept_zeros(exact)
    rounded = np.empty(exact.shape, np.int64) if whole is None else whole
    offset = bias / (scales.weight_scale * scale_in)
    for rows, moments in groups:
        if whole is None:
            own_zeros = None if zeros is None else zeros[rows]
            rounded[rows] = _rounded(exact[rows], moments, options, own_zeros)
        if options.bias_correction:
            offset[rows] += exact[rows] @ moments.mean_float - rounded[rows] @ moments.mean_int
        else:
            offset[rows] -= zero_point_in * rounded[rows].sum(axis=1)
    integer_bias = shortened_bias(np.rint(offset).astype(np.int64), options.bias_bits)
    prove_accumulator(rounded, integer_bias, where)
    return IntegerLayer(
        rounded.astype(np.int8),
        integer_bias.astype(np.int32),
        scales.multiplier.astype(np.int32),
        scales.shift,
    )


def _rounded(
    exact: np.ndarray,
    moments: InputMoments,
    options: QuantizeOptions,
    zeros: np.ndarray | None,
) -> np.ndarray:
    if not options.error_feedback:
        plain: np.ndarray = np.clip(np.rint(exact), -WEIGHT_LIMIT, WEIGHT_LIMIT)
        return plain.astype(np.int64)
    target = exact + _sequential_shift(exact, moments, options.target_damping)
    return error_feedback_round(target, moments.covariance, WEIGHT_LIMIT, options.damping, zeros)


def kept_zeros(weight: np.ndarray) -> np.ndarray | None:
    """Mask of the exact zeros of a layer that was pruned; None where it was not."""
    zeros: np.ndarray = weight == 0
    return zeros if zeros.mean() >= PRUNED_SHARE else None


def exact_steps(weight: np.ndarray) -> np.ndarray | None:
    """Steps (O,) of which all of a row's ``weight`` (O, K) are multiples up to 127.

    None where 8 bits do not represent every row exactly, as in nearly all trained layers; they
    do where the network was quantised before.
    """
    steps = np.zeros(len(weight))
    for index, row in enumerate(weight):
        levels = np.unique(np.abs(row))
        levels = levels[levels > 0]
        if not levels.size:
            continue
        if levels.size > WEIGHT_LIMIT:
            return None
        steps_tried = levels[-1] / np.arange(1, WEIGHT_LIMIT + 1)
        multiples = levels[:, None] / steps_tried
        off = np.abs(multiples - np.rint(multiples)).max(axis=0)
        fitting = np.flatnonzero(off < _WHOLE)
        if not fitting.size:
            return None
        steps[index] = steps_tried[fitting[0]]
    return steps if steps.any() else None


def bias_shift(bias: np.ndarray, bits: int) -> int:
    """Least shift after which every bias fits a signed integer of ``bits`` bits."""
    limit = 2 ** (bits - 1) - 1
    shift = 0
    while bool((np.abs(np.floor(bias / 2.0**shift + 0.5)) > limit).any()):
        shift += 1
    return shift


def shortened_bias(bias: np.ndarray, bits: int) -> np.ndarray:
    """``bias`` (int64) rounded so that ``bits`` bits and a common power of two express it."""
    shift = bias_shift(bias, bits)
    return (np.floor(bias / 2.0**shift + 0.5).astype(np.int64)) << shift


def _sequential_shift(exact: np.ndarray, moments: InputMoments, damping: float) -> np.ndarray:
    """Change of the weights that best reproduces the float outputs from the quantised inputs.

    Least squares: W (C - H) (H + ridge)^-1 with C the cross covariance and H the
    covariance of the quantised inputs.
    """
    size = len(moments.covariance)
    ridge = damping * float(np.diag(moments.covariance).mean())
    if not ridge > 0:
        return np.zeros_like(exact)
    system = moments.covariance + ridge * np.eye(size)
    difference = exact @ (moments.cross - moments.covariance)
    solution: np.ndarray = np.linalg.solve(system, difference.T).T
    return solution


def prove_accumulator(weight: np.ndarray, bias: np.ndarray, where: str) -> None:
    """Raise QuantizationError unless every partial sum, in any order, fits int32."""
    bound = largest_partial_sum(weight, bias)
    worst = int(bound.argmax())
    if bound[worst] > INT32_MAX:
        raise QuantizationError(
            f"output channel {worst} could reach an accumulator of {int(bound[worst]):,}, "
            "beyond 32 bits",
            where=where,
            hint=OUT_OF_PROPORTION,
        )
