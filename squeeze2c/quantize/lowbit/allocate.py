"""How coarse each layer may be: one Lagrangian for all, after the sensitivities.

With the loss of layer l growing as s_l * step_l^2 and its size shrinking by one bit per
weight whenever the step doubles, the least total loss for a given size has
step_l^2 = lambda * n_l / s_l: every layer then loses the same per weight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from squeeze2c.quantize.lowbit.sensitivity import Sensitivity

_BISECTIONS = 30
_LEAST, _MOST = 1e-16, 1e2


def steps_for(sensitivities: Sequence[Sensitivity], lagrangian: float) -> Mapping[str, float]:
    """Step of every layer, never finer than 8 bits demand nor so coarse that all is zero."""
    steps = {}
    for layer in sensitivities:
        step = coarsest = layer.coarsest_step()
        if layer.kl_per_step2 > 0:
            step = math.sqrt(lagrangian * layer.weight.size / layer.kl_per_step2)
        steps[layer.node] = min(max(step, layer.finest_step()), coarsest)
    return steps


def predicted_kl(sensitivities: Sequence[Sensitivity], steps: Mapping[str, float]) -> float:
    """Sum of what the layers lose, in nats."""
    return sum(layer.predicted_kl(steps[layer.node]) for layer in sensitivities)


def coded_bits(sensitivities: Sequence[Sensitivity], steps: Mapping[str, float]) -> float:
    """Entropy of all weights after plain rounding."""
    return sum(layer.coded_bits(steps[layer.node]) for layer in sensitivities)


def allocate(sensitivities: Sequence[Sensitivity], budget_bits: float) -> Mapping[str, float]:
    """The finest steps whose weights have an entropy of at most ``budget_bits``."""
    low, high = math.log(_LEAST), math.log(_MOST)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        fits = coded_bits(sensitivities, steps_for(sensitivities, math.exp(middle))) <= budget_bits
        low, high = (low, middle) if fits else (middle, high)
    return steps_for(sensitivities, math.exp(high))
