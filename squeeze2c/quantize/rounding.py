"""Error-feedback rounding of weights.

Columns are rounded one after the other; each column's rounding error is
compensated by the columns still to come, using the second moments of the
layer's inputs (Frantar et al., GPTQ, ICLR 2023, after Hassibi and Stork's
Optimal Brain Surgeon, 1993).
"""

from __future__ import annotations

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
    diagonal is added for stability. Columns are taken by falling variance.
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
    """Upper U with inverse(moments + ridge) = U^T U, columns ordered by falling variance."""
    variance = np.diag(moments)
    order = np.argsort(-variance, kind="stable")
    mean = float(variance.mean())
    if not mean > 0:
        return None, order
    ridged = moments[np.ix_(order, order)] + damping * mean * np.eye(len(order))
    return np.linalg.cholesky(np.linalg.inv(ridged)).T, order
