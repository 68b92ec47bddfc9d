"""Fixed-point softmax and its constants, against real numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squeeze2c.errors import QuantizationError
from squeeze2c.reference.softmax import (
    MAX_MULTIPLIER,
    MAX_SHIFT,
    MIN_SHIFT,
    softmax_constants,
    softmax_q16,
)

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


def real_softmax(logits: np.ndarray, scale: float) -> np.ndarray:
    """In units of 1 / 65536."""
    real = logits.astype(np.float64) * scale
    exponential = np.exp(real - real.max(axis=-1, keepdims=True))
    return np.asarray(65536 * exponential / exponential.sum(axis=-1, keepdims=True))


@given(st.floats(1e-9, 1e3))
def test_constants_obey_the_limits_of_c(scale: float) -> None:
    beta_q, beta_shift = softmax_constants(scale)
    assert 0 < beta_q <= MAX_MULTIPLIER
    assert MIN_SHIFT <= beta_shift <= MAX_SHIFT
    beta = scale * math.log2(math.e)
    assert beta_q == round(beta * 2.0**beta_shift)
    assert abs(beta_q / 2.0**beta_shift - beta) <= beta / 2**30


@pytest.mark.parametrize("exponent", range(-33, 15))
def test_constants_at_powers_of_two(exponent: int) -> None:
    """Where the multiplier is about to gain a bit."""
    centre = 2.0**exponent / math.log2(math.e)
    for scale in (centre * (1 - 2**-40), centre, centre * (1 + 2**-40)):
        beta_q, beta_shift = softmax_constants(scale)
        assert 2**28 < beta_q <= MAX_MULTIPLIER
        assert MIN_SHIFT <= beta_shift <= MAX_SHIFT


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf, 22714.0, 1e30])
def test_scales_without_constants_are_refused(scale: float) -> None:
    with pytest.raises(QuantizationError):
        softmax_constants(scale)


def test_tiny_scales_lose_nothing() -> None:
    logits = np.array([[INT32_MIN, 0, INT32_MAX]], np.int32)
    for scale in (1e-10, 1e-11, 1e-12, 1e-15, 1e-300):
        got = softmax_q16(logits, *softmax_constants(scale))
        assert np.abs(got - real_softmax(logits, scale)).max() < 1


@pytest.mark.parametrize("count", [1, 2, 3, 10, 1000, 8192])
@pytest.mark.parametrize("exponent", range(-9, 4))
def test_error_is_below_one_step(count: int, exponent: int) -> None:
    scale = 10.0**exponent
    rng = np.random.default_rng(count)
    constants = softmax_constants(scale)
    for spread in (0.1, 1, 5, 20):
        wide = rng.normal(0, spread / scale, (8, count))
        logits = np.clip(wide, INT32_MIN, INT32_MAX).astype(np.int32)
        got = softmax_q16(logits, *constants)
        assert got.dtype == np.uint32
        assert np.abs(got - real_softmax(logits, scale)).max() < 1
        assert np.abs(got.sum(axis=-1, dtype=np.int64) - 65536).max() <= count / 2 + 1


@given(st.lists(st.integers(INT32_MIN, INT32_MAX), min_size=1, max_size=20), st.floats(1e-9, 1e3))
def test_order_is_kept(values: list[int], scale: float) -> None:
    logits = np.array(values, np.int32)
    got = softmax_q16(logits, *softmax_constants(scale))
    order = np.argsort(logits, kind="stable")
    assert (np.diff(got[order].astype(np.int64)) >= 0).all()


def test_one_class_is_certain() -> None:
    for value in (INT32_MIN, 0, INT32_MAX):
        assert softmax_q16(np.array([value], np.int32), 1 << 30, 30).tolist() == [65536]


def test_batches_go_row_by_row() -> None:
    logits = np.random.default_rng(0).integers(-9000, 9000, (2, 3, 7)).astype(np.int32)
    constants = softmax_constants(1e-3)
    whole = softmax_q16(logits, *constants)
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(whole[index], softmax_q16(logits[index], *constants))


@pytest.mark.parametrize(
    ("logits", "beta_q", "beta_shift"),
    [
        (np.zeros(3, np.int64), 1, 16), (np.zeros((2, 0), np.int32), 1, 16),
        (np.array(1, np.int32), 1, 16), (np.zeros(3, np.int32), -1, 16),
        (np.zeros(3, np.int32), MAX_MULTIPLIER + 1, 16), (np.zeros(3, np.int32), 1, MIN_SHIFT - 1),
        (np.zeros(3, np.int32), 1, MAX_SHIFT + 1),
    ],
)
def test_what_c_would_refuse_is_refused(logits: np.ndarray, beta_q: int, beta_shift: int) -> None:
    with pytest.raises(ValueError, match=r"out of range|int32"):
        softmax_q16(logits, beta_q, beta_shift)
