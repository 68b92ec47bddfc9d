"""Error-feedback rounding: less error at the outputs than rounding to nearest."""

from __future__ import annotations

import numpy as np
import pytest

from squeeze2c.quantize.rounding import _rounding_order, error_feedback_round

LIMIT = 127


def correlated_inputs(rng: np.random.Generator, samples: int, size: int) -> np.ndarray:
    """Like activations: a few common causes and some noise of each input's own."""
    causes = rng.normal(0, 1, (samples, 4)) @ rng.normal(0, 20, (4, size))
    return np.asarray(causes + rng.normal(0, 3, (samples, size)))


def output_error(weight: np.ndarray, rounded: np.ndarray, moments: np.ndarray) -> float:
    """Mean squared error of the outputs, summed over rows: trace of E H E^T."""
    error = weight - rounded
    return float(np.einsum("ij,jk,ik->", error, moments, error))


@pytest.mark.parametrize("seed", range(5))
def test_outputs_err_less_than_with_rounding_to_nearest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inputs = correlated_inputs(rng, 500, 36)
    moments = np.cov(inputs.T, bias=True)
    target = rng.normal(0, 2, (16, 36))
    rounded = error_feedback_round(target, moments, LIMIT, 0.01)
    plain = np.rint(target)
    assert output_error(target, rounded, moments) < 0.5 * output_error(target, plain, moments)
    # The error that the moments promise is the one the samples show.
    shown = (((target - rounded) @ (inputs - inputs.mean(axis=0)).T) ** 2).mean(axis=1).sum()
    assert output_error(target, rounded, moments) == pytest.approx(shown, rel=1e-6)


def test_results_are_integers_within_the_limit() -> None:
    rng = np.random.default_rng(1)
    moments = np.cov(correlated_inputs(rng, 100, 12).T)
    target = rng.normal(0, 100, (8, 12))
    for limit in (127, 7, 1):
        rounded = error_feedback_round(target, moments, limit, 0.03)
        assert rounded.dtype == np.int64
        assert rounded.shape == target.shape
        assert np.abs(rounded).max() == limit


def test_integers_stay_as_they_are() -> None:
    rng = np.random.default_rng(2)
    moments = np.cov(correlated_inputs(rng, 100, 12).T)
    target = rng.integers(-127, 128, (8, 12)).astype(float)
    np.testing.assert_array_equal(error_feedback_round(target, moments, LIMIT, 0.03), target)


def test_independent_inputs_need_no_feedback() -> None:
    target = np.random.default_rng(3).normal(0, 30, (8, 12))
    for moments in (np.eye(12), np.diag(np.arange(1.0, 13))):
        np.testing.assert_array_equal(
            error_feedback_round(target, moments, LIMIT, 0.03), np.rint(target)
        )


def test_without_variance_it_rounds_to_nearest() -> None:
    target = np.array([[0.4, 0.6, -300.0, 2.5]])
    rounded = error_feedback_round(target, np.zeros((4, 4)), LIMIT, 0.03)
    assert rounded.tolist() == [[0, 1, -127, 2]]


def test_one_pair_by_hand() -> None:
    """Two equal inputs: the second weight takes the rounding error of the first."""
    moments = np.array([[1.0, 1.0], [1.0, 1.0]])
    rounded = error_feedback_round(np.array([[0.4, 0.4]]), moments, LIMIT, 1e-6)
    assert rounded.sum() == 1


def test_rows_do_not_influence_each_other() -> None:
    rng = np.random.default_rng(4)
    moments = np.cov(correlated_inputs(rng, 100, 12).T)
    target = rng.normal(0, 20, (8, 12))
    whole = error_feedback_round(target, moments, LIMIT, 0.03)
    for row in range(8):
        alone = error_feedback_round(target[row : row + 1], moments, LIMIT, 0.03)
        np.testing.assert_array_equal(alone[0], whole[row])


def test_order_of_inputs_does_not_matter() -> None:
    """Columns are taken by variance, wherever they stand."""
    rng = np.random.default_rng(5)
    moments = np.cov(correlated_inputs(rng, 100, 12).T)
    target = rng.normal(0, 20, (8, 12))
    order = rng.permutation(12)
    whole = error_feedback_round(target, moments, LIMIT, 0.03)
    moved = error_feedback_round(target[:, order], moments[np.ix_(order, order)], LIMIT, 0.03)
    np.testing.assert_array_equal(moved, whole[:, order])


def test_target_is_not_changed() -> None:
    target = np.full((2, 3), 0.3)
    error_feedback_round(target, np.ones((3, 3)), LIMIT, 0.03)
    np.testing.assert_array_equal(target, 0.3)


def test_columns_are_ordered_so_that_little_error_is_left() -> None:
    rng = np.random.default_rng(4)
    mixing = rng.normal(0, 1, (24, 24)) * np.linspace(0.2, 3, 24)
    moments = mixing.T @ mixing
    by_order = []
    falling = np.argsort(-np.diag(moments), kind="stable")
    for order in (_rounding_order(moments), falling, np.arange(24)):
        factor = np.linalg.cholesky(np.linalg.inv(moments[np.ix_(order, order)])).T
        by_order.append((1 / np.diag(factor) ** 2).sum())
    assert sorted(_rounding_order(moments)) == list(range(24))
    assert by_order[0] < by_order[1] and by_order[0] < by_order[2]
