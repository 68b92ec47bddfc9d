"""Cases for kernels that read pairs of channels: those that they share, and more."""

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

LIMIT = 1 << 23
INT32_MAX = 2**31 - 1


@cache
def conv_cases() -> tuple[ConvCase, ...]:
    return (*_portable(generate.conv_cases()), *_lengths(), *_quads(), *_ends(1))


@cache
def conv_sum_cases() -> tuple[ConvCase, ...]:
    return (*_portable(generate.conv_sum_cases()), *_lengths(), *_quads(), *_ends(20))


@cache
def winograd_cases() -> tuple[ConvCase, ...]:
    return (*_tiles(), *_checkers())


def _tiles() -> Iterator[ConvCase]:
    """Every grouping of tiles, numbers of channels and rows, padding, gaps between pixels."""
    rng = np.random.default_rng(23)
    for cols in (*range(1, 31), 55):
        for style in ("none", "same", "uneven"):
            if style == "none" and cols < 3:
                continue
            window = Window((3, 3), (1, 1), padding_of((3, 3), style))
            channels = (int(rng.choice([16, 32, 48])) if cols < 20 else 16, 1 + cols % 4)
            extra = rng.choice([0, 3, 4], 2).tolist()
            case = random_conv(
                f"{cols} columns, {channels} channels, padding {style}", rng,
                (int(rng.integers(3, 8)), cols), channels, window,
                generate.Strides(extra[0], extra[1], int(rng.integers(4))),
                int(rng.choice([0, 1, 200, 255])),
            )
            yield replace(case, clamp_min=0)


def _checkers() -> Iterator[ConvCase]:
    """Largest transformed inputs and weights, and accumulators at the ends of 26 bits."""
    rng = np.random.default_rng(24)
    window = Window((3, 3), (1, 1), Padding(1, 1, 1, 1))
    signs = np.array([1, -1, 1, -1, 1])[:, None, None, None]
    reach = 255 * 127 * 9 * 16
    for pattern in ("full", "columns", "rows", "checkers", "random"):
        x = np.full((7, 9, 16), 255, np.uint8)
        at = np.add.outer(np.arange(7) * (pattern != "columns"), np.arange(9) * (pattern != "rows"))
        if pattern == "random":
            x = rng.choice([0, 255], x.shape).astype(np.uint8)
        elif pattern != "full":
            x[at % 2 == 1] = 0
        weight = np.broadcast_to(127 * signs, (5, 3, 3, 16)).copy()
        weight[3:] = rng.choice([-127, 127], (2, 3, 3, 16))
        end = 1 << 25
        yield ConvCase(
            f"{pattern} of 0 and 255", x, weight.astype(np.int8),
            np.array([end - 1 - reach, reach - end, 0, 5, -5], np.int32),
            rng.integers(1, MULTIPLIER_LIMIT, 5).astype(np.int32), 24, window,
            (255,) * 16 if pattern == "full" else (0,) * 16, int(rng.choice([0, 128, 255])),
        )


def _portable(cases: tuple[ConvCase, ...]) -> Iterator[ConvCase]:
    """Those of ``cases`` that meet the preconditions, clamping apart."""
    for case in cases:
        matrix = case.weight.reshape(len(case.weight), -1).astype(np.int64)
        low = case.bias + 255 * np.minimum(matrix, 0).sum(axis=1)
        high = case.bias + 255 * np.maximum(matrix, 0).sum(axis=1)
        if case.shift == 24 and (low[1::2] >= -LIMIT).all() and (high[1::2] < LIMIT).all():
            yield replace(case, clamp_min=0)


def _lengths() -> Iterator[ConvCase]:
    """Every number of words behind the last whole chunk, and several chunks before."""
    rng = np.random.default_rng(20)
    for taps in (*range(1, 68), 96, 100, 128, 160):
        case = random_conv(f"{taps} taps", rng, (1, 4 + taps % 4), (taps, 4), Window((1, 1)))
        yield replace(case, clamp_min=0)


def _quads() -> Iterator[ConvCase]:
    """Pixels that are whole words: padding, strides, gaps, and each number of pixels at the end."""
    rng = np.random.default_rng(21)
    for channels in (4, 8, 12):
        for cols in (5, 6, 7, 8, 11):
            for step in (1, 2):
                for style in generate.PADDINGS:
                    window = Window((3, 3), (1, step), padding_of((3, 3), style))
                    extra, off = int(rng.choice([0, 3, 4])), int(rng.integers(4))
                    case = random_conv(
                        f"{channels} channels, {cols} columns, stride {step}, padding {style}",
                        rng, (3, cols), (channels, int(rng.integers(1, 6))), window,
                        generate.Strides(extra, extra, off), int(rng.choice([0, 1, 200, 255])),
                    )
                    yield replace(case, clamp_min=0)


def _ends(pixels: int) -> Iterator[ConvCase]:
    """First channels at the ends of int32, second ones at those of 24 bits.

    ``pixels``: so many results, summed, fit int32.
    """
    rng = np.random.default_rng(22)
    window = Window((2, 2), (1, 1), Padding(1, 1, 1, 1))
    for full in (True, False):
        for multiplier in (1, int(rng.integers(2, MULTIPLIER_LIMIT - 1)), MULTIPLIER_LIMIT - 1):
            x = np.full((3, 4, 3), 255, np.uint8)
            if not full:
                x = rng.choice([0, 255], x.shape).astype(np.uint8)
            weight = np.array([127, 127, -127, -127, 127], np.int8)[:, None, None, None]
            weight = np.broadcast_to(weight, (5, 2, 2, 3)).copy()
            largest = min(INT32_MAX, ((INT32_MAX // pixels << 24) - (1 << 23)) // multiplier)
            second = min(LIMIT, largest)
            reach = 255 * 127 * 12
            bias = [largest - reach, second - 1 - reach, reach - largest, reach - second, 0]
            yield ConvCase(
                f"ends, multiplier {multiplier}, full {full}", x, weight,
                np.array(bias, np.int32), np.full(5, multiplier, np.int32), 24, window,
                (255, 255, 255) if full else (0, 255, 7), int(rng.choice([0, 128, 255])), 0,
                bool(rng.integers(2)),
            )
