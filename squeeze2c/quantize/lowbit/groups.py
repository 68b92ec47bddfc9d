"""Second moments for a classifier, class group by class group.

A class's logit matters on images where the class is probable, and at pixels where its
output is active. Classes that look alike share those, so the rows of the classifier are
clustered, and each group's rounding is judged on the inputs that matter to it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

GROUPS = 24
SHARE_OF_ALL = 0.1
"""Weight of all inputs alike, beside those that matter to the group."""

_ROUNDS = 20
_SEED = 0


def cluster_rows(weight: np.ndarray, groups: int = GROUPS) -> np.ndarray:
    """Group number of every row of ``weight`` (O, K), by direction (k-means, deterministic)."""
    length = np.linalg.norm(weight, axis=1, keepdims=True)
    rows = weight / np.where(length > 0, length, 1.0)
    groups = min(groups, len(rows))
    rng = np.random.default_rng(_SEED)
    centres = rows[rng.choice(len(rows), groups, replace=False)]
    member = np.zeros(len(rows), np.int64)
    for _ in range(_ROUNDS):
        distance = (centres**2).sum(axis=1) - 2 * rows @ centres.T
        member = distance.argmin(axis=1)
        for group in range(groups):
            if (member == group).any():
                centres[group] = rows[member == group].mean(axis=0)
    return member


def group_moments(
    real: np.ndarray,
    integer: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    member: np.ndarray,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(rows of the group, second moments (K, K)) for every group.

    ``real`` (N, pixels, K): inputs of the float network; ``integer``: the same pixels as
    the quantised network sees them. ``weight`` (O, K) and ``bias`` (O,) go with ``real``.
    """
    outputs = real @ weight.T.astype(np.float32) + bias.astype(np.float32)
    active = outputs > 0
    logits = np.where(active, outputs, 0).mean(axis=1)
    logits -= logits.max(axis=1, keepdims=True)
    probability = np.exp(logits)
    probability /= probability.sum(axis=1, keepdims=True)
    flat = integer.reshape(-1, integer.shape[-1]).astype(np.float32)
    everywhere = flat.T @ flat / len(flat)
    for group in range(int(member.max(initial=0)) + 1):
        rows = np.flatnonzero(member == group)
        if not len(rows):
            continue
        matters = np.einsum("npo,no->np", active[..., rows], probability[:, rows]).reshape(-1)
        moment = everywhere
        if matters.sum() > 0:
            scaled = flat * np.sqrt(matters / matters.sum())[:, None].astype(np.float32)
            moment = SHARE_OF_ALL * everywhere + (1 - SHARE_OF_ALL) * (scaled.T @ scaled)
        yield rows, moment.astype(np.float64)
