"""Cases for kernels for Helium: those that all kernels share, and more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from squeeze2c.ir import Padding, Window
from squeeze2c.reference.fixed_point import MULTIPLIER_LIMIT
from tests.kernels import generate
from tests.kernels.cases import ConvCase, Strides, padding_of
from tests.kernels.generate import random_conv

INT32_MAX = 2**31 - 1


@cache
def conv_cases() -> tuple[ConvCase, ...]:
    return (*generate.conv_cases(), *_blocks(), *_pixels(), *_cameras(), *_ends(1))


@cache
def conv_sum_cases() -> tuple[ConvCase, ...]:
    return (*generate.conv_sum_cases(), *_blocks(), *_pixels(), *_cameras(), *_ends(20))


@cache
def conv3x3_cases() -> tuple[ConvCase, ...]:
    return (*_neighbours(), *_neighbours_at_the_ends())


def _neighbours() -> Iterator[ConvCase]:
    """Every mix of groups, padding, gaps, numbers of channels, and some other shift or limit."""
    rng = np.random.default_rng(33)
    for cols in (*range(1, 18), 27):
        for style in ("none", "same", "uneven"):
            if style == "none" and cols < 3:
                continue
            window = Window((3, 3), (int(rng.integers(1, 3)), 1), padding_of((3, 3), style))
            channels = (int(rng.choice([16, 32, 48, 80])), 1 + int(rng.integers(12)))
            extra = rng.choice([0, 4, 16, 5], 2).tolist()
            case = random_conv(
                f"{cols} columns, {channels} channels, padding {style}", rng,
                (int(rng.integers(3, 6)), cols), channels, window,
                Strides(extra[0], extra[1], int(rng.choice([0, 0, 0, 3]))),
                int(rng.choice([0, 0, 1, 200, 255])),
            )
            if cols % 4:
                case = replace(case, clamp_min=0)
            if cols % 7 == 6:
                case = replace(case, shift=23, multiplier=case.multiplier // 2 + 1)
            yield case


def _neighbours_at_the_ends() -> Iterator[ConvCase]:
    """Largest inputs and weights, accumulators at the ends of int32."""
    rng = np.random.default_rng(34)
    window = Window((3, 3), (1, 1), Padding(1, 1, 1, 1))
    for multiplier in (1, MULTIPLIER_LIMIT - 1):
        for full in (True, False):
            x = np.full((4, 7, 32), 255, np.uint8)
            if not full:
                x = rng.choice([0, 255], x.shape).astype(np.uint8)
            signs = np.array([1, -1, -1, 1, 1, -1])
            weight = np.broadcast_to(127 * signs[:, None, None, None], (6, 3, 3, 32))
            largest = min(INT32_MAX, ((INT32_MAX << 24) - (1 << 23)) // multiplier)
            yield ConvCase(
                f"ends, multiplier {multiplier}, full {full}", x, weight.astype(np.int8),
                (signs * (largest - 255 * 127 * 288)).astype(np.int32),
                np.full(6, multiplier, np.int32), 24, window,
                (255,) * 32 if full else (0,) * 32, int(rng.choice([0, 255])),
            )


def _blocks() -> Iterator[ConvCase]:
    """Every way into the loop over blocks of 16 taps, and several turns of it."""
    rng = np.random.default_rng(30)
    for channels in (*range(16, 161, 16), 15, 17, 31, 33, 63, 65, 100):
        label = f"{channels} input channels"
        case = random_conv(
            label, rng, (1, 3 + channels % 5), (channels, 1 + channels % 9), Window((1, 1))
        )
        yield replace(case, clamp_min=0)
    for channels in (16, 32, 48, 6):
        window = Window((3, 3), (1, 1), Padding(1, 1, 1, 1))
        yield random_conv(f"3x3, {channels} input channels", rng, (3, 7), (channels, 8), window)


def _cameras() -> Iterator[ConvCase]:
    """Rows of windows of one vector, of two and of three, some of them at the ends of a row."""
    rng = np.random.default_rng(35)
    for kernel, channels in (((3, 3), 3), ((3, 5), 3), ((7, 7), 3), ((5, 5), 1), ((2, 4), 9)):
        for step in (1, 2, 3):
            for style in ("none", "same"):
                window = Window(kernel, (step, step), padding_of(kernel, style))
                case = random_conv(
                    f"{kernel} of {channels} channels, stride {step}, padding {style}", rng,
                    (8, 30), (channels, 6), window,
                )
                yield replace(case, clamp_min=0)


def _pixels() -> Iterator[ConvCase]:
    """Every mix of groups of four and three, aligned outputs and others, strides and gaps."""
    rng = np.random.default_rng(31)
    for cols in (*range(1, 16), 27):
        for extra in (0, 1, 4, 16):
            step = int(rng.integers(1, 3))
            window = Window((3, 3), (1, step), Padding(1, 1, 1, 1))
            case = random_conv(
                f"{cols} columns, {extra} bytes between pixels", rng, (2, cols),
                (int(rng.choice([16, 3, 8])), int(rng.choice([4, 8, 7]))), window,
                Strides(extra, extra, int(rng.choice([0, 0, 1]))), int(rng.choice([0, 0, 200])),
            )
            yield replace(case, clamp_min=0)


def _ends(pixels: int) -> Iterator[ConvCase]:
    """Accumulators at the ends of int32 with the usual shift, at every place of a quad.

    ``pixels``: so many results, summed, fit int32.
    """
    rng = np.random.default_rng(32)
    window = Window((2, 2), (1, 1), Padding(1, 1, 1, 1))
    for full in (True, False):
        for multiplier in (1, int(rng.integers(2, MULTIPLIER_LIMIT - 1)), MULTIPLIER_LIMIT - 1):
            x = np.full((3, 4, 16), 255, np.uint8)
            if not full:
                x = rng.choice([0, 255], x.shape).astype(np.uint8)
            weight = np.array([127, -127, -127, 127, 127], np.int8)[:, None, None, None]
            weight = np.broadcast_to(weight, (5, 2, 2, 16)).copy()
            largest = min(INT32_MAX, ((INT32_MAX // pixels << 24) - (1 << 23)) // multiplier)
            reach = 255 * 127 * 64
            signs = np.array([1, -1, -1, 1, 1])
            yield ConvCase(
                f"ends, multiplier {multiplier}, full {full}", x, weight,
                (signs * (largest - reach)).astype(np.int32), np.full(5, multiplier, np.int32),
                24, window, (255,) * 16 if full else (0,) * 16, int(rng.choice([0, 128, 255])), 0,
                bool(rng.integers(2)),
            )
