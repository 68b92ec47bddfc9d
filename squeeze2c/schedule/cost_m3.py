"""Predicted instructions of the kernels for Cortex-M3.

The formulas follow the loops; what they are multiplied with is counted in the assembler, or
fitted to what QEMU counts where a compiler decides. See ``cost.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import m3
from squeeze2c.schedule.cost_shape import Shape, shape_of

TAP = 6.0
BLOCK = 3.0
"""A block of taps, and what says what follows it."""
PRODUCT = 61.0
"""What else the product of four pixels and three channels takes."""
GROUP = 63.5
SUM_GROUP = 66.0
"""Its results, where all of them exist."""
RESULTS = 20.8
RESULT = 13.8
"""Otherwise, by the result."""
PART = 40.0
USUAL_PART_BLOCKS = 8
USUAL_POLY_PART_BLOCKS = 6
"""Of 8-bit weights, where schedules are made before there are any."""
TRIPLE = 179.1
STREAM_BLOCK = 51.0
"""Expanding a block of weights, and the word behind it."""
RUN = 30.4
"""Blocks that are expanded at a time."""
FIRST_TAP = 6.7
FEWER_TAP = 11.4
"""Weights of an incomplete triple."""
ROW = 43.5
COLUMNS_GROUP = 62.9
SEGMENT = 62.7
COLUMN_TAP = 10.7

POLY_TAP = {4: 12.0, 3: 9.0}
POLY_GROUP = {4: 62.8, 3: 55.1}
POLY_RESULT = 7.0
POLY_LAST = 32.5
"""More for the last pixels of even rows, one by one."""
POLY_PART = {4: 40.0, 3: 32.0}
POLY_PIECE = 31.0
POLY_LOOSE_TAP = 5.2
"""Of blocks that are incomplete or go on in the next kernel row."""
POLY_CHANNEL = 116.3
POLY_ROW = 44.8
POLY_CALL = 69.4
POLY_PAIR = 26.6
POLY_PIXEL = 6.9

POOL_WINDOW = 3
POOL_CALL = 34.7
POOL_PIXEL = 55.5
POOL_ROW_PIXEL = 37.7
POOL_COLUMN = 5.6
POOL_COLUMN_WORD = 17.8
POOL_COLUMN_BYTE = 9.0
POOL_WINDOW_WORD = 50.0
POOL_KEPT_WORD = 12.0
POOL_WINDOW_BYTE = 14.2


@dataclass(frozen=True, slots=True)
class Convolution(Shape):
    """What a convolution's cost depends on."""

    groups: int
    parts: int

    @staticmethod
    def of(
        graph: Graph, node: ops.QConv2D | ops.QConvGlobalPool, contiguous: bool,
        columns_bytes: int, tile_channels: int,
    ) -> Convolution:  # fmt: skip
        """``contiguous``: the input's pixels follow one another without a gap.
        ``columns_bytes``: scratch without what packed weights need."""
        weights = graph.constants[node.inputs[1]]
        taps = weights.size // len(weights)
        return Convolution(
            **shape_of(graph, node, contiguous),
            groups=m3.groups_in(columns_bytes, taps),
            parts=-(-m3.blocks_of(taps) // _part_blocks(weights, tile_channels, False)),
        )

    @property
    def taps(self) -> int:
        return self.window[0] * self.window[1] * self.channels

    def row(self) -> float:
        """Instructions of a row of output."""
        at_once = self.groups * m3.PIXELS
        total = ROW
        for first in range(0, self.cols, at_once):
            pixels = min(at_once, self.cols - first)
            total += self._pass(first, pixels)
        return total

    def _pass(self, start: int, pixels: int) -> float:
        """Pixels that are expanded at once."""
        groups, blocks = -(-pixels // m3.PIXELS), m3.blocks_of(self.taps)
        begun = self.taps - m3.BLOCK * (blocks - 1)
        product = PRODUCT + self.taps * TAP + blocks * BLOCK + (self.parts - 1) * PART
        whole = blocks - (begun < m3.BLOCK)
        stream = TRIPLE + whole * STREAM_BLOCK + self.parts * RUN
        if begun < m3.BLOCK:
            stream += RUN + begun * FIRST_TAP
        fewer = TRIPLE + blocks * RUN + self.taps * FEWER_TAP
        triples, left = divmod(self.outputs, m3.CHANNELS)
        total = triples * (stream + groups * product + self._results(pixels, 3))
        if left:
            total += fewer + groups * product + self._results(pixels, left)
        columns = sum(
            self._columns(start + col, min(m3.PIXELS, pixels - col))
            for col in range(0, pixels, m3.PIXELS)
        )
        return total + columns

    def _results(self, pixels: int, channels: int) -> float:
        """Results of three or fewer channels."""
        whole, left = divmod(pixels, m3.PIXELS)
        if self.summed:
            return whole * SUM_GROUP + (RESULTS + left * 3 * RESULT if left else 0.0)
        if channels == m3.CHANNELS:
            return whole * GROUP + (RESULTS + left * 3 * RESULT if left else 0.0)
        return -(-pixels // m3.PIXELS) * RESULTS + pixels * channels * RESULT

    def _columns(self, col: int, pixels: int) -> float:
        first = col * self.stride - self.pad_left
        end = first + (pixels - 1) * self.stride + self.window[1]
        whole = first >= 0 and end <= self.in_cols and self.contiguous
        segments = self.window[0] * (1 if whole else self.window[1])
        return COLUMNS_GROUP + segments * SEGMENT + self.taps * COLUMN_TAP


def _part_blocks(weights: np.ndarray, tile_channels: int, poly: bool) -> int:
    """Blocks of a part; weights that are not known yet are zero, or one where they are not zero."""
    if (weights < 0).any():
        return m3.part_blocks(weights, tile_channels, poly)
    return USUAL_POLY_PART_BLOCKS if poly else USUAL_PART_BLOCKS


@lru_cache(maxsize=1 << 14)
def row_in_parts(work: Convolution, parts: tuple[int, ...]) -> float:
    """A row of output, in passes of so many output channels each.

    Schedules of a network share most of these.
    """
    return sum(
        times * replace(work, outputs=outputs).row() for outputs, times in Counter(parts).items()
    )


@dataclass(frozen=True, slots=True)
class Polynomial:
    """What the cost of a 3x3 convolution by polynomials depends on."""

    cols: int
    outputs: int
    channels: int
    rows_at_once: int
    part_blocks: int

    @staticmethod
    def of(
        graph: Graph, node: ops.QConv2D | ops.QConvGlobalPool, columns_bytes: int
    ) -> Polynomial:
        """``columns_bytes``: scratch without what packed weights need."""
        weights = graph.constants[node.inputs[1]]
        channels = weights.shape[-1]
        cols = node.window.count(graph.values[node.inputs[0]].type.width, 1)
        return Polynomial(
            cols=cols,
            outputs=len(weights),
            channels=channels,
            rows_at_once=m3.poly_rows_in(columns_bytes, channels, cols),
            part_blocks=_part_blocks(weights, 0, True),
        )

    def rows(self, count: int) -> float:
        """Instructions of ``count`` rows of output that are computed in one step."""
        whole, rest = divmod(count, self.rows_at_once)
        return whole * self._strip(self.rows_at_once) + (self._strip(rest) if rest else 0.0)

    def _strip(self, rows: int) -> float:
        fours, threes = m3.poly_groups(self.cols)
        taps = m3.POLY_KERNEL * self.channels
        blocks = m3.blocks_of(taps)
        parts = -(-blocks // self.part_blocks)
        product = sum(
            groups * (POLY_GROUP[pairs] + taps * POLY_TAP[pairs] + blocks * BLOCK
                      + (parts - 1) * POLY_PART[pairs])
            for groups, pairs in ((fours, 4), (threes, 3))
        )  # fmt: skip
        product += self.cols * POLY_RESULT + (POLY_LAST if self.cols % 2 == 0 else 0.0)
        stream = POLY_CHANNEL + self._stream(taps, blocks)
        pairs = m3.poly_row_words(self.cols)
        pixels = (rows + 2) * pairs * (POLY_PAIR + self.channels * POLY_PIXEL)
        return POLY_CALL + pixels + self.outputs * (stream + rows * (POLY_ROW + product))


    def _stream(self, taps: int, blocks: int) -> float:
        """Expanding the weights of a channel; walks through them as the kernel does."""
        total, at, left = 0.0, 0, self.part_blocks
        begun = taps - (blocks - 1) * m3.BLOCK
        while blocks:
            count = (self.channels - at) // m3.BLOCK
            total += RUN
            if begun < m3.BLOCK or count == 0:
                count = 1
                pieces = 1 + (at + begun - 1) // self.channels
                total += pieces * POLY_PIECE + begun * POLY_LOOSE_TAP
                at = (at + begun) % self.channels
            else:
                count = min(count, left)
                total += count * STREAM_BLOCK
                at = (at + count * m3.BLOCK) % self.channels
            begun = m3.BLOCK
            blocks -= count
            left = left - count or self.part_blocks
        return total


@lru_cache(maxsize=1 << 14)
def poly_rows_in_parts(work: Polynomial, parts: tuple[int, ...], count: int) -> float:
    """``count`` rows of output, in passes of so many output channels each."""
    return sum(
        times * replace(work, outputs=outputs).rows(count)
        for outputs, times in Counter(parts).items()
    )


def pool_row(row_columns: Sequence[int], channels: int) -> tuple[float, float]:
    """As ``cost_dsp.pool_row``."""
    words, bytes_left = divmod(channels, 4)
    total = spared = 0.0
    for columns, pixels in Counter(row_columns).items():
        if columns == POOL_WINDOW:
            taken = words * POOL_WINDOW_WORD + bytes_left * POOL_WINDOW_BYTE
            spared += pixels * words * POOL_KEPT_WORD
        else:
            column = POOL_COLUMN + words * POOL_COLUMN_WORD + bytes_left * POOL_COLUMN_BYTE
            taken = columns * column
        total += pixels * (POOL_ROW_PIXEL + taken)
    return total, spared
