"""Weights that fit a number of bytes: sensitivities, allocation, and the rounding itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from squeeze2c.errors import DoesNotFitError
from squeeze2c.ir import Graph
from squeeze2c.progress import Progress
from squeeze2c.quantize.apply import MULTIPLIER_LEVELS, quantize
from squeeze2c.quantize.calibrate import calibrate
from squeeze2c.quantize.equalise import channel_factors
from squeeze2c.quantize.lowbit.allocate import allocate, predicted_kl, steps_for
from squeeze2c.quantize.lowbit.sensitivity import (
    Sensitivity,
    entropy_of_counts,
    float_moments,
    measure,
)
from squeeze2c.quantize.options import QuantizeOptions

BIAS_BITS = 8
MOMENT_SHARE = 0.6
"""Part of the images that builds the moments; the others measure the loss."""

MOMENT_PIXELS = 512
FIRST_OVERHEAD = 1.02
TOLERANCE = 0.99
"""A result this close below the budget is not improved any more."""

_ATTEMPTS = 4


@dataclass(frozen=True, slots=True, eq=False)
class LowBit:
    """The integer graph, and what the model of the loss expects of it in nats."""

    graph: Graph
    expected_kl: float
    sensitivities: tuple[Sensitivity, ...]


def mirrored(images: np.ndarray) -> np.ndarray:
    """``images`` (N, rows, cols, channels) and their mirror images: twice the statistics."""
    return np.concatenate([images, images[:, :, ::-1]])


def sensitivities(
    graph: Graph, images: np.ndarray, options: QuantizeOptions, progress: Progress
) -> tuple[Sensitivity, ...]:
    """How much the rounding of every convolution costs, measured on calibration ``images``."""
    ranges = calibrate(graph, mirrored(images), options.batch_images, progress)
    factors = channel_factors(graph, ranges, options.equalisation_exponent, MULTIPLIER_LEVELS)
    split = max(1, round(MOMENT_SHARE * len(images)))
    moments = float_moments(graph, images[:split], MOMENT_PIXELS, progress)
    judges = images[split:] if split < len(images) else images
    return measure(graph, moments, factors, judges, options.damping, progress)


def quantize_to_fit(
    graph: Graph,
    images: np.ndarray,
    measured: Sequence[Sensitivity],
    budget_bytes: int,
    size_of: Callable[[Graph], int],
    options: QuantizeOptions,
    progress: Progress,
) -> LowBit:
    """The integer network whose parameters take at most ``budget_bytes``, and nearly so many.

    ``size_of``: bytes of all parameters of an integer graph. Raises
    :class:`DoesNotFitError` where even the coarsest weights do not fit.
    """
    target = budget_bytes / FIRST_OVERHEAD
    best: LowBit | None = None
    smallest = 0
    for _ in range(_ATTEMPTS):
        steps = allocate(measured, 8 * target, entropy_of_counts)
        candidate = quantize(
            graph,
            mirrored(images),
            replace(
                options, weight_steps=steps, bias_bits=BIAS_BITS, statistics_images=2 * len(images)
            ),
            progress,
        )
        smallest = size_of(candidate)
        if smallest <= budget_bytes:
            best = LowBit(candidate, predicted_kl(measured, steps), tuple(measured))
            if smallest >= TOLERANCE * budget_bytes or _is_finest(measured, steps):
                break
        target += budget_bytes * (1 + TOLERANCE) / 2 - smallest
        if target <= 0:
            break
    if best is None:
        coarsest = steps_for(measured, np.inf)
        raise DoesNotFitError(
            "flash for the parameters",
            needed_bytes=smallest,
            available_bytes=budget_bytes,
            where="--weights-budget",
            hint="allow more; the coarsest weights lose about "
            f"{predicted_kl(measured, coarsest):.1f} nats",
        )
    return best


def _is_finest(measured: Sequence[Sensitivity], steps: object) -> bool:
    return steps == steps_for(measured, 0.0)
