"""The coarsest weights whose measured loss stays within a limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from squeeze2c.quantize.lowbit.allocate import predicted_kl, steps_for
from squeeze2c.quantize.lowbit.sensitivity import Sensitivity

ATTEMPTS = 4
_FIRST_KL_PER_DROP2 = 4.0
"""Predicted nats per squared share of images with another answer: of SqueezeNets, about."""

_LEAST_KL = 1e-6
_LARGEST_FACTOR = 16.0
_BISECTIONS = 60

Result = TypeVar("Result")


def steps_for_kl(measured: Sequence[Sensitivity], kl: float) -> Mapping[str, float]:
    """The coarsest steps with a predicted loss of at most ``kl`` nats, where there are any."""
    low, high = math.log(1e-18), math.log(1e6)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        fine = predicted_kl(measured, steps_for(measured, math.exp(middle))) <= kl
        low, high = (middle, high) if fine else (low, middle)
    return steps_for(measured, math.exp(low))


def coarsest_within(
    most_percent: float,
    measured: Sequence[Sensitivity],
    attempt: Callable[[Mapping[str, float]], tuple[Result, float]],
) -> tuple[Result, float]:
    """What :data:`ATTEMPTS` attempts find: the result of the coarsest steps within the limit.

    ``attempt`` quantises with the given steps and says what percentage of the images get
    another answer. Where no attempt is within ``most_percent``, the last one has the finest
    steps there are, and is returned as it is.
    """
    share = max(most_percent, 0.1) / 100
    kl = _FIRST_KL_PER_DROP2 * share**2
    good_kl, bad_kl = 0.0, math.inf
    best: tuple[Result, float] | None = None
    for _ in range(ATTEMPTS - 1):
        result, percent = attempt(steps_for_kl(measured, kl))
        if percent <= most_percent:
            best, good_kl = (result, percent), kl
        else:
            bad_kl = kl
        if good_kl > 0 and bad_kl < math.inf:
            kl = math.sqrt(good_kl * bad_kl)
        else:
            factor = (max(most_percent, 0.1) / max(percent, 0.1)) ** 2
            if best is not None:
                factor = max(factor, 2.0)
            kl *= min(max(factor, 1 / _LARGEST_FACTOR), _LARGEST_FACTOR)
            kl = max(kl, _LEAST_KL)
    if best is not None:
        result, percent = attempt(steps_for_kl(measured, kl))
        return (result, percent) if percent <= most_percent and kl > good_kl else best
    return attempt(steps_for(measured, 0.0))
