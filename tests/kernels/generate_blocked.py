"""Cases for kernels that read blocks of channels: those of the portable ones, and more."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from squeeze2c.ir import Window
from tests.kernels import generate
from tests.kernels.cases import ConvCase, PoolCase, Strides, padding_of
from tests.kernels.generate import random_conv


@cache
def conv_cases() -> tuple[ConvCase, ...]:
    return (*generate.conv_cases(), *_tiles(), *_rows_ends(), *_longest())


@cache
def conv_sum_cases() -> tuple[ConvCase, ...]:
    return (*generate.conv_sum_cases(), *_tiles(), *_rows_ends(), *_longest())


@cache
def pool_cases() -> tuple[PoolCase, ...]:
    return (*generate.pool_cases(), *_chunks())


def _tiles() -> Iterator[ConvCase]:
    """Every number of pixels of a tile and around two of them, channels around whole blocks."""
    rng = np.random.default_rng(30)
    for pixels in (*range(1, 17), 27, 28, 29, 42, 43):
        for outputs in (15, 16, 17, 32, 33):
            kernel = (1, 1) if pixels % 2 else (3, 3)
            yield random_conv(
                f"{pixels} pixels, {outputs} channels", rng, (2, pixels), (4, outputs),
                Window(kernel, (1, 1), padding_of(kernel, "same")),
            )


def _rows_ends() -> Iterator[ConvCase]:
    """Rows of a window that are no whole quads end at, before and behind the end of the input."""
    rng = np.random.default_rng(31)
    for channels in range(1, 9):
        for cols in (5, 16, 17, 31):
            for step in (1, 2, 3):
                for extra in (0, 3):
                    kernel = (2, int(rng.integers(1, 5)))
                    yield random_conv(
                        f"{channels} channels, {cols} columns, kernel {kernel}, stride {step}",
                        rng, (3, cols), (channels, int(rng.integers(1, 20))),
                        Window(kernel, (1, step)), Strides(extra, extra, int(rng.integers(4))),
                        int(rng.choice([0, 1, 200, 255])),
                    )


def _longest() -> Iterator[ConvCase]:
    """As many products as the largest layer of SqueezeNet has, all at their largest."""
    weight = np.full((2, 3, 3, 512), 127, np.int8)
    weight[1] *= -1
    ones = np.ones(2, np.int32)
    for pad in (0, 255):
        yield ConvCase(
            "longest sum", np.full((3, 5, 512), 255, np.uint8), weight, -ones, 13 * ones, 23,
            Window((3, 3), (1, 1), padding_of((3, 3), "same")), (pad,) * 512,
        )


def _chunks() -> Iterator[PoolCase]:
    """Channels around whole vectors."""
    rng = np.random.default_rng(32)
    for channels in (31, 32, 33, 63, 64, 65, 96, 127, 128, 129, 200):
        for style in generate.PADDINGS:
            extra = rng.choice([0, 1, 64], 2).tolist()
            yield PoolCase(
                f"{channels} channels, padding {style}",
                rng.integers(0, 256, (5, 7, channels)).astype(np.uint8),
                Window((3, 3), (2, 2), padding_of((3, 3), style)),
                Strides(extra[0], extra[1], int(rng.integers(4))),
            )
