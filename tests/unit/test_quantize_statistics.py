"""Moments of a layer's inputs, against NumPy's mean and covariance."""

from __future__ import annotations

import numpy as np
import pytest

from squeeze2c.ir import Padding, Window
from squeeze2c.quantize.rounding import error_feedback_round
from squeeze2c.quantize.statistics import InputMoments, MomentAccumulator
from squeeze2c.reference.columns import columns

FILL = np.array([3.0, 200.0])


def moments_of(
    real: np.ndarray, integer: np.ndarray, window: Window, pixels: int = 10_000, batch: int = 2
) -> InputMoments:
    statistics = MomentAccumulator(window, real.shape[3], pixels)
    for start in range(0, len(real), batch):
        part = slice(start, start + batch)
        statistics.add(real[part], integer[part], FILL + 0.25, FILL)
    return statistics.finish()


def taps(x: np.ndarray, window: Window, fill: np.ndarray) -> np.ndarray:
    """All windows as rows, in double precision."""
    matrix = columns(x.astype(np.float64), window, fill)
    return np.asarray(matrix.reshape(-1, matrix.shape[-1]))


def maps(seed: int, low: int, high: int, size: tuple[int, int] = (9, 8)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(low, high + 1, (6, *size, 2)).astype(np.uint8)


@pytest.mark.parametrize(
    "window",
    [
        Window((1, 1)), Window((1, 1), (2, 3)), Window((3, 3), (1, 1), Padding(1, 1, 1, 1)),
        Window((3, 2), (2, 1), Padding(0, 1, 2, 0)),
    ],
)
def test_moments_equal_numpy(window: Window) -> None:
    integer = maps(0, 0, 255)
    real = (integer + np.random.default_rng(1).normal(0, 4, integer.shape)).astype(np.float32)
    found = moments_of(real, integer, window)
    x, y = taps(real, window, FILL + 0.25), taps(integer, window, FILL)
    np.testing.assert_allclose(found.mean_float, x.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.mean_int, y.mean(axis=0), rtol=1e-6)
    size = y.shape[1]
    both = np.cov(x.T, y.T, bias=True)
    scale = both.max()
    np.testing.assert_allclose(found.covariance, both[size:, size:], atol=1e-5 * scale)
    np.testing.assert_allclose(found.cross, both[:size, size:], atol=1e-5 * scale)


@pytest.mark.parametrize("low", [0, 100, 254])
@pytest.mark.parametrize("size", [(9, 8), (64, 64)])
def test_small_variance_around_a_large_mean(low: int, size: tuple[int, int]) -> None:
    """Single precision would lose it: an image of a white wall must not end calibration."""
    integer = maps(2, low, low + 1, size)
    window = Window((3, 3))
    found = moments_of(integer.astype(np.float32), integer, window)
    expected = np.cov(taps(integer, window, FILL).T, bias=True)
    np.testing.assert_allclose(found.covariance, expected, atol=1e-4)
    np.testing.assert_allclose(found.cross, expected, atol=1e-4)
    assert np.linalg.eigvalsh(found.covariance).min() > 0
    error_feedback_round(np.full((2, 18), 0.4), found.covariance, 127, 0.03)


def test_constant_inputs_have_no_variance() -> None:
    integer = np.full((4, 8, 8, 2), 251, np.uint8)
    found = moments_of(integer.astype(np.float32) + 0.3, integer, Window((3, 3)))
    assert not found.covariance.any()
    assert not found.cross.any()
    np.testing.assert_allclose(found.mean_int, 251)
    np.testing.assert_allclose(found.mean_float, 251.3, rtol=1e-6)


def test_batches_do_not_matter() -> None:
    integer = maps(3, 0, 255)
    results = [
        moments_of(integer.astype(np.float32), integer, Window((2, 2)), batch=b) for b in (1, 4, 6)
    ]
    for other in results[1:]:
        np.testing.assert_allclose(other.mean_int, results[0].mean_int, rtol=1e-9)
        np.testing.assert_allclose(other.covariance, results[0].covariance, atol=0.05)


def test_at_most_so_many_pixels_are_sampled() -> None:
    """Evenly spread over the map, its first and last pixel included."""
    integer = np.zeros((1, 10, 10, 2), np.uint8)
    integer[0, 0, 0], integer[0, 9, 9] = 90, 30
    found = moments_of(integer.astype(np.float32), integer, Window((1, 1)), pixels=4)
    np.testing.assert_allclose(found.mean_int, 120 / 4)


def test_the_inputs_are_not_changed() -> None:
    integer = maps(4, 10, 20)
    real = integer.astype(np.float32)
    before = real.copy()
    moments_of(real, integer, Window((1, 1)))
    np.testing.assert_array_equal(real, before)
