"""Predicted instructions of the kernels for cores with the DSP extension.

The formulas follow the loops; what they are multiplied with is counted in the assembler, or
fitted to what QEMU counts where a compiler decides. See ``cost.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import QUAD, padded_taps, rows_at_once, winograd_groups
from squeeze2c.kernels.spec import KernelSpec
from squeeze2c.schedule.cost_shape import Shape, shape_of

PIXELS = 4
CHUNK_WORDS = 16
WORD = {4: 11.0, 3: 10.0, 2: 8.0, 1: 4.0}
"""One word of weights, by the pixels of a group."""
CHUNK = 5.0
REST = 7.7
PAIR = {4: 56.0, 3: 162.0, 2: 116.0, 1: 118.0}
"""What else a pair of output channels takes, results included."""
SUM_PAIR = {4: 65.3, 3: 180.0, 2: 120.0, 1: 122.0}
LAST_CHANNEL = 167.0
LAST_WORD = 53.0
"""The last of an odd number of output channels, which four pixels compute without assembler."""
ROW = 41.0
GROUP = 119.0
SEGMENT = {4: 88.0, 3: 0.0, 2: 54.0, 1: 50.0}
QUAD_WORDS = {4: 23.0, 3: 40.2, 2: 27.2, 1: 16.2}
"""Widening four bytes of each pixel."""
GATHERED_WINDOW = 19.7
GATHERED_SEGMENT = 33.9
GATHERED_QUAD = 5.8

LEAST_STRIP_ROWS = 3
"""S2C_WINOGRAD3X3_LEAST_ROWS."""
POSITIONS = 36
INPUT_TILE = 97.0
INPUT_QUAD = 1143.0
"""Transforming four channels of a tile."""
WEIGHTS_QUAD = 704.0
"""Transforming four input channels of a pair of output channels."""
PRODUCT = {4: 17.0, 3: 15.0}
PRODUCT_CHUNK = {4: 94.0, 3: 70.0}
CHUNK_CHANNELS = 16
TILE = 364.0
STRIP_GROUP = 203.0

POOL_WINDOW = 3
POOL_CALL = 68.6
POOL_PIXEL = 34.7
POOL_ROW_PIXEL = 36.3
POOL_COLUMN = 5.6
POOL_COLUMN_WORD = 9.5
POOL_COLUMN_BYTE = 9.0
POOL_WINDOW_WORD = 12.0
POOL_KEPT_WORD = 3.0
POOL_WINDOW_BYTE = 15.2
"""Three columns at once, which most windows have."""


PAIRED_WEIGHT = 1.6
"""Bringing a decoded weight into pairs."""
MOVED_WEIGHT = 4.0
"""Moving it first, where the taps of a channel are no whole quads."""


@dataclass(frozen=True, slots=True)
class Convolution(Shape):
    """What a convolution's cost depends on.

    ``shares``: passes over the same rows share their transformed input.
    """

    kernel: KernelSpec
    shares: bool = False

    @staticmethod
    def of(
        graph: Graph, node: ops.QConv2D | ops.QConvGlobalPool, kernel: KernelSpec,
        contiguous: bool,
    ) -> Convolution:  # fmt: skip
        """``contiguous``: the input's pixels follow one another without a gap."""
        return Convolution(
            **shape_of(graph, node, contiguous),
            kernel=kernel,
        )

    @property
    def pairs(self) -> int:
        return -(-self.outputs // 2)

    def rows(self, count: int) -> float:
        """Instructions of ``count`` rows of output that are computed in one step."""
        at_once = rows_at_once(self.kernel)
        if at_once == 1:
            return count * self._row()
        whole, rest = divmod(count, at_once)
        total = whole * self._strip()
        if rest >= LEAST_STRIP_ROWS:
            return total + self._strip()
        return total + rest * self._row()

    def _row(self) -> float:
        whole, rest = divmod(self.cols, PIXELS)
        total = ROW + sum(self._group(PIXELS * i, PIXELS) for i in range(whole))
        return total + (self._group(PIXELS * whole, rest) if rest else 0.0)

    def _group(self, col: int, pixels: int) -> float:
        """Neighbouring pixels of a row, from ``col`` on."""
        taps = padded_taps(self.window[0] * self.window[1] * self.channels)
        words = taps // 2
        pair = (SUM_PAIR if self.summed else PAIR)[pixels] + words * WORD[pixels]
        total = GROUP + self._columns(col, pixels, taps)
        if pixels < PIXELS:
            return total + self.pairs * pair
        pair += words // CHUNK_WORDS * CHUNK + (REST if words % CHUNK_WORDS else 0.0)
        last = LAST_CHANNEL + words * LAST_WORD if self.outputs % 2 else 0.0
        return total + self.outputs // 2 * pair + last

    def _columns(self, col: int, pixels: int, taps: int) -> float:
        first = col * self.stride - self.pad_left
        end = first + (pixels - 1) * self.stride + self.window[1]
        whole = first >= 0 and end <= self.in_cols and self.contiguous
        segments = self.window[0] * (1 if whole else self.window[1])
        widened = taps // QUAD * QUAD_WORDS[pixels]
        if self.channels % QUAD == 0:
            return segments * SEGMENT[pixels] + widened
        window = GATHERED_WINDOW + segments * GATHERED_SEGMENT + taps // QUAD * GATHERED_QUAD
        return SEGMENT[pixels] + widened + pixels * window

    def _strip(self) -> float:
        """Rows at once; how many of them are wanted hardly matters."""
        fours, threes = winograd_groups(self.cols)
        tiles, quads = -(-self.cols // 4), self.channels // QUAD
        product = sum(
            groups * POSITIONS
            * (PRODUCT[n] + self.channels // CHUNK_CHANNELS * PRODUCT_CHUNK[n])
            for groups, n in ((fours, 4), (threes, 3))
        )  # fmt: skip
        pair = quads * WEIGHTS_QUAD + product + (fours + threes) * STRIP_GROUP
        results = self.outputs * tiles * TILE
        return self._transformed() + self.pairs * pair + results

    def _transformed(self) -> float:
        fours, threes = winograd_groups(self.cols)
        quads = self.channels // QUAD
        return (4 * fours + 3 * threes) * (INPUT_TILE + quads * INPUT_QUAD)

    def shared(self, count: int) -> float:
        """Of :meth:`rows`, what passes over the same rows may share."""
        transforms = LEAST_STRIP_ROWS <= count <= rows_at_once(self.kernel)
        return self._transformed() if transforms else 0.0


def pairing(outputs: int, taps: int) -> float:
    """Instructions for bringing decoded weights into pairs of channels."""
    return outputs * taps * (PAIRED_WEIGHT + (MOVED_WEIGHT if taps % QUAD else 0.0))


@lru_cache(maxsize=1 << 14)
def rows_in_parts(work: Convolution, parts: tuple[int, ...], count: int) -> float:
    """As :meth:`Convolution.rows`, in passes of so many output channels each.

    Schedules of a network share most of these.
    """
    passes = sum(
        times * replace(work, outputs=outputs).rows(count)
        for outputs, times in Counter(parts).items()
    )
    return passes - (len(parts) - 1) * work.shared(count) if work.shares else passes


def pool_row(row_columns: Sequence[int], channels: int) -> tuple[float, float]:
    """Instructions of a max-pool for a row of input, and of those what a window's first row spares.

    ``row_columns``: how many columns the window of each pixel of output holds. The first
    row of a window has nothing to keep.
    """
    words, bytes_left = divmod(channels, QUAD)
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
