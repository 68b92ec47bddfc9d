"""Cases for kernels that keep several sums in 64 bits: those that they share, and more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from squeeze2c.ir import Padding, Window
from squeeze2c.reference.fixed_point import MULTIPLIER_LIMIT
from tests.kernels import generate, generate_paired
from tests.kernels.cases import ConvCase, Strides, padding_of
from tests.kernels.generate import random_conv

INT32_MAX = 2**31 - 1


@cache
def conv_cases() -> tuple[ConvCase, ...]:
    return (*_shared(generate.conv_cases()), *_shared(generate_paired.conv_cases()), *_cases(1))


@cache
def poly_cases() -> tuple[ConvCase, ...]:
    return (*_shared(generate_paired.winograd_cases()), *_rows(), *_poly_ends())


@cache
def conv_sum_cases() -> tuple[ConvCase, ...]:
    shared = (*generate.conv_sum_cases(), *generate_paired.conv_sum_cases())
    return (*_shared(shared), *_cases(12))


def _shared(cases: tuple[ConvCase, ...]) -> Iterator[ConvCase]:
    """Those of ``cases`` that are shifted by 24 bits, clamping apart."""
    return (replace(case, clamp_min=0) for case in cases if case.shift == 24)


def _cases(pixels: int) -> Iterator[ConvCase]:
    yield from _groupings()
    yield from _parts(pixels)


def _groupings() -> Iterator[ConvCase]:
    """Rows of several passes, with every number of pixels and channels that is left over."""
    rng = np.random.default_rng(30)
    for cols in range(1, 28):
        channels = (int(rng.integers(1, 200)), 1 + cols % 7)
        case = random_conv(f"{cols} columns, {channels} channels", rng, (1, cols), channels,
                           Window((1, 1)))  # fmt: skip
        yield replace(case, clamp_min=0)


def _parts(pixels: int) -> Iterator[ConvCase]:
    """Fields at their ends, and sums at those of int32, in every number of blocks.

    ``pixels``: so many results, summed, fit int32.
    """
    rng = np.random.default_rng(31)
    for blocks in range(1, 10):
        for pattern in ("full", "random", "small"):
            taps = 8 * blocks - int(rng.integers(8))
            size = 1 if pattern == "small" else 127
            x = np.full((2, 6, taps), 255, np.uint8)
            if pattern != "full":
                x = rng.choice([0, 255], x.shape).astype(np.uint8)
            signs = np.array([1, 1, 1, -1, -1, -1, 1, -1])[:, None, None, None]
            weight = np.broadcast_to(size * signs, (8, 1, 1, taps)).copy()
            if pattern == "random":
                weight = rng.choice([-127, 127], weight.shape)
            multiplier = rng.choice([1, MULTIPLIER_LIMIT - 1, 5_000_000], 8)
            largest = np.minimum(INT32_MAX, ((INT32_MAX // pixels << 24) - (1 << 23)) // multiplier)
            reach = 255 * np.abs(weight).sum(axis=(1, 2, 3))
            bias = rng.choice([-1, 1], 8) * (largest - reach)
            yield ConvCase(
                f"{taps} taps, {pattern}", x, weight.astype(np.int8), bias.astype(np.int32),
                multiplier.astype(np.int32), 24, Window((1, 1), (1, 1), Padding()),
                (0,) * taps, int(rng.choice([0, 128, 255])), 0, bool(rng.integers(2)),
            )


def _rows() -> Iterator[ConvCase]:
    """Any number of input channels, so that blocks end anywhere in kernel rows; even columns."""
    rng = np.random.default_rng(32)
    for channels in (*range(1, 20), 24, 31, 64):
        for style in generate.PADDINGS:
            cols = int(rng.integers(3, 20))
            case = random_conv(
                f"{channels} channels, {cols} columns, padding {style}", rng,
                (int(rng.integers(3, 7)), cols), (channels, 1 + channels % 3),
                Window((3, 3), (1, 1), padding_of((3, 3), style)),
                Strides(channels % 3, channels % 4, channels % 4), int(rng.choice([0, 7, 255])),
            )
            yield replace(case, clamp_min=0)
    window = Window((3, 3), (1, 1), Padding(2, 2, 2, 2))
    case = random_conv("padding of 2", rng, (1, 1), (3, 2), window)
    yield replace(case, clamp_min=0)


def _poly_ends() -> Iterator[ConvCase]:
    """Largest fields in every number of blocks, and sums at the ends of int32."""
    rng = np.random.default_rng(33)
    window = Window((3, 3), (1, 1), Padding(1, 1, 1, 1))
    for channels in (1, 2, 3, 5, 8, 11, 16, 21, 32, 40):
        for pattern in ("full", "checkers", "random"):
            x = np.full((4, 11, channels), 255, np.uint8)
            if pattern == "checkers":
                x[:, 1::2] = 0
            elif pattern == "random":
                x = rng.choice([0, 255], x.shape).astype(np.uint8)
            signs = np.array([1, -1, 1, -1])[:, None, None, None]
            weight = np.broadcast_to(127 * signs, (4, 3, 3, channels)).copy()
            weight[2:] = rng.choice([-127, 127], (2, 3, 3, channels))
            multiplier = rng.choice([1, MULTIPLIER_LIMIT - 1], 4)
            reach = 255 * 127 * 9 * channels
            bias = np.array([1, -1, 1, -1]) * (INT32_MAX - reach)
            yield ConvCase(
                f"{channels} channels, {pattern}", x, weight.astype(np.int8),
                bias.astype(np.int32), multiplier.astype(np.int32), 24, window,
                (255,) * channels, int(rng.choice([0, 128, 255])),
            )
