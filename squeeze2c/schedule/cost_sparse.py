"""Predicted instructions of the kernels that skip weights of zero.

The formulas follow the loops; what they are multiplied with is counted in the assembler, or
fitted to what QEMU counts where a compiler decides. See ``cost.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import QUAD, Sparsity
from squeeze2c.schedule.cost_shape import Shape, shape_of

PIXELS = 8
WORD = {4: 16.0, 3: 13.0, 2: 11.0, 1: 9.0}
"""Two entries, by the pairs of pixels of a group."""
CHUNK = 5.0
"""Words of a channel that are loaded at once."""
TILE_CHANNEL = 77.2
SUM_TILE_CHANNEL = 76.2
"""What else an output channel of eight pixels takes, results included."""
CHANNEL = {4: 120.7, 3: 105.8, 2: 92.2, 1: 77.9}
"""The same of fewer pixels, without results."""
RESULT = 8.2
SUM_RESULT = 7.5

ROW = 28.0
GROUP = 165.0
PAIR = 35.0
SEGMENT = 45.5
COLUMN_QUAD = 23.9
COLUMN_TAP = 6.3
"""Four taps of a pair of pixels, and one that is left."""


@dataclass(frozen=True, slots=True)
class SparseConvolution(Shape):
    """What the cost of a convolution that skips zeros depends on."""

    sparsity: Sparsity

    @staticmethod
    def of(
        graph: Graph, node: ops.QConv2D | ops.QConvGlobalPool, sparsity: Sparsity,
        contiguous: bool,
    ) -> SparseConvolution:  # fmt: skip
        """``contiguous``: the input's pixels follow one another without a gap."""
        return SparseConvolution(
            **shape_of(graph, node, contiguous),
            sparsity=sparsity,
        )

    def rows(self, count: int) -> float:
        """Instructions of ``count`` rows of output."""
        groups = range(0, self.cols, PIXELS)
        return count * (ROW + sum(self._group(c, min(self.cols - c, PIXELS)) for c in groups))

    def _group(self, col: int, pixels: int) -> float:
        """Neighbouring pixels of a row, from ``col`` on."""
        columns = sum(
            self._columns(col + p, min(pixels - p, 2)) for p in range(0, pixels, 2)
        )
        return GROUP + columns + self._products(pixels)

    def _columns(self, col: int, pixels: int) -> float:
        first = col * self.stride - self.pad_left
        end = first + (pixels - 1) * self.stride + self.window[1]
        whole = first >= 0 and end <= self.in_cols and self.contiguous
        segments = self.window[0] * (1 if whole else self.window[1])
        run = self.channels * (self.window[1] if whole else 1)
        quads, rest = divmod(run, QUAD)
        return PAIR + segments * (SEGMENT + quads * COLUMN_QUAD + rest * COLUMN_TAP)

    def _products(self, pixels: int) -> float:
        words, pairs = self.sparsity.words, -(-pixels // 2)
        if pixels == PIXELS:
            channel = SUM_TILE_CHANNEL if self.summed else TILE_CHANNEL
            return words * WORD[pairs] + self.sparsity.chunks * CHUNK + self.outputs * channel
        result = SUM_RESULT if self.summed else RESULT
        channel = CHANNEL[pairs] + pixels * result
        return words * WORD[pairs] + self.sparsity.short_chunks * CHUNK + self.outputs * channel
