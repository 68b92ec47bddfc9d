"""First and second moments of a convolution's inputs, float and quantised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from squeeze2c.ir import Window
from squeeze2c.reference.columns import windows


@dataclass(frozen=True, slots=True)
class InputMoments:
    """Moments over sampled windows; K = kernel rows * kernel cols * channels.

    ``mean_float``, ``mean_int``: (K,), in units of one quantisation step, the
    integers with their zero point included. ``covariance``: (K, K) of the
    integers. ``cross``: (K, K), covariance of the float inputs (rows) with the integers.
    """

    mean_float: np.ndarray
    mean_int: np.ndarray
    covariance: np.ndarray
    cross: np.ndarray


@dataclass(frozen=True, slots=True)
class BatchSums:
    """Sums over the windows of one batch, of deviations from the origin and their products."""

    count: int
    real: np.ndarray
    integer: np.ndarray
    square: np.ndarray
    cross: np.ndarray


class MomentAccumulator:
    """Collects :class:`InputMoments` batch by batch.

    Sums run over deviations from the mean of the first batch. Covariance does not
    depend on that origin, but products in single precision do: of inputs that vary
    little around a large mean they would keep nothing but rounding errors. The origin
    is whole, so that deviations of integers stay exact.
    """

    def __init__(self, window: Window, channels: int, pixels_per_image: int) -> None:
        self._window = window
        self._pixels_per_image = pixels_per_image
        size = window.taps * channels
        self._count = 0
        self._begun = False
        self._origin_float = np.zeros(size, np.float32)
        self._origin_int = np.zeros(size, np.float32)
        self._sum_float = np.zeros(size)
        self._sum_int = np.zeros(size)
        self._square = np.zeros((size, size))
        self._cross = np.zeros((size, size))

    def add(
        self, real: np.ndarray, integer: np.ndarray, fill_real: np.ndarray, fill_int: np.ndarray
    ) -> None:
        """One batch (N, H, W, C): ``real`` in quantisation steps, ``integer`` uint8."""
        self.take(self.sums(real, integer, fill_real, fill_int))

    def sums(
        self, real: np.ndarray, integer: np.ndarray, fill_real: np.ndarray, fill_int: np.ndarray
    ) -> BatchSums:
        """What a batch adds. The first one sets the origin; others may be summed in threads."""
        taps_real = self._sample(real, fill_real)
        taps_int = self._sample(integer.astype(np.float32), fill_int)
        if not self._begun:
            self._origin_float = _whole_means(taps_real)
            self._origin_int = _whole_means(taps_int)
            self._begun = True
        taps_real -= self._origin_float
        taps_int -= self._origin_int
        return BatchSums(
            len(taps_real),
            taps_real.sum(axis=0, dtype=np.float64),
            taps_int.sum(axis=0, dtype=np.float64),
            taps_int.T @ taps_int,
            taps_real.T @ taps_int,
        )

    def take(self, batch: BatchSums) -> None:
        """Add what :meth:`sums` found; in a fixed order, so that rounding is always the same."""
        self._count += batch.count
        self._sum_float += batch.real
        self._sum_int += batch.integer
        self._square += batch.square
        self._cross += batch.cross

    def _sample(self, x: np.ndarray, fill: np.ndarray) -> np.ndarray:
        """Evenly spread windows of ``x`` as (pixels, K) float32."""
        view = windows(x, self._window, fill)
        rows, cols = view.shape[1:3]
        flat = evenly_spread(rows * cols, self._pixels_per_image)
        picked = view[:, flat // cols, flat % cols].transpose(0, 1, 3, 4, 2)
        return np.array(picked, np.float32, order="C").reshape(-1, self._sum_int.size)

    def finish(self) -> InputMoments:
        mean_float = self._sum_float / self._count
        mean_int = self._sum_int / self._count
        return InputMoments(
            mean_float + self._origin_float,
            mean_int + self._origin_int,
            self._square / self._count - np.outer(mean_int, mean_int),
            self._cross / self._count - np.outer(mean_float, mean_int),
        )


def evenly_spread(count: int, most: int) -> np.ndarray:
    """At most ``most`` of the numbers below ``count``, int64."""
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def _whole_means(taps: np.ndarray) -> np.ndarray:
    """Mean of each column, rounded, float32."""
    means: np.ndarray = np.rint(taps.mean(axis=0, dtype=np.float64))
    return means.astype(np.float32)
