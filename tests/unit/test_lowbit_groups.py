"""Moments of a classifier's inputs by class group, against sums over pixels written out."""

from __future__ import annotations

import numpy as np

from squeeze2c.quantize.lowbit.groups import SHARE_OF_ALL, cluster_rows, group_moments
from squeeze2c.quantize.statistics import InputMoments

IMAGES, PIXELS, TAPS, CLASSES = 6, 4, 5, 9
RNG = np.random.default_rng(1)
REAL = RNG.uniform(0, 4, (IMAGES, PIXELS, TAPS)).astype(np.float32)
INTEGER = np.rint(REAL * 1.1).astype(np.uint8)
WEIGHT, BIAS = RNG.normal(0, 1, (CLASSES, TAPS)), RNG.normal(0, 0.1, CLASSES)


def moments(weights: np.ndarray) -> InputMoments:
    """Of all pixels, with ``weights`` (images * pixels,) that sum to 1."""
    real, integer = REAL.reshape(-1, TAPS).astype(float), INTEGER.reshape(-1, TAPS).astype(float)
    mean_real, mean_integer = weights @ real, weights @ integer
    covariance = (integer - mean_integer).T @ ((integer - mean_integer) * weights[:, None])
    cross = (real - mean_real).T @ ((integer - mean_integer) * weights[:, None])
    return InputMoments(mean_real, mean_integer, covariance, cross)


EVERYWHERE = np.full(IMAGES * PIXELS, 1 / (IMAGES * PIXELS))


def test_rows_that_point_alike_share_a_group() -> None:
    directions = np.eye(3)
    rows = np.concatenate([directions * scale for scale in (1.0, 2.0, 0.5)])
    member = cluster_rows(rows, 3)
    np.testing.assert_array_equal(member[:3], member[3:6])
    np.testing.assert_array_equal(member[:3], member[6:])


def test_more_groups_than_rows_and_rows_of_zeros() -> None:
    assert len(cluster_rows(np.zeros((4, 3)), 24)) == 4


def test_moments_are_those_of_weighted_pixels() -> None:
    member = np.arange(CLASSES) % 2
    outputs = REAL @ WEIGHT.T + BIAS
    logits = np.maximum(outputs, 0).mean(axis=1)
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = list(group_moments(REAL, INTEGER, WEIGHT, BIAS, member, moments(EVERYWHERE)))
    assert sorted(np.concatenate([rows for rows, _ in found])) == list(range(CLASSES))
    for rows, own in found:
        matters = ((outputs[..., rows] > 0) * probability[:, None, rows]).sum(axis=-1).reshape(-1)
        share = SHARE_OF_ALL * EVERYWHERE + (1 - SHARE_OF_ALL) * matters / matters.sum()
        expected = moments(share)
        for name in ("mean_float", "mean_int", "covariance", "cross"):
            np.testing.assert_allclose(
                getattr(own, name), getattr(expected, name), rtol=0.01, atol=0.01
            )


def test_a_group_that_is_never_active_is_judged_on_everything() -> None:
    bias = np.full(CLASSES, -1e6)
    everywhere = moments(EVERYWHERE)
    found = group_moments(REAL, INTEGER, WEIGHT, bias, np.zeros(CLASSES, int), everywhere)
    assert [own is everywhere for _, own in found] == [True]
