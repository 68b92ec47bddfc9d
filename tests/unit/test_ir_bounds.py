"""Bounds of integer layers against all inputs, and what fits at the boundary."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from squeeze2c.ir.bounds import (
    INT32_MAX,
    INT32_MIN,
    accumulator_range,
    largest_partial_sum,
    requantised_range,
    sum_fits,
)
from squeeze2c.reference import requantise

WEIGHT = np.array([[1, -2, 3], [-127, -127, 0], [0, 0, 0]], np.int8)
BIAS = np.array([10, -20, 5], np.int32)
CORNERS = np.array(list(itertools.product([0, 255], repeat=3)))
ACCUMULATORS = CORNERS @ WEIGHT.T.astype(int) + BIAS


@pytest.mark.parametrize("shape", [(3, 3), (3, 1, 3, 1)])
def test_accumulators_reach_their_range_and_no_further(shape: tuple[int, ...]) -> None:
    low, high = accumulator_range(WEIGHT.reshape(shape), BIAS)
    np.testing.assert_array_equal(low, ACCUMULATORS.min(axis=0))
    np.testing.assert_array_equal(high, ACCUMULATORS.max(axis=0))


def test_partial_sums_in_any_order() -> None:
    bound = largest_partial_sum(WEIGHT, BIAS)
    for channel, weights in enumerate(WEIGHT.astype(int)):
        products = [255 * w for w in weights]
        terms = [int(BIAS[channel]), *products]
        sums = [sum(c) for n in range(5) for c in itertools.combinations(terms, n)]
        assert max(map(abs, sums)) <= bound[channel]


@pytest.mark.parametrize("shift", [1, 5, 24])
def test_requantised_results_reach_their_range(shift: int) -> None:
    multiplier = np.array([1, 3, (1 << 23) - 1], np.int32)
    results = requantise(ACCUMULATORS, multiplier, shift)
    low, high = requantised_range(WEIGHT, BIAS, multiplier, shift)
    np.testing.assert_array_equal(low, results.min(axis=0))
    np.testing.assert_array_equal(high, results.max(axis=0))


def test_extreme_layers_do_not_overflow_the_bounds() -> None:
    weight = np.full((1, 66_000), -127, np.int8)
    bias = np.array([INT32_MIN], np.int32)
    assert largest_partial_sum(weight, bias)[0] == 2**31 + 255 * 127 * 66_000
    assert accumulator_range(weight, bias)[0][0] == INT32_MIN - 255 * 127 * 66_000


def test_sums_at_the_edge_of_int32() -> None:
    three = np.array([3, 0])
    assert sum_fits(-three, three, INT32_MAX // 3)
    assert not sum_fits(0 * three, three, INT32_MAX // 3 + 1)
    assert sum_fits(np.array([INT32_MIN]), np.array([0]), 1)
    assert not sum_fits(np.array([INT32_MIN]), np.array([0]), 2)
    assert not sum_fits(np.array([-1]), np.array([1 << 40]), 1 << 40)
    assert sum_fits(np.array([5]), np.array([5]), 0)
