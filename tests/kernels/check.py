"""Runs one case on a library of kernels, row by row as generated code does, and checks it.

Inputs must come back unchanged, bytes between the pixels of a strided output untouched, and
canaries whole.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from squeeze2c.ir import Window
from squeeze2c.kernels import (
    KernelSpec,
    block_taps,
    block_weights,
    blocks_weights,
    m3,
    pair_weights,
    pairs_weights,
    row_blocks,
    rows_at_once,
    shares_words,
    signed_columns,
    signed_constants,
    skips_zeros,
    sparse_weights,
)
from squeeze2c.kernels.catalogue import POLY_M3, WINOGRAD_DSP, WINOGRAD_M0, WINOGRAD_TALL_M0
from squeeze2c.kernels.layout import padded_taps
from tests.kernels.cases import AddCase, ConvCase, PoolCase, Strides, SumCase
from tests.support.kernel_library import Kernels, Memory

FILL = 0x5A


class Rows:
    """The rows of a feature map (rows, cols, channels), each in memory of its own."""

    def __init__(self, kernels: Kernels, x: np.ndarray, extra: int, misaligned: int) -> None:
        self._channels = x.shape[2]
        self.pixel_bytes = x.shape[2] + extra
        length = (x.shape[1] - 1) * self.pixel_bytes + x.shape[2]
        self.memory = [kernels.room(length, shift_bytes=misaligned) for _ in x]
        for memory, row in zip(self.memory, x, strict=True):
            memory.array[:] = FILL
            self._pixels(memory)[:] = row

    def content(self) -> np.ndarray:
        """The feature map as it is now; canaries and gaps are checked."""
        for memory in self.memory:
            memory.check()
            gaps = memory.array.copy()
            self._view(gaps)[:] = FILL
            np.testing.assert_array_equal(gaps, FILL, "bytes between pixels were written")
        return np.stack([self._pixels(m) for m in self.memory])

    def _pixels(self, memory: Memory) -> np.ndarray:
        return self._view(memory.array)

    def _view(self, row: np.ndarray) -> np.ndarray:
        cols = (len(row) - self._channels) // self.pixel_bytes + 1
        return np.lib.stride_tricks.as_strided(row, (cols, self._channels), (self.pixel_bytes, 1))


def _output(kernels: Kernels, shape: tuple[int, ...], strides: Strides) -> Rows:
    garbage = np.full(shape, 0xEE, np.uint8)
    return Rows(kernels, garbage, strides.out_extra, strides.misaligned)


def _row_pointers(
    kernels: Kernels, source: Rows, window: Window, row: int, outside: Memory,
    count: int | None = None,
) -> Any:
    """Pointers to the input rows of output row ``row``, or to ``outside``."""
    first = row * window.strides[0] - window.padding.top
    pointers = []
    for at in range(first, first + (count or window.kernel[0])):
        inside = 0 <= at < len(source.memory)
        pointers.append((source.memory[at] if inside else outside).address)
    return kernels.ffi.new("const uint8_t *[]", pointers)


def _window(
    kernels: Kernels, window: Window, x: np.ndarray, source: Rows, out: tuple[int, ...],
    out_bytes: int,
) -> dict[str, int]:
    return {
        "in_cols": x.shape[1], "out_cols": out[1], "in_channels": x.shape[2],
        "out_channels": out[2], "in_stride_bytes": source.pixel_bytes,
        "out_stride_bytes": out_bytes, "kernel_rows": window.kernel[0],
        "kernel_cols": window.kernel[1], "stride_cols": window.strides[1],
        "pad_left": window.padding.left,
    }


def conv_constants(
    case: ConvCase, kernel: KernelSpec
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, biases and multipliers of ``case`` as ``kernel`` reads them."""
    matrix = case.weight.reshape(len(case.weight), -1)
    if signed_columns(kernel):
        blocks = row_blocks(kernel, case.x.shape[2])
        weights, biases = signed_constants(matrix, case.bias, case.multiplier, blocks)
        return weights, biases, np.zeros(1, np.int32)
    if pairs_weights(kernel):
        return pair_weights(matrix), case.bias, case.multiplier
    if skips_zeros(kernel):
        return sparse_weights(matrix), case.bias, case.multiplier
    if blocks_weights(kernel):
        return block_weights(case.weight), case.bias, case.multiplier
    return case.weight, case.bias, case.multiplier


