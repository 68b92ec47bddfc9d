"""Cases for kernels that skip weights of zero: those that they share, and more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from squeeze2c.ir import Padding, Window
from squeeze2c.reference.fixed_point import MULTIPLIER_LIMIT
from tests.kernels import generate
from tests.kernels.cases import ConvCase, padding_of
from tests.kernels.generate import random_conv

LIMIT = 1 << 22
FARTHEST = 15


@cache
def conv_cases() -> tuple[ConvCase, ...]:
    return (
        *_portable(generate.conv_cases()), *_widths(), *_words(), *_distances(), *_ends(1)
    )  # fmt: skip


@cache
def conv_sum_cases() -> tuple[ConvCase, ...]:
    return (
        *_portable(generate.conv_sum_cases()), *_widths(), *_words(), *_distances(), *_ends(20)
    )  # fmt: skip


def _portable(cases: tuple[ConvCase, ...]) -> Iterator[ConvCase]:
    """Those of ``cases`` that meet the preconditions, clamping apart."""
    for case in cases:
        matrix = case.weight.reshape(len(case.weight), -1).astype(np.int64)
        low = case.bias + 255 * np.minimum(matrix, 0).sum(axis=1)
        high = case.bias + 255 * np.maximum(matrix, 0).sum(axis=1)
        if case.shift == 24 and low.min() >= -LIMIT and high.max() < LIMIT:
            yield replace(case, clamp_min=0)


def _thinned(case: ConvCase, rng: np.random.Generator, density: float) -> ConvCase:
    kept = rng.random(case.weight.shape) < density
    # Sums of random cases may be beyond the limit.
    weight = np.where(kept, case.weight // 2, 0).astype(np.int8)
    bias = np.clip(case.bias, -LIMIT // 2, LIMIT // 2 - 1).astype(np.int32)
    return replace(case, weight=weight, bias=bias, clamp_min=0)


def _widths() -> Iterator[ConvCase]:
    """Every number of pixels in the last group: padding, strides, gaps, channels beside words."""
    rng = np.random.default_rng(30)
    for cols in range(1, 18):
        for channels, step, style in (
            (3, 1, "same"), (4, 1, "same"), (8, 2, "uneven"), (5, 2, "none"), (6, 1, "uneven"),
        ):  # fmt: skip
            if style == "none" and cols < 3:
                continue
            window = Window((3, 3), (1, step), padding_of((3, 3), style))
            extra, off = int(rng.choice([0, 3, 4])), int(rng.integers(4))
            case = random_conv(
                f"{channels} channels, {cols} columns, stride {step}, padding {style}",
                rng, (3, cols), (channels, int(rng.integers(1, 6))), window,
                generate.Strides(extra, extra, off), int(rng.choice([0, 1, 200, 255])),
            )
            yield _thinned(replace(case, relu=bool(rng.integers(2))), rng, 0.4)


def _words() -> Iterator[ConvCase]:
    """Every number of words behind the last whole chunk, and several chunks before."""
    rng = np.random.default_rng(31)
    for taps in (*range(1, 80), 130, 200):
        cols = 8 + taps % 8
        case = random_conv(f"{taps} taps", rng, (1, cols), (taps, 3), Window((1, 1)))
        yield _thinned(replace(case, relu=bool(taps % 3)), rng, 1.0 if taps < 40 else 0.5)


def _distances() -> Iterator[ConvCase]:
    """Distances that one entry, two and many bridge; channels without any weight."""
    rng = np.random.default_rng(32)
    for distance in (0, 1, 2, 14, 15, 16, 29, 30, 31, 45, 46, 100, 299):
        case = random_conv(f"distance {distance}", rng, (1, 13), (300, 4), Window((1, 1)))
        weight = np.zeros_like(case.weight)
        weight[0, 0, 0, distance:: max(distance, 1)] = 127
        weight[1, 0, 0, distance] = -128
        weight[2, 0, 0, [0, distance, 299]] = (5, -7, -1)
        relu = distance % 2 == 0
        yield replace(_thinned(case, rng, 0.0), weight=weight // 4, relu=relu)


def _ends(pixels: int) -> Iterator[ConvCase]:
    """Accumulators at both ends of 23 bits beside each other, in either place of a word.

    ``pixels``: so many results, summed, fit int32.
    """
    rng = np.random.default_rng(33)
    reach = 255 * 127 * 24
    for multiplier in (1, int(rng.integers(2, MULTIPLIER_LIMIT - 1)), MULTIPLIER_LIMIT - 1):
        for pattern in range(3):
            x = np.full((3, 17, 12), 255, np.uint8)
            if pattern:
                x[:, pattern - 1 :: 2] = 0
            weight = np.zeros((5, 1, 2, 12), np.int8)
            for channel, sign in enumerate((1, -1, 1, -1)):
                weight[channel] = 127 * sign
            bias = [LIMIT - 1 - reach, reach - LIMIT, -LIMIT, LIMIT - 1, LIMIT - 1]
            yield ConvCase(
                f"ends, multiplier {multiplier}, pattern {pattern}", x, weight,
                np.array(bias, np.int32), np.full(5, multiplier, np.int32), 24,
                Window((1, 2), (1, 1), Padding(0, 1, 0, 0)), (0,) * 12,
                int(rng.choice([0, 128, 255])), 0, pattern > 0,
            )
