"""Predicted instructions of the kernels for cores with the DSP extension.

The formulas follow the loops; what they are multiplied with is counted in the assembler, or
fitted to what QEMU counts where a compiler decides. See ``cost.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import QUAD, padded_taps, rows_at_once, winograd_groups
from squeeze2c.kernels.spec import KernelSpec

PIXELS = 4
CHUNK_WORDS = 16
WORD = {4: 11.0, 3: 10.0, 2: 8.0, 1: 5.0}
"""One word of weights, by the pixels of a group."""
CHUNK = 5.0
REST = 4.0
PAIR = {4: 59.0, 3: 117.0, 2: 97.0, 1: 78.0}
"""What else a pair of output channels takes, results included."""
SUM_PAIR = {4: 62.0, 3: 130.0, 2: 105.0, 1: 80.0}
ROW = 60.0
GROUP = 70.0
SEGMENT = {4: 80.0, 3: 60.0, 2: 50.0, 1: 40.0}
QUAD_WORDS = {4: 22.0, 3: 22.0, 2: 17.0, 1: 12.0}
"""Widening four bytes of each pixel."""
GATHERED_WINDOW = 30.0
GATHERED_SEGMENT = 25.0
GATHERED_QUAD = 4.0

LEAST_STRIP_ROWS = 3
"""S2C_WINOGRAD3X3_LEAST_ROWS."""
POSITIONS = 36
INPUT_TILE = 400.0
INPUT_QUAD = 700.0
"""Transforming four channels of a tile."""
WEIGHTS_QUAD = 720.0
"""Transforming four input channels of a pair of output channels."""
PRODUCT = {4: 17.0, 3: 15.0}
PRODUCT_CHUNK = {4: 94.0, 3: 70.0}
CHUNK_CHANNELS = 16
TILE = 150.0
TILE_ROW = 60.0
STRIP_PAIR = 60.0
STRIP_GROUP = 60.0


@dataclass(frozen=True, slots=True)
class Convolution:
    """What a convolution's cost depends on."""

    kernel: KernelSpec
    cols: int
    outputs: int
    channels: int
    window: tuple[int, int]
    in_cols: int
    stride: int
    pad_left: int
    contiguous: bool
    summed: bool

    @staticmethod
    def of(
        graph: Graph, node: ops.QConv2D | ops.QConvGlobalPool, kernel: KernelSpec,
        contiguous: bool,
    ) -> Convolution:  # fmt: skip
        """``contiguous``: the input's pixels follow one another without a gap."""
        source, window = graph.values[node.inputs[0]].type, node.window
        return Convolution(
            kernel=kernel,
            cols=window.count(source.width, 1),
            outputs=len(graph.constants[node.inputs[1]]),
            channels=source.channels,
            window=window.kernel,
            in_cols=source.width,
            stride=window.strides[1],
            pad_left=window.padding.left,
            contiguous=contiguous,
            summed=isinstance(node, ops.QConvGlobalPool),
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
        total = whole * self._strip(at_once)
        if rest >= LEAST_STRIP_ROWS:
            return total + self._strip(rest)
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
        if pixels == PIXELS:
            pair += words // CHUNK_WORDS * CHUNK + (REST if words % CHUNK_WORDS else 0.0)
        return GROUP + self._columns(col, pixels, taps) + self.pairs * pair

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

    def _strip(self, rows: int) -> float:
        fours, threes = winograd_groups(self.cols)
        tiles, quads = -(-self.cols // 4), self.channels // QUAD
        transformed = (4 * fours + 3 * threes) * (INPUT_TILE + quads * INPUT_QUAD)
        product = sum(
            groups * POSITIONS
            * (PRODUCT[n] + self.channels // CHUNK_CHANNELS * PRODUCT_CHUNK[n])
            for groups, n in ((fours, 4), (threes, 3))
        )  # fmt: skip
        pair = STRIP_PAIR + quads * WEIGHTS_QUAD + product + (fours + threes) * STRIP_GROUP
        results = self.outputs * tiles * (TILE + rows * TILE_ROW)
        return transformed + self.pairs * pair + results
