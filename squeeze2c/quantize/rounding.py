"""Error-feedback rounding of weights.

Columns are rounded one after the other; each column's rounding error is
compensated by the columns still to come, using the second moments of the
layer's inputs (Frantar et al., GPTQ, ICLR 2023, after Hassibi and Stork's
Optimal Brain Surgeon, 1993).
"""

from __future__ import annotations

import math

import numpy as np


def error_feedback_round(
    target: np.ndarray,
    moments: np.ndarray,
    limit: int,
    damping: float,
    zeros: np.ndarray | None = None,
) -> np.ndarray:
    """Integers in [-limit, limit] near ``target`` (rows, K) that keep its outputs.

    ``moments`` (K, K) is the covariance of the inputs. ``damping`` times its mean
    diagonal is added for stability.
    ``zeros``: a mask (rows, K) of weights that stay zero, as pruning left them.
    Returns int64 (rows, K). With no variance at all this is plain rounding.
    """
    factor, order = _inverse_factor(moments, damping)
    if factor is None:
        plain: np.ndarray = np.clip(np.rint(target), -limit, limit)
        if zeros is not None:
            plain[zeros] = 0
        return plain.astype(np.int64)
    kept = None if zeros is None else zeros[:, order]
    work = np.array(target[:, order], np.float64)
    rounded = np.empty_like(work)
    for j in range(work.shape[1]):
        rounded[:, j] = np.clip(np.rint(work[:, j]), -limit, limit)
        if kept is not None:
            rounded[kept[:, j], j] = 0
        error = (work[:, j] - rounded[:, j]) / factor[j, j]
        work[:, j + 1 :] -= error[:, None] * factor[j, j + 1 :]
    result = np.empty_like(rounded)
    result[:, order] = rounded
    return result.astype(np.int64)


def _inverse_factor(moments: np.ndarray, damping: float) -> tuple[np.ndarray | None, np.ndarray]:
    """Upper U with inverse(moments + ridge) = U^T U, its columns in the order of rounding."""
    mean = float(np.diag(moments).mean())
    ridged = moments + damping * mean * np.eye(len(moments))
    # Of inputs that do not vary, covariances are rounding errors, of either sign.
    if not (mean > 0 and np.diag(ridged).min() > 0):
        return None, np.arange(len(moments))
    order = _rounding_order(ridged)
    return np.linalg.cholesky(np.linalg.inv(ridged[np.ix_(order, order)])).T, order


def _rounding_order(moments: np.ndarray) -> np.ndarray:
    """Columns such that the error left over is small.

    Column j leaves its variance given the columns after it. The product of these variances
    is the determinant whatever the order, so their sum is least where they are alike.
    Greedily from the end: the column that varies least, given those behind it (a pivoted
    Cholesky decomposition with the least pivot in place of the greatest).
    """
    size = len(moments)
    variance = np.diag(moments).copy()
    least = float(np.finfo(np.float64).eps * variance.min())
    factor = np.zeros((size, size))
    left = np.ones(size, bool)
    order = np.empty(size, np.int64)
    for step in range(size):
        column = int(np.where(left, variance, np.inf).argmin())
        order[size - 1 - step] = column
        left[column] = False
        known = factor[:, :step] @ factor[column, :step]
        pivot = max(variance[column], least)
        factor[:, step] = (moments[:, column] - known) / math.sqrt(pivot)
        variance -= factor[:, step] ** 2
    return order
