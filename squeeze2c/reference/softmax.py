"""Softmax in integers: the NumPy twin of ``runtime_c/src/s2c_softmax_q16.c``, step by step.

How close it is to softmax in real numbers, for ``count`` logits: the exponent is rounded down
to 16 fractional bits, so an exponential is too large by a factor of at most
1 + ln(2) / 2**16 = 1 + 1.06e-5. Numerator and denominator share that error in part: a
probability p moves by at most 1.06e-5 * p * (1 - p) <= 0.18 / 65536. The polynomial and the
rounding of beta add at most 0.02 / 65536, the last bits that Q31 drops from each exponential
count / 2**15 / 65536 in all, the final rounding 0.5 / 65536. Together the error stays below one
step, 1 / 65536, for up to 8192 logits.
"""

from __future__ import annotations

import math

import numpy as np

from squeeze2c.errors import QuantizationError

MAX_MULTIPLIER = 0x7FFF_FFFF
MIN_SHIFT = 16
MAX_SHIFT = 62
_HALVINGS_TO_ZERO = 32
_COEFFICIENTS_Q31 = (2048773, 19817794, 118791696, 515797037, 1488516314)
_ONE_Q31 = 1 << 31


def softmax_constants(logit_scale: float) -> tuple[int, int]:
    """(beta_q, beta_shift) with ``beta_q = round(logit_scale * log2(e) * 2**beta_shift)``.

    ``logit_scale`` is what one integer step of a logit stands for. ``beta_shift`` is the
    largest that keeps ``beta_q`` within 31 bits, 62 at most. Differences of logits are below
    2**32, so with a shift of 62 the rounding of ``beta_q`` moves no exponent by more than
    2**-31: scales as small as one likes lose nothing. Raises :class:`QuantizationError` where the
    scale is not a positive number, or so large (above 22,713) that no shift is left.
    """
    beta = logit_scale * math.log2(math.e)
    if not (math.isfinite(beta) and beta > 0):
        raise QuantizationError(
            f"a logit scale of {logit_scale} is not a positive number",
            hint="check the calibration images and the weights of the last layer",
        )
    _, exponent = math.frexp(beta)
    shift = min(31 - exponent, MAX_SHIFT)
    if round(math.ldexp(beta, shift)) > MAX_MULTIPLIER:
        shift -= 1
    if shift < MIN_SHIFT:
        raise QuantizationError(
            f"a logit scale of {logit_scale:g} is too large for softmax in fixed point",
            hint="the logits are out of proportion; rescale the last layer",
        )
    return round(math.ldexp(beta, shift)), shift


def softmax_q16(logits: np.ndarray, beta_q: int, beta_shift: int) -> np.ndarray:
    """Probabilities in Q16 (65536 = 1) of int32 ``logits``, last axis classes. uint32, same shape.

    ``beta_q`` and ``beta_shift`` come from :func:`softmax_constants`. Raises ValueError
    where they or the logits are outside what the C function accepts.
    """
    if not (0 <= beta_q <= MAX_MULTIPLIER and MIN_SHIFT <= beta_shift <= MAX_SHIFT):
        raise ValueError(f"beta {beta_q} / 2**{beta_shift} is out of range")
    if logits.dtype != np.int32 or logits.ndim == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits must be int32 with classes last, got {logits.dtype}")
    wide = logits.astype(np.int64)
    below = (wide.max(axis=-1, keepdims=True) - wide).astype(np.uint64)
    t = (below * np.uint64(beta_q)) >> np.uint64(beta_shift - 16)
    exponential = _power_of_half_q31(t)
    total = exponential.sum(axis=-1, keepdims=True, dtype=np.uint64)
    rounded: np.ndarray = ((exponential << np.uint64(16)) + total // np.uint64(2)) // total
    return rounded.astype(np.uint32)


def _power_of_half_q31(t: np.ndarray) -> np.ndarray:
    """``2**-(t / 65536)`` in Q31 as uint64, for uint64 ``t``; 0 from 32 halvings on."""
    sixteen = np.uint64(16)
    fraction = t & np.uint64(0xFFFF)
    value: np.ndarray = np.full_like(t, _COEFFICIENTS_Q31[0])
    for coefficient in (*_COEFFICIENTS_Q31[1:], _ONE_Q31):
        value = np.uint64(coefficient) - ((value * fraction) >> sixteen)
    halvings = t >> sixteen
    shifted: np.ndarray = value >> np.minimum(halvings, np.uint64(31))
    return np.where(halvings < np.uint64(_HALVINGS_TO_ZERO), shifted, np.uint64(0))
