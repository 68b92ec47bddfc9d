"""How far the integer network is from the float network.

All sums are in double precision, over all images together:

* signal to quantisation noise, of a tensor with float values f and dequantised
  integer values q: ``SQNR = 10 log10(sum f^2 / sum (f - q)^2)`` in dB;
* divergence, with p and r the softmax of the float and of the dequantised integer
  logits: ``KL(p || r) = sum p (log p - log r)`` in nats, mean over the images;
* agreement: the fraction of images whose largest logit is the same class in both;
* top-k: the fraction of images whose label is among the k largest logits. Of equal
  logits the lower class counts as the larger, as in ``s2c_top_k``.
"""

from __future__ import annotations

import math

import numpy as np


class SqnrMeter:
    """Signal and noise energy of one tensor, summed over as many arrays as are added."""

    def __init__(self) -> None:
        self._signal = 0.0
        self._noise = 0.0

    def add(self, real: np.ndarray, approximation: np.ndarray) -> None:
        """Two float arrays of one shape."""
        exact = np.asarray(real, np.float64).ravel()
        error = exact - np.asarray(approximation).ravel()
        self._signal += float(exact @ exact)
        self._noise += float(error @ error)

    @property
    def db(self) -> float:
        """SQNR in dB: inf without noise, -inf with noise but no signal."""
        if self._noise == 0.0:
            return math.inf
        if self._signal == 0.0:
            return -math.inf
        return 10.0 * math.log10(self._signal / self._noise)


class LogitMeter:
    """Everything that is measured on logits; add batches, then read the properties."""

    def __init__(self) -> None:
        self._images = 0
        self._labelled = 0
        self._agreeing = 0
        self._divergence = 0.0
        self._hits = {(which, k): 0 for which in ("float", "int") for k in (1, 5)}
        self._sqnr = SqnrMeter()

    def add(
        self, real: np.ndarray, integer: np.ndarray, scale: float, labels: np.ndarray | None
    ) -> None:
        """``real`` float (n, classes); ``integer`` int32 (n, classes), times ``scale`` real too."""
        dequantised = integer.astype(np.float64) * scale
        self._images += len(real)
        self._sqnr.add(real, dequantised)
        self._divergence += float(kl_divergence(real, dequantised).sum())
        self._agreeing += int((real.argmax(axis=1) == integer.argmax(axis=1)).sum())
        if labels is None:
            return
        self._labelled += len(labels)
        for k in (1, 5):
            self._hits["float", k] += top_k_hits(real, labels, k)
            self._hits["int", k] += top_k_hits(integer, labels, k)

    def top(self, which: str, k: int) -> float | None:
        """Top-``k`` (1 or 5) of ``which``, ``float`` or ``int``: 0 to 1, None without labels."""
        return self._hits[which, k] / self._labelled if self._labelled else None

    @property
    def images(self) -> int:
        return self._images

    @property
    def agreement(self) -> float:
        return self._agreeing / self._images

    @property
    def sqnr_db(self) -> float:
        return self._sqnr.db

    @property
    def mean_kl(self) -> float:
        """Nats."""
        return self._divergence / self._images


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithm of the softmax along the last axis, double precision."""
    shifted = np.asarray(logits, np.float64)
    shifted = shifted - shifted.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def kl_divergence(real: np.ndarray, approximation: np.ndarray) -> np.ndarray:
    """KL(softmax(real) || softmax(approximation)) in nats for each row, (n,)."""
    log_p, log_r = log_softmax(real), log_softmax(approximation)
    return np.asarray((np.exp(log_p) * (log_p - log_r)).sum(axis=-1))


def top_k_hits(logits: np.ndarray, labels: np.ndarray, k: int) -> int:
    """How many rows of ``logits`` (n, classes) have their label among the ``k`` largest."""
    own = np.take_along_axis(logits, labels[:, None], axis=1)
    earlier = np.arange(logits.shape[1])[None, :] < labels[:, None]
    better = (logits > own) | ((logits == own) & earlier)
    return int((better.sum(axis=1) < k).sum())
