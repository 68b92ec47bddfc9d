"""The cases that every build of the kernels must pass. The same ones in every run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from squeeze2c.ir import Padding, Window
from squeeze2c.reference.fixed_point import MULTIPLIER_LIMIT
from tests.kernels.cases import DENSE, AddCase, ConvCase, PoolCase, Strides, SumCase, padding_of

INT32_MAX = 2**31 - 1
PADDINGS = ("none", "same", "uneven", "uneven, other sides")
KERNELS = (
    *((size, size) for size in range(1, 8)), (1, 7), (7, 1), (2, 3), (3, 2), (5, 4), (4, 6),
)


@cache
def conv_cases() -> tuple[ConvCase, ...]:
    return (*_tiles(), *_windows(), *_slices(), *_extremes(), _longest())


@cache
def conv_sum_cases() -> tuple[ConvCase, ...]:
    return (*_tiles(), *_windows(), *_slices(), *_extremes(summed=True), _longest())


@cache
def pool_cases() -> tuple[PoolCase, ...]:
    return tuple(_pools())


@cache
def add_cases() -> tuple[AddCase, ...]:
    return tuple(_additions())


@cache
def sum_cases() -> tuple[SumCase, ...]:
    return tuple(_sums())


def random_conv(
    label: str, rng: np.random.Generator, size: tuple[int, int], channels: tuple[int, int],
    window: Window, strides: Strides = DENSE, zero_point: int = 0,
) -> ConvCase:
    """A convolution whose outputs spread over 0..255. ``channels`` in, out."""
    inputs, outputs = channels
    weight = rng.integers(-127, 128, (outputs, *window.kernel, inputs)).astype(np.int8)
    spread = 255 * 127 * np.sqrt(window.taps * inputs) / 3
    ratio = 128 / spread * rng.uniform(0.5, 2, outputs)
    return ConvCase(
        label,
        rng.integers(0, 256, (*size, inputs)).astype(np.uint8),
        weight,
        rng.integers(-20000, 20001, outputs).astype(np.int32),
        np.maximum(ratio * 2**24, 1).astype(np.int32),
        24,
        window,
        tuple(int(v) for v in rng.integers(0, 256, inputs)),
        zero_point,
        int(rng.choice([0, zero_point])),
        bool(rng.integers(2)),
        strides,
    )


def _tiles() -> Iterator[ConvCase]:
    """Pixels and output channels around multiples of the 4 x 2 tile."""
    rng = np.random.default_rng(1)
    for pixels in (1, 2, 3, 4, 5, 7, 8, 9, 13):
        for outputs in (1, 2, 3, 4, 5):
            label = f"{pixels} pixels, {outputs} channels"
            yield random_conv(label, rng, (2, pixels), (3, outputs), Window((1, 1)))


def _windows() -> Iterator[ConvCase]:
    """Kernels, strides and paddings; every padded column and row reads its own value."""
    rng = np.random.default_rng(2)
    for kernel in KERNELS:
        for step in range(1, 5):
            for style in PADDINGS:
                if kernel == (1, 1) and style != "none":
                    continue
                strides = (step, int(rng.integers(1, 5)))
                window = Window(kernel, strides, padding_of(kernel, style))
                size = (int(rng.integers(7, 11)), int(rng.integers(7, 15)))
                channels = (int(rng.integers(1, 5)), int(rng.integers(1, 4)))
                yield random_conv(
                    f"kernel {kernel}, strides {strides}, padding {style}", rng, size, channels,
                    window, zero_point=int(rng.choice([0, 1, 127, 255])),
                )
    # Single pixels with padding on one side.
    for pads in ((0, 0, 0, 1), (0, 1, 0, 0), (0, 2, 0, 3), (1, 0, 1, 0)):
        for channels in (3, 16):
            window = Window((1, 1), (1, 1), Padding(*pads))
            label = f"1x1 of {channels} channels padded by {pads}"
            yield random_conv(label, rng, (2, 7), (channels, 4), window)
    # Padding wider than the map: some windows hold nothing else.
    for size, kernel, pad in (((1, 1), (2, 2), 3), ((3, 3), (1, 1), 1)):
        window = Window(kernel, (1, 1), Padding(pad, pad, pad, pad))
        yield random_conv(f"{kernel} padded by {pad}", rng, size, (2, 3), window)


def _slices() -> Iterator[ConvCase]:
    """Rows that are slices of a concatenation, and begin at odd addresses."""
    rng = np.random.default_rng(3)
    for kernel in ((1, 1), (3, 3), (2, 5)):
        for extra in ((1, 0), (0, 1), (13, 7), (64, 64)):
            for misaligned in range(4):
                yield random_conv(
                    f"kernel {kernel}, {extra} bytes between pixels, rows off by {misaligned}",
                    rng, (4, 9), (5, 3), Window(kernel, (1, 1), padding_of(kernel, "same")),
                    Strides(extra[0], extra[1], misaligned),
                )


def _extremes(summed: bool = False) -> Iterator[ConvCase]:
    """Largest inputs and weights, biases that take the accumulator to the ends of int32.

    ``summed``: so that the sum over all pixels just fits.
    """
    rng = np.random.default_rng(4)
    for shift in range(1, 31):
        for multiplier in (1, MULTIPLIER_LIMIT - 1, int(rng.integers(2, MULTIPLIER_LIMIT - 1))):
            for full in (True, False):
                yield _extreme(rng, shift, multiplier, full, summed)


def _extreme(
    rng: np.random.Generator, shift: int, multiplier: int, full: bool, summed: bool
) -> ConvCase:
    """``full``: every input is 255, so channels 0 and 1 reach the ends everywhere."""
    window = Window((2, 2), (1, 1), Padding(1, 1, 1, 1))
    x = np.full((3, 4, 3), 255, np.uint8)
    pad_value = (255, 255, 255)
    if not full:
        x = rng.choice([0, 255], x.shape).astype(np.uint8)
        pad_value = (0, 255, int(rng.integers(256)))
    weight = np.array([127, -127, 127, -127], np.int64)[:, None, None, None]
    weight = np.broadcast_to(weight, (4, 2, 2, 3)).copy()
    weight[2:] = rng.choice([-127, 127], (2, 2, 2, 3))
    # The result, too, must fit int32: the compiler proves it.
    largest_result = INT32_MAX // (20 if summed else 1)
    largest = min(INT32_MAX, ((largest_result << shift) - (1 << (shift - 1))) // multiplier)
    if largest < 255 * 127 * 12:
        weight = np.sign(weight) * (largest // (255 * 12))
    reach = 255 * np.abs(weight).sum(axis=(1, 2, 3))
    bias = np.array([1, -1, 1, -1]) * (largest - reach)
    return ConvCase(
        f"shift {shift}, multiplier {multiplier}, full {full}", x, weight.astype(np.int8),
        bias.astype(np.int32), np.full(4, multiplier, np.int32), shift, window, pad_value,
        int(rng.choice([0, 128, 255])), 0, bool(rng.integers(2)),
    )


def _longest() -> ConvCase:
    """As many products as the largest layer of SqueezeNet has, all at their largest."""
    shape = (1, 3, 3, 512)
    x = np.full((3, 3, 512), 255, np.uint8)
    one = np.ones(1, np.int32)
    return ConvCase(
        "longest sum", x, np.full(shape, 127, np.int8), one, 13 * one, 23, Window((3, 3)),
        (0,) * 512,
    )


def _pools() -> Iterator[PoolCase]:
    rng = np.random.default_rng(5)
    for kernel in KERNELS:
        for style in PADDINGS:
            strides = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
            window = Window(kernel, strides, padding_of(kernel, style))
            size = (int(rng.integers(7, 12)), int(rng.integers(7, 12)))
            channels = int(rng.choice([1, 2, 3, 4, 15, 16, 17]))
            extra = rng.choice([0, 1, 9], 2).tolist()
            yield PoolCase(
                f"kernel {kernel}, strides {strides}, padding {style}",
                rng.integers(0, 256, (*size, channels)).astype(np.uint8), window,
                Strides(extra[0], extra[1], int(rng.integers(4))),
            )
    for value in (0, 255):
        yield PoolCase(f"all {value}", np.full((6, 6, 3), value, np.uint8), Window((3, 3), (2, 2)))


def _additions() -> Iterator[AddCase]:
    rng = np.random.default_rng(6)
    for shift in range(1, 31):
        total = MULTIPLIER_LIMIT - 1
        first = int(rng.choice([0, 1, total // 2, total, int(rng.integers(total))]))
        shape = (2, int(rng.integers(1, 6)), int(rng.integers(1, 6)))
        zero_points = [int(v) for v in rng.choice([0, 1, 128, 255], 3)]
        yield AddCase(
            f"shift {shift}, multipliers {first} and {total - first}",
            rng.choice([0, 1, 128, 254, 255], shape).astype(np.uint8),
            rng.choice([0, 1, 128, 254, 255], shape).astype(np.uint8),
            (zero_points[0], zero_points[1], zero_points[2]),
            (first, total - first), shift,
            int(rng.choice([0, zero_points[2]])),
            Strides(int(rng.integers(3)), int(rng.integers(3)), int(rng.integers(4))),
        )
    levels = np.arange(256, dtype=np.uint8)
    a, b = np.meshgrid(levels, levels)
    yield AddCase(
        "every pair of inputs", a[:, :, None], b[:, :, None], (3, 200, 100),
        (3_000_001, 2_222_222), 22,
    )


def _sums() -> Iterator[SumCase]:
    rng = np.random.default_rng(7)
    for channels in (1, 2, 3, 5, 16, 33):
        for zero_point in (0, 1, 128, 255):
            size = (int(rng.integers(1, 6)), int(rng.integers(1, 20)))
            yield SumCase(
                f"{size}, {channels} channels, zero point {zero_point}",
                rng.integers(0, 256, (*size, channels)).astype(np.uint8), zero_point,
                Strides(int(rng.integers(3)), 0, int(rng.integers(4))),
            )
