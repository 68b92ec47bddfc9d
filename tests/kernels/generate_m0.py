"""Cases for kernels that split taps into segments: their lengths, and how many pixels there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from squeeze2c.ir import Window
from tests.kernels.cases import ConvCase
from tests.kernels.generate import random_conv


@cache
def conv_cases() -> tuple[ConvCase, ...]:
    return (*_pixels(), *_segments(), *_ends())


def _pixels() -> Iterator[ConvCase]:
    """Pixels around groups of eight, and around what is computed at once."""
    rng = np.random.default_rng(30)
    for pixels in (1, 7, 8, 9, 15, 16, 17, 24, 31, 33, 87, 88, 89, 95, 97, 176, 177, 190):
        zero_point = int(rng.choice([0, 0, 1, 255]))
        yield random_conv(
            f"{pixels} pixels", rng, (1, pixels), (5, 3), Window((1, 1)), zero_point=zero_point
        )


def _segments() -> Iterator[ConvCase]:
    """Weights that end a segment after two taps, after the most, and after anything between."""
    rng = np.random.default_rng(31)
    for taps in (*range(1, 8), 30, 31, 32, 33, 34, 63, 64, 65, 66, 127, 128, 200):
        case = random_conv(f"{taps} taps", rng, (1, 9), (taps, 6), Window((1, 1)))
        weight = case.weight.copy()
        weight[1] = 0
        weight[2] = rng.choice([-7, 7], weight[2].shape)
        weight[3] = rng.choice([-8, 8], weight[3].shape)
        weight[4] = rng.choice([-127, 127], weight[4].shape)
        weight[5] = np.where(rng.integers(0, 9, weight[5].shape) > 0, weight[5] // 30, weight[5])
        yield replace(case, weight=weight, clamp_min=0, relu=bool(taps % 2))


def _ends() -> Iterator[ConvCase]:
    """Sums of segments at both ends of 16 bits, beside each other in every way."""
    rng = np.random.default_rng(32)
    for pattern in ("zeros", "full", "pixels", "taps", "random"):
        case = random_conv(f"{pattern} of 0 and 255", rng, (1, 16), (66, 5), Window((1, 1)))
        x = np.full(case.x.shape, 255, np.uint8)
        if pattern == "zeros":
            x[:] = 0
        elif pattern == "pixels":
            x[:, ::2] = 0
        elif pattern == "taps":
            x[:, :, ::2] = 0
        elif pattern == "random":
            x = rng.choice([0, 255], x.shape).astype(np.uint8)
        weight = case.weight.copy()
        weight[0], weight[1] = 127, -127
        weight[2, ..., ::2], weight[2, ..., 1::2] = 127, -127
        weight[3] = rng.choice([-127, 127], weight[3].shape)
        weight[4] = rng.choice([-51, 51, -1, 0], weight[4].shape)
        for multiplier in (1, 3000, (1 << 23) - 1):
            for zero_point in (0, 128):
                yield replace(
                    case, x=x, weight=weight, multiplier=np.full(5, multiplier, np.int32),
                    zero_point=zero_point, clamp_min=zero_point, relu=bool(zero_point),
                )  # fmt: skip
