"""How coarse each layer may be: one Lagrangian for all, after the sensitivities.

With the loss of layer l growing as s_l * step_l^2 and its size shrinking by one bit per
weight whenever the step doubles, the least total loss for a given size has
step_l^2 = lambda * n_l / s_l: every layer then loses the same per weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from squeeze2c.quantize.lowbit.sensitivity import WEIGHT_LIMIT, Sensitivity

_BISECTIONS = 30
_LEAST, _MOST = 1e-16, 1e2


def steps_for(sensitivities: Sequence[Sensitivity], lagrangian: float) -> Mapping[str, float]:
    """Step of every layer, never finer than 8 bits demand nor so coarse that all is zero."""
    steps = {}
    for layer in sensitivities:
        largest = float(np.abs(layer.weight).max(initial=0.0)) or 1.0
        step = largest
        if layer.kl_per_step2 > 0:
            step = math.sqrt(lagrangian * layer.weight.size / layer.kl_per_step2)
        steps[layer.node] = min(max(step, largest / WEIGHT_LIMIT), largest)
    return steps


def predicted_kl(sensitivities: Sequence[Sensitivity], steps: Mapping[str, float]) -> float:
    """Sum of what the layers lose, in nats."""
    return sum(s.kl_per_step2 * steps[s.node] ** 2 for s in sensitivities)


def allocate(
    sensitivities: Sequence[Sensitivity],
    budget_bits: float,
    bits_of: Callable[[np.ndarray], float],
) -> Mapping[str, float]:
    """The finest steps whose weights take at most ``budget_bits``.

    ``bits_of``: size of a layer's code, given how often each value from -128 to 127 occurs.
    """
    low, high = math.log(_LEAST), math.log(_MOST)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        steps = steps_for(sensitivities, math.exp(middle))
        bits = sum(bits_of(_counts(s.weight, steps[s.node])) for s in sensitivities)
        low, high = (low, middle) if bits <= budget_bits else (middle, high)
    return steps_for(sensitivities, math.exp(high))


def _counts(weight: np.ndarray, step: float) -> np.ndarray:
    rounded = np.clip(np.rint(weight / step), -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int64)
    return np.bincount(rounded.reshape(-1) + 128, minlength=256)