def conv_scratch_bytes(case: ConvCase, kernel: KernelSpec) -> int:
    """What the header says of the scratch of ``kernel``."""
    channels = case.x.shape[2]
    taps = case.window.taps * channels
    if kernel in (WINOGRAD_M0, WINOGRAD_TALL_M0):
        tiles = max(-(-case.expected.shape[1] // 4), 3)
        bands = rows_at_once(kernel) // 4
        return 144 * (channels * ((6 if tiles == 5 else tiles) * bands + 1) + 4)
    if kernel.arch == "m0" and kernel.tile:
        return (taps + taps % 2) * (2 * kernel.tile[0] + 14) + 28
    if kernel == WINOGRAD_DSP:
        tiles = max(-(-case.expected.shape[1] // 4), 3)
        return 36 * (channels * (2 * (6 if tiles == 5 else tiles) + 4) + 32)
    if skips_zeros(kernel):
        return 16 * taps
    if blocks_weights(kernel):
        rows, cols = case.window.kernel
        if cols == 1 and not case.window.padding.any and channels % 4 == 0:
            return 17 * 64
        first_taps = 13 * case.window.strides[1] * channels
        return 17 * 64 + rows * (first_taps + padded_taps(cols * channels))
    if row_blocks(kernel, channels):
        return 18 * channels
    if signed_columns(kernel):
        return block_taps(taps) * (5 if channels % 16 else 4) + (16 if channels % 16 else 0)
    if kernel == POLY_M3:
        return m3.poly_scratch_bytes(channels, case.expected.shape[1], m3.POLY_ROWS)
    if shares_words(kernel):
        return m3.scratch_bytes(taps, conv_groups(case))
    if pairs_weights(kernel):
        return padded_taps(taps) * (12 if channels % 4 else 8)
    return 8 * taps


def conv_groups(case: ConvCase) -> int:
    """Groups of pixels at once: such that longer rows take several passes."""
    return 1 + case.expected.shape[1] // 9


def conv_part_blocks(case: ConvCase, kernel: KernelSpec) -> int:
    """What is proven of the weights of ``case``."""
    if not shares_words(kernel):
        return 0
    return m3.part_blocks(case.weight, poly=kernel == POLY_M3)


class _Conv:
    """Everything in C memory that a convolution reads, and its scratch."""

    def __init__(
        self, kernels: Kernels, case: ConvCase, out_bytes: int, kernel: KernelSpec
    ) -> None:
        strides = case.strides
        self.read = conv_constants(case, kernel)
        # Pairs, entries and vectors are read as words.
        words = pairs_weights(kernel) or skips_zeros(kernel) or signed_columns(kernel)
        misaligned = 0 if words else strides.misaligned
        self.kernels, self.case = kernels, case
        self.source = Rows(kernels, case.x, strides.in_extra, strides.misaligned)
        pad = np.broadcast_to(np.array(case.pad_value, np.uint8), (1, *case.x.shape[1:]))
        self.pad = Rows(kernels, pad, strides.in_extra, strides.misaligned)
        pixel = np.array(case.pad_value, np.uint8)
        self.constants = [
            kernels.memory(self.read[0], misaligned), kernels.memory(self.read[1]),
            kernels.memory(self.read[2]), kernels.memory(pixel, strides.misaligned),
        ]
        self.scratch = kernels.room(conv_scratch_bytes(case, kernel))
        pointers = [
            kernels.pointer(memory, kind)
            for memory, kind in zip(
                self.constants, ("int8_t", "int32_t", "int32_t", "uint8_t"), strict=True
            )
        ]
        window = _window(
            kernels, case.window, case.x, self.source, case.expected.shape, out_bytes
        )
        self.layer = kernels.ffi.new(
            "s2c_conv2d *",
            dict(
                zip(("weights", "bias", "multiplier", "pad_pixel"), pointers, strict=True),
                window=window, shift=case.shift, out_zero_point=case.zero_point,
                clamp_min=case.clamp_min, groups=conv_groups(case),
                part_blocks=conv_part_blocks(case, kernel),
            ),
        )

    def pointers(self, row: int, count: int | None = None) -> Any:
        """To the input rows of output row ``row``, or to ``count`` rows from the first of them."""
        return _row_pointers(
            self.kernels, self.source, self.case.window, row, self.pad.memory[0], count
        )

    @property
    def scratch_pointer(self) -> Any:
        return self.kernels.pointer(self.scratch, "int16_t")

    def check(self) -> None:
        case = self.case
        np.testing.assert_array_equal(self.source.content(), case.x)
        self.pad.content()
        self.scratch.check()
        for memory, content in zip(self.constants[:3], self.read, strict=True):
            memory.check()
            np.testing.assert_array_equal(memory.array, content.ravel())


def check_conv(kernels: Kernels, case: ConvCase, kernel: KernelSpec) -> None:
    out = _output(kernels, case.expected.shape, case.strides)
    conv = _Conv(kernels, case, out.pixel_bytes, kernel)
    for row, memory in enumerate(out.memory):
        getattr(kernels.lib, kernel.symbol)(
            conv.layer, conv.pointers(row), conv.scratch_pointer, memory.address
        )
    np.testing.assert_array_equal(out.content(), case.expected, case.label)
    conv.check()


def check_strips(kernels: Kernels, case: ConvCase, kernel: KernelSpec) -> None:
    """In strips of every height."""
    out = _output(kernels, case.expected.shape, case.strides)
    conv = _Conv(kernels, case, out.pixel_bytes, kernel)
    most = rows_at_once(kernel)
    for height in dict.fromkeys((most, most - 1, most // 2, 3, 2, 1)):
        for first in range(0, len(out.memory), height):
            memory = out.memory[first : first + height]
            for part in memory:
                part.array[:] = FILL
            getattr(kernels.lib, kernel.symbol)(
                conv.layer, conv.pointers(first, len(memory) + 2), conv.scratch_pointer,
                kernels.ffi.new("uint8_t *[]", [part.address for part in memory]), len(memory),
            )
        label = f"{case.label}, {height} rows at once"
        np.testing.assert_array_equal(out.content(), case.expected, label)
    conv.check()


def check_conv_sum(kernels: Kernels, case: ConvCase, kernel: KernelSpec) -> None:
    """The sums continue from what the caller left in them."""
    conv = _Conv(kernels, case, 0, kernel)
    start = np.where(case.expected_sums > 0, -1, 1).astype(np.int32)
    sums = kernels.memory(start)
    for row in range(len(case.expected)):
        getattr(kernels.lib, kernel.symbol)(
            conv.layer, conv.pointers(row), conv.scratch_pointer, int(case.relu),
            kernels.pointer(sums, "int32_t"),
        )
    np.testing.assert_array_equal(sums.array, case.expected_sums + start, case.label)
    sums.check()
    conv.check()


def check_pool(kernels: Kernels, case: PoolCase, kernel: KernelSpec) -> None:
    """Whole windows at once, row by row, and in portions: the maximum is the same."""
    strides = case.strides
    pool = getattr(kernels.lib, kernel.symbol)
    source = Rows(kernels, case.x, strides.in_extra, strides.misaligned)
    for portion in (case.window.kernel[0], 1, 2):
        out = _output(kernels, case.expected.shape, strides)
        fields = _window(
            kernels, case.window, case.x, source, case.expected.shape, out.pixel_bytes
        )
        window = kernels.ffi.new("s2c_window *", fields)
        for row, memory in enumerate(out.memory):
            rows = _rows_inside(source, case.window, row)
            for first in range(0, len(rows), portion):
                some = kernels.ffi.new("const uint8_t *[]", rows[first : first + portion])
                pool(window, some, len(some), first, memory.address)
        np.testing.assert_array_equal(out.content(), case.expected, case.label)
    np.testing.assert_array_equal(source.content(), case.x)


def check_pool_keeps(kernels: Kernels, case: PoolCase, kernel: KernelSpec) -> None:
    """What the output row holds takes part where it is kept, and only there.

    Windows without a row, too: kept they stay as they are, otherwise they become 0.
    """
    strides = case.strides
    pool = getattr(kernels.lib, kernel.symbol)
    source = Rows(kernels, case.x, strides.in_extra, strides.misaligned)
    rng = np.random.default_rng(12)
    before = rng.integers(0, 256, case.expected.shape).astype(np.uint8)
    for keep, rows_taken in itertools.product((0, 1, 254), (True, False)):
        out = Rows(kernels, before, strides.out_extra, strides.misaligned)
        fields = _window(
            kernels, case.window, case.x, source, case.expected.shape, out.pixel_bytes
        )
        window = kernels.ffi.new("s2c_window *", fields)
        for row, memory in enumerate(out.memory):
            rows = _rows_inside(source, case.window, row) if rows_taken else []
            some = kernels.ffi.new("const uint8_t *[]", rows)
            pool(window, some, len(rows), keep, memory.address)
        expected = case.expected if rows_taken else np.zeros_like(before)
        if keep:
            expected = np.maximum(expected, before)
        np.testing.assert_array_equal(out.content(), expected, case.label)


def _rows_inside(source: Rows, window: Window, row: int) -> list[Any]:
    """Addresses of the rows of a window that exist."""
    first = row * window.strides[0] - window.padding.top
    span = range(max(first, 0), min(first + window.kernel[0], len(source.memory)))
    return [source.memory[at].address for at in span]


def check_add(kernels: Kernels, case: AddCase, kernel: KernelSpec) -> None:
    strides = case.strides
    a = Rows(kernels, case.a, strides.in_extra, strides.misaligned)
    b = Rows(kernels, case.b, strides.out_extra, 0)
    out = _output(kernels, case.expected.shape, strides)
    layer = kernels.ffi.new(
        "s2c_add *",
        {
            "cols": case.a.shape[1], "channels": case.a.shape[2],
            "a_stride_bytes": a.pixel_bytes, "b_stride_bytes": b.pixel_bytes,
            "out_stride_bytes": out.pixel_bytes, "a_zero_point": case.zero_points[0],
            "b_zero_point": case.zero_points[1], "out_zero_point": case.zero_points[2],
            "clamp_min": case.clamp_min, "shift": case.shift,
            "a_multiplier": case.multipliers[0], "b_multiplier": case.multipliers[1],
        },
    )
    for row_a, row_b, row_out in zip(a.memory, b.memory, out.memory, strict=True):
        getattr(kernels.lib, kernel.symbol)(layer, row_a.address, row_b.address, row_out.address)
    np.testing.assert_array_equal(out.content(), case.expected, case.label)
    np.testing.assert_array_equal(a.content(), case.a)
    np.testing.assert_array_equal(b.content(), case.b)


def check_sum(kernels: Kernels, case: SumCase, kernel: KernelSpec) -> None:
    source = Rows(kernels, case.x, case.strides.in_extra, case.strides.misaligned)
    sums = kernels.memory(np.full(case.x.shape[2], 1000, np.int32))
    for memory in source.memory:
        getattr(kernels.lib, kernel.symbol)(
            memory.address, case.x.shape[1], case.x.shape[2], source.pixel_bytes,
            case.zero_point, kernels.pointer(sums, "int32_t"),
        )
    np.testing.assert_array_equal(sums.array, case.expected + 1000, case.label)
    sums.check()
    np.testing.assert_array_equal(source.content(), case.x)
