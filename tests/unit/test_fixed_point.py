"""The rounding that everything else is built on, against unbounded integers."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squeeze2c.reference.fixed_point import (
    DEFAULT_SHIFT,
    MULTIPLIER_LIMIT,
    clamp_u8,
    requantise,
    shift_for,
)

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
EDGES = (INT32_MIN, INT32_MIN + 1, -(2**24), -1, 0, 1, 2**24, INT32_MAX - 1, INT32_MAX)


def round_half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


@pytest.mark.parametrize("shift", range(1, 31))
def test_requantise_at_the_edges(shift: int) -> None:
    multipliers = (1, 2, 3, (1 << 22) - 1, 1 << 22, MULTIPLIER_LIMIT - 1)
    for acc, multiplier in itertools.product(EDGES, multipliers):
        exact = round_half_up(Fraction(acc * multiplier, 1 << shift))
        assert int(requantise(np.array(acc), multiplier, shift)) == exact


@pytest.mark.parametrize("shift", range(1, 31))
def test_ties_round_up_and_their_neighbours_to_the_nearest(shift: int) -> None:
    half = 1 << (shift - 1)
    for r in (-300, -2, -1, 0, 1, 2, 255):
        tie = (r << shift) + half
        got = requantise(np.array([tie - 1, tie, tie + 1]), 1, shift)
        assert got.tolist() == [r, r + 1, r + 1]


def test_multipliers_apply_per_channel() -> None:
    acc = np.arange(-6, 6, dtype=np.int32).reshape(2, 2, 3) * 1000
    multiplier = np.array([1, 1 << 10, MULTIPLIER_LIMIT - 1], np.int32)
    got = requantise(acc, multiplier, 12)
    assert got.dtype == np.int64
    for index in np.ndindex(acc.shape):
        exact = round_half_up(Fraction(int(acc[index]) * int(multiplier[index[-1]]), 1 << 12))
        assert got[index] == exact


def test_clamp() -> None:
    values = np.array([-(2**40), -1, 0, 1, 7, 8, 254, 255, 256, 2**40])
    assert clamp_u8(values).tolist() == [0, 0, 0, 1, 7, 8, 254, 255, 255, 255]
    assert clamp_u8(values, 8).tolist() == [8, 8, 8, 8, 8, 8, 254, 255, 255, 255]
    assert clamp_u8(values).dtype == np.uint8


def test_small_ratios_use_the_default_shift() -> None:
    limit = (MULTIPLIER_LIMIT - 1) / 2**DEFAULT_SHIFT
    for ratio in (1e-12, 1e-3, 0.25, limit):
        assert shift_for(ratio) == DEFAULT_SHIFT
    assert shift_for(math.nextafter(limit, 1)) == DEFAULT_SHIFT - 1


def representable(ratio: float, shift: int) -> bool:
    return Fraction(ratio) * 2**shift <= MULTIPLIER_LIMIT - 1


@pytest.mark.parametrize("shift", range(1, 24))
def test_shift_is_the_largest_that_fits(shift: int) -> None:
    """Exactly at the boundary and one floating-point step to each side of it."""
    boundary = (MULTIPLIER_LIMIT - 1) / 2.0**shift
    for ratio in (math.nextafter(boundary, 0), boundary, math.nextafter(boundary, math.inf)):
        if shift == 1 and ratio > boundary:
            continue
        found = shift_for(ratio)
        assert representable(ratio, found)
        assert not representable(ratio, found + 1)


@given(st.floats(2**-20, 2.0**21))
def test_shift_represents_any_ratio(ratio: float) -> None:
    shift = shift_for(ratio)
    assert 1 <= shift <= DEFAULT_SHIFT
    assert representable(ratio, shift)
    assert shift == DEFAULT_SHIFT or not representable(ratio, shift + 1)


@pytest.mark.parametrize("ratio", [(MULTIPLIER_LIMIT - 1) / 2 * 1.0001, 1e30, math.inf, math.nan])
def test_ratios_out_of_range_are_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="out of range"):
        shift_for(ratio)
