"""Predicted instructions of the kernels for Cortex-M0.

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
from squeeze2c.kernels import STRIP_KERNELS, rows_at_once, winograd_groups
from squeeze2c.kernels.select import WINOGRAD_ROWS
from squeeze2c.kernels.spec import KernelSpec
from squeeze2c.schedule.cost_shape import Shape, shape_of

GROUP_PIXELS = 8
PLAIN_SHIFT = 24
SEGMENT_TAPS = 32
SEGMENT_WEIGHTS = 255
"""S2C_M0_SEGMENT_TAPS and S2C_M0_SEGMENT_WEIGHTS."""
TYPICAL_TAPS = 9
"""Of a segment of 8-bit weights, where they are not known yet."""

ROW = 77.3
CHUNK = 336.4
"""Pixels that are computed at once."""
COLUMNS = 373.0
"""Of a group of eight pixels."""
COLUMN_SEGMENT = 76.3
COLUMN_TAP = 9.3
"""One tap of two pixels."""
CHANNEL = 203.5
STREAM_TAP = 9.5
STREAM_SEGMENT = 19.5
GROUP = 58.0
TAP = 9.5
SEGMENT = 28.0
PIXEL = 10.5
"""Of whole groups with zero point 0."""
PART_GROUP = 73.4
PART_PIXEL = 32.9
ANY_PIXEL = 93.7
SUM_PIXEL = 29.1

LEAST_STRIP_ROWS = 3
"""S2C_WINOGRAD3X3_LEAST_ROWS."""
POSITIONS = 36
INPUT_TILE = 638.7
INPUT_PAIR = 1647.4
"""Transforming two channels of a tile."""
WEIGHTS_CHANNEL = 214.0
"""Transforming one input channel of an output channel."""
PRODUCT = {4: 26.0, 3: 23.0}
PRODUCT_CHUNK = {4: 157.0, 3: 125.0}
CHUNK_CHANNELS = 16
TILE = 458.3
PART_TILE = 478.7
TILE_PIXEL = 6.0
"""Copying a pixel of a tile that is not wanted as a whole."""
ANY_TILE = 1709.1
STRIP = 203.6
STRIP_GROUP = 50.5
STRIP_CHANNEL = 157.9
BAND = 145.8

PORTABLE = 2.95
"""Portable convolutions take so many times what they take on a Cortex-M4."""

POOL_WINDOW = 3
POOL_CALL = 23.0
POOL_PIXEL = 69.6
POOL_ROW_PIXEL = 45.1
POOL_COLUMN = 10.0
POOL_COLUMN_BYTE = 9.0
POOL_WINDOW_BYTE = 13.7
"""Three columns at once and what is kept, which most windows have."""
POOL_KEPT_BYTE = 3.3


@lru_cache(maxsize=256)
def _segments(weights: bytes, outputs: int) -> tuple[int, ...]:
    if not any(weights):
        unknown = -(-len(weights) // (outputs * TYPICAL_TAPS))
        return (unknown + unknown % 2,) * outputs
    magnitude = np.abs(np.frombuffer(weights, np.int8).reshape(outputs, -1).astype(np.int32))
    if magnitude.shape[1] % 2:
        magnitude = np.pad(magnitude, ((0, 0), (0, 1)))
    pairs = magnitude[:, ::2] + magnitude[:, 1::2]
    count = np.ones(outputs, np.int32)
    filled, taps = np.zeros(outputs, np.int32), np.zeros(outputs, np.int32)
    for pair in pairs.T:
        begins = (filled + pair > SEGMENT_WEIGHTS) | (taps == SEGMENT_TAPS)
        count += begins
        filled = np.where(begins, 0, filled) + pair
        taps = np.where(begins, 0, taps) + 2
    return tuple(int(n) for n in count + count % 2)


def segments(weight: np.ndarray) -> tuple[int, ...]:
    """Segments of each output channel of weights int8 (O, ...), as the kernels count them.

    Where all weights are zero, as in a skeleton, what is typical of 8 bits.
    """
    return _segments(np.ascontiguousarray(weight).tobytes(), len(weight))


@dataclass(frozen=True, slots=True)
class Convolution(Shape):
    """What a convolution's cost depends on. ``segments``: mean of the output channels."""

    kernel: KernelSpec
    segments: float
    plain: bool

    @staticmethod
    def of(
        graph: Graph, node: ops.QConv2D | ops.QConvGlobalPool, kernel: KernelSpec,
        contiguous: bool,
    ) -> Convolution:  # fmt: skip
        """``contiguous``: the input's pixels follow one another without a gap."""
        weight = graph.constants[node.inputs[1]]
        quant = graph.values[node.output].quant
        zero_point = quant.zero_point if quant else 0
        clamp_min = node.clamp_min if isinstance(node, ops.QConv2D) else 0
        return Convolution(
            **shape_of(graph, node, contiguous),
            kernel=kernel,
            segments=float(np.mean(segments(weight))),
            plain=node.shift == PLAIN_SHIFT and zero_point == 0 and clamp_min == 0,
        )

    def rows(self, count: int) -> float:
        """Instructions of ``count`` rows of output that are computed in one step."""
        if self.kernel not in STRIP_KERNELS:
            return count * self._row()
        whole, rest = divmod(count, rows_at_once(self.kernel))
        total = whole * self._strip(rows_at_once(self.kernel)) if whole else 0.0
        if rest >= LEAST_STRIP_ROWS:
            return total + self._strip(rest)
        return total + rest * replace(self, kernel=STRIP_KERNELS[self.kernel])._row()

    def _strip(self, rows: int) -> float:
        whole, rest = divmod(rows, WINOGRAD_ROWS)
        bands = whole * self._band(WINOGRAD_ROWS) + (self._band(rest) if rest else 0.0)
        fours, threes = winograd_groups(self.cols)
        tiles = (whole + (rest > 0)) * (4 * fours + 3 * threes)
        transformed = tiles * (INPUT_TILE + self.channels // 2 * INPUT_PAIR)
        weights = STRIP_CHANNEL + self.channels * WEIGHTS_CHANNEL
        return STRIP + transformed + self.outputs * (weights + bands)

    def _band(self, rows: int) -> float:
        """One output channel of up to four rows."""
        fours, threes = winograd_groups(self.cols)
        total = BAND + (fours + threes) * STRIP_GROUP
        for groups, tiles in ((fours, 4), (threes, 3)):
            chunks = self.channels // CHUNK_CHANNELS * PRODUCT_CHUNK[tiles]
            total += groups * POSITIONS * (PRODUCT[tiles] + chunks)
        whole, rest = divmod(self.cols, WINOGRAD_ROWS)
        if rows < WINOGRAD_ROWS or not self.plain:
            tile = PART_TILE if self.plain else ANY_TILE
            return total + (whole + (rest > 0)) * tile + rows * self.cols * TILE_PIXEL
        part = PART_TILE + rows * rest * TILE_PIXEL if rest else 0.0
        return total + whole * TILE + part

    @property
    def taps(self) -> int:
        taps = self.window[0] * self.window[1] * self.channels
        return taps + taps % 2

    def _row(self) -> float:
        at_once = self.kernel.tile[0] if self.kernel.tile else GROUP_PIXELS
        return ROW + sum(
            self._chunk(first, min(at_once, self.cols - first))
            for first in range(0, self.cols, at_once)
        )

    def _chunk(self, first: int, pixels: int) -> float:
        whole, rest = divmod(pixels, GROUP_PIXELS)
        groups = whole + (rest > 0)
        stream = CHANNEL + self.taps * STREAM_TAP + self.segments * STREAM_SEGMENT
        channel = stream + groups * (self.taps * TAP + self.segments * SEGMENT)
        if self.summed or not self.plain:
            channel += groups * PART_GROUP + pixels * (SUM_PIXEL if self.summed else ANY_PIXEL)
        else:
            channel += whole * GROUP + (pixels - rest) * PIXEL
            channel += (rest > 0) * PART_GROUP + rest * PART_PIXEL
        return CHUNK + self._columns(first, pixels, groups) + self.outputs * channel

    def _columns(self, first: int, pixels: int, groups: int) -> float:
        kernel_rows, kernel_cols = self.window
        copies = 0
        for at in range(first, first + groups * GROUP_PIXELS, 2):
            cols = [min(col, first + pixels - 1) for col in (at, at + 1)]
            starts = [col * self.stride - self.pad_left for col in cols]
            inside = all(0 <= s <= self.in_cols - kernel_cols for s in starts)
            copies += kernel_rows * (1 if inside and self.contiguous else kernel_cols)
        pairs = groups * GROUP_PIXELS // 2
        return groups * COLUMNS + copies * COLUMN_SEGMENT + pairs * self.taps * COLUMN_TAP


@lru_cache(maxsize=1 << 14)
def rows_in_parts(work: Convolution, parts: tuple[int, ...], count: int) -> float:
    """As :meth:`Convolution.rows`, in passes of so many output channels each."""
    return sum(
        times * replace(work, outputs=outputs).rows(count)
        for outputs, times in Counter(parts).items()
    )


def pool_row(row_columns: Sequence[int], channels: int) -> tuple[float, float]:
    """Instructions of a max-pool for a row of input, and of those what a window's first row spares.

    As :func:`squeeze2c.schedule.cost_dsp.pool_row`.
    """
    total = spared = 0.0
    for columns, pixels in Counter(row_columns).items():
        if columns == POOL_WINDOW:
            taken = POOL_WINDOW_BYTE * channels
            spared += pixels * channels * POOL_KEPT_BYTE
        else:
            taken = columns * (POOL_COLUMN + channels * POOL_COLUMN_BYTE)
        total += pixels * (POOL_ROW_PIXEL + taken)
    return total, spared
