"""Weights that fit a number of bytes: sensitivities, allocation, and the rounding itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from squeeze2c.entropy import encode_layer
from squeeze2c.ir import Graph
from squeeze2c.progress import Progress, labelled
from squeeze2c.quantize.apply import MULTIPLIER_LEVELS, SampleLogits, quantize_watched
from squeeze2c.quantize.calibrate import calibrate
from squeeze2c.quantize.equalise import channel_factors
from squeeze2c.quantize.lowbit.allocate import allocate, coded_bits, predicted_kl, steps_for
from squeeze2c.quantize.lowbit.augment import COPIES, augmented
from squeeze2c.quantize.lowbit.sensitivity import (
    Sensitivity,
    float_moments,
    measure,
)
from squeeze2c.quantize.options import QuantizeOptions
from squeeze2c.quantize.statistics import evenly_spread

BIAS_BITS = 8
MOMENT_SHARE = 0.6
"""Part of the images that builds the moments; the others measure the loss."""

MOMENT_PIXELS = 512
FIRST_OVERHEAD = 1.02
"""Codes are so much larger than the entropy of plainly rounded weights, at first guess."""

FEEDBACK_GROWTH = 1.003
"""Rounding with error feedback makes weights a little larger than plain rounding."""

TRIAL_TILE_BYTES = 8192
"""Of decoded weights, for trial codes."""

GOAL = 0.998
"""What is aimed at, as a part of the budget."""

TOLERANCE = 0.994
"""A result this close below the budget is not improved any more."""

_ATTEMPTS = 4

Steps = Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class LowBit:
    """An integer graph with one rounding step for all weights of a layer in ``steps``.

    ``expected_kl``: what the model of the loss expects, in nats.
    """

    graph: Graph
    logits: SampleLogits
    steps: Steps
    expected_kl: float


def sensitivities(
    graph: Graph, images: np.ndarray, options: QuantizeOptions, progress: Progress
) -> tuple[Sensitivity, ...]:
    """How much the rounding of every convolution costs, measured on calibration ``images``.

    Moments and losses are taken from at most ``options.statistics_images`` of them.
    """
    # One thread, so that the same model gives the same figures: see quantize().
    with threadpool_limits(limits=1, user_api="blas"):
        sample = images[evenly_spread(len(images), options.statistics_images)]
        count = len(sample)
        ranges = calibrate(graph, augmented(sample), options.batch_images, progress)
        factors = channel_factors(graph, ranges, options.equalisation_exponent, MULTIPLIER_LEVELS)
        split = max(1, round(MOMENT_SHARE * count))
        moments = float_moments(graph, augmented(sample[:split]), MOMENT_PIXELS, progress)
        judges = sample[split:] if split < count else sample
        return measure(graph, moments, factors, judges, options.damping, progress)


def quantize_with_steps(
    graph: Graph, images: np.ndarray, steps: Steps, options: QuantizeOptions, progress: Progress
) -> tuple[Graph, SampleLogits]:
    """The integer network with one step for all weights in each of the layers in ``steps``.

    At most ``options.statistics_images`` of ``images`` are looked at, and their copies. The
    logits are those of the images themselves.
    """
    sample = images[evenly_spread(len(images), options.statistics_images)]
    coarse = replace(
        options, weight_steps=steps, bias_bits=BIAS_BITS, statistics_images=COPIES * len(sample)
    )
    integer, logits = quantize_watched(graph, augmented(sample), coarse, progress)
    own = logits.images < len(sample)
    return integer, replace(
        logits, images=logits.images[own], real=logits.real[own], integer=logits.integer[own]
    )


def quantize_to_fit(
    graph: Graph,
    images: np.ndarray,
    measured: Sequence[Sensitivity],
    budget_bytes: int,
    fixed_bytes: int,
    size_of: Callable[[LowBit], int],
    options: QuantizeOptions,
    progress: Progress,
    acceptable: Callable[[LowBit], bool] = lambda low: True,
) -> LowBit:
    """The integer network whose parameters take at most ``budget_bytes``, and nearly so many.

    ``measured``: the layers whose weights are packed. ``fixed_bytes``: parameters other than
    the codes of their weights. ``size_of``: bytes of all parameters of an attempt.
    ``acceptable``: whether its loss is; of the attempts that fit, one that is comes first.
    Where not even the coarsest weights fit, it is those that are returned.
    """
    coarsest, finest = steps_for(measured, np.inf), steps_for(measured, 0.0)

    def attempt(steps: Steps, number: int) -> LowBit:
        label = f"attempt {number}" if number > 1 else ""
        found = quantize_with_steps(graph, images, steps, options, labelled(progress, label))
        return LowBit(*found, steps, predicted_kl(measured, steps))

    best: LowBit | None = None
    rank, goal = (False, -1), GOAL * budget_bytes
    target = (goal - fixed_bytes) / FIRST_OVERHEAD
    if target > 0 and coded_bits(measured, coarsest) <= 8 * target:
        target = (goal - fixed_bytes) / _overhead(measured, allocate(measured, 8 * target))
    for number in range(1, _ATTEMPTS + 1):
        steps = coarsest
        if target > 0 and coded_bits(measured, coarsest) <= 8 * target:
            steps = allocate(measured, 8 * target)
        found = attempt(steps, number)
        size = size_of(found)
        if size <= budget_bytes:
            own_rank = (acceptable(found), size)
            if own_rank > rank:
                best, rank = found, own_rank
            if size >= TOLERANCE * budget_bytes or steps == finest:
                break
        elif steps == coarsest:
            return best or found
        else:
            # Each miss aims lower, so that a few attempts are enough.
            goal -= (1 - GOAL) * budget_bytes
        overhead = (size - fixed_bytes) / max(coded_bits(measured, steps) / 8, 1)
        target = (goal - fixed_bytes) / overhead
    return best or attempt(coarsest, _ATTEMPTS + 1)


def _overhead(measured: Sequence[Sensitivity], steps: Steps) -> float:
    """Codes of rounded weights over their entropy: a trial, which is quicker than an attempt."""
    total = 0
    for layer in measured:
        rounded = layer.rounded(steps[layer.node])
        channels = np.zeros(len(rounded), np.int8)
        tile_channels = max(1, TRIAL_TILE_BYTES // rounded.shape[1])
        code = encode_layer(rounded, channels, channels.astype(np.uint8), tile_channels)
        total += len(code.stream) + len(code.table)
    return FEEDBACK_GROWTH * total / max(coded_bits(measured, steps) / 8, 1)
