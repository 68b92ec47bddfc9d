"""Predicted instructions of the kernels for Helium.

The formulas follow the loops, and most numbers are those of the assembler; what a compiler
decides on is fitted to what QEMU counts. See ``cost.py``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import BLOCK, block_taps, row_blocks, signed_channels
from squeeze2c.kernels.layout import SIGNED_CHANNELS
from squeeze2c.kernels.spec import KernelSpec
from squeeze2c.schedule.cost_shape import Shape, shape_of
from squeeze2c.schedule.model import Step
from squeeze2c.schedule.stages import Stage

PIXELS = 4

COPY_BYTE = 3 / 16
"""A pushed row on its way into its line buffer."""

STEP = {4: 14.0, 3: 11.0}
"""A block of 16 taps, by the pixels of a group."""
WIDE_STEP = {4: 36.0, 3: 29.0}
"""Three blocks of neighbouring pixels for a 3x3 window."""
SUMS = 3.0
TURN = 2.0
TURN_BLOCKS, SUM_TURN_BLOCKS, TURN_STEPS = 4, 8, 3
ONE_BLOCK = {4: 48.0, 3: 44.0}
TWO_BLOCKS = {4: 78.0, 3: 68.0}
THREE_STEPS = 246.0
"""What a quad of channels takes in the few cases that have no loop."""
QUAD, WIDE_QUAD, SUM_QUAD = 26.0, {4: 30.0, 3: 32.0}, 32.0
"""What else it takes, results included."""
APART = 82.0
"""A quad that is stored on its own; and a pixel of it."""
APART_PIXEL = 22.6
SUM_APART = 64.0

ROW = 170.0
JOINED = 70.0
"""A row, and joining several of them to a long one."""
GROUP = 59.0
LOOPS = 7.5
"""Where loops are entered, unless there are none."""
SUM_GROUP = 80.0
WIDE_GROUP = 87.0

PIXEL_BLOCKS = {4: 23.3, 3: 18.6}
"""Expanding a block of each pixel of a group, where windows are single pixels."""
PIXELS_CALL = 24.5

COPY = 33.4
COPY_BLOCK = {4: 29.0, 3: 25.0}
"""A row of a 3x3 window; pixels of padding one at a time."""
PADDED_PIXEL = 12.7
PADDED_BLOCK = 3.7

WHOLE = 51.7
WHOLE_PIXEL = 25.0
"""Windows of a camera's pixels, three rows of up to 16 taps; others by row."""
GATHER_PIXEL = 27.9
GATHER_ROW = 11.7
GATHER_BLOCK = 5.5
SPREAD_BLOCK = 10.8
WINDOWS = 40.0
WINDOW = 60.0
PLACED_SEGMENT = 16.0
GATHERED_WINDOW = 61.7
GATHERED_SEGMENT = 21.6

POOL_CALL = 83.0
POOL_PIXEL = 32.2
POOL_BLOCK = 19.0
POOL_ANY_PIXEL = 36.0
POOL_ROW = 13.6
POOL_COLUMN = 12.2
POOL_COLUMN_BLOCK = 4.0
POOL_THREE_BLOCK = 7.0
POOL_KEPT_BLOCK = 2.0
"""Blocks of channels of nine pixels at once, and of three or one."""
POOL_WINDOW = 3

SIGNED_CHANNEL = 110.0
SIGNED_WEIGHT = 0.8
"""Bringing decoded weights into the order of these kernels."""


@dataclass(frozen=True, slots=True)
class Convolution(Shape):
    """What a convolution's cost depends on."""

    kernel: KernelSpec
    aligned: bool

    @classmethod
    def of(
        cls,
        graph: Graph,
        node: ops.QConv2D | ops.QConvGlobalPool,
        kernel: KernelSpec,
        contiguous: bool,
        pixel_bytes: int,
    ) -> Convolution:
        """``contiguous``: pixels follow one another without a gap; ``pixel_bytes``: of the output.
        """
        return cls(
            **shape_of(graph, node, contiguous),
            kernel=kernel,
            aligned=pixel_bytes % SIGNED_CHANNELS == 0,
        )

    @property
    def _blocks(self) -> int:
        return block_taps(self.window[0] * self.window[1] * self.channels) // BLOCK

    def rows(self, count: int) -> float:
        """Instructions of ``count`` rows of output."""
        return count * self._row()

    def _row(self) -> float:
        groups = -(-self.cols // PIXELS)
        threes = min(PIXELS * groups - self.cols, groups)
        sizes = [PIXELS] * (groups - threes) + [PIXELS - 1] * threes
        total, col = ROW, 0
        for size in sizes:
            total += self._group(col, size)
            col += size
        return total

    def _group(self, col: int, size: int) -> float:
        """A group of ``size`` pixels from ``col`` on, of which some may be beyond the row."""
        pixels = min(size, self.cols - col)
        quads = -(-self.outputs // SIGNED_CHANNELS)
        if row_blocks(self.kernel, self.channels):
            col = min(col, max(self.cols - size, 0))
            taken = WIDE_GROUP + self._wide_columns(col, size) + quads * self._wide_quad(size)
            apart = self.cols < size
        elif self.summed:
            taken = SUM_GROUP + self._columns(col, pixels, size) + quads * self._quad(size)
            return taken + SUM_APART * bool(self.outputs % SIGNED_CHANNELS)
        else:
            taken = GROUP + self._columns(col, pixels, size) + quads * self._quad(size)
            taken += LOOPS if self._blocks > 2 else 0.0
            apart = False
        if apart or self.outputs % SIGNED_CHANNELS or not self.aligned:
            taken += quads * (APART + pixels * APART_PIXEL)
        return taken

    def _quad(self, size: int) -> float:
        blocks = self._blocks
        if blocks <= 2 and not self.summed:
            return (ONE_BLOCK if blocks == 1 else TWO_BLOCKS)[size]
        turns = -(-(blocks - 1) // (SUM_TURN_BLOCKS if self.summed else TURN_BLOCKS))
        sums = SUMS + blocks * STEP[size] + max(turns, 1) * TURN
        return 2 * sums + (SUM_QUAD if self.summed else QUAD)

    def _wide_quad(self, size: int) -> float:
        steps = 3 * self.channels // BLOCK
        if steps == 3 and size == PIXELS:
            return THREE_STEPS
        sums = SUMS + steps * WIDE_STEP[size] + -(-(steps - 1) // TURN_STEPS) * TURN
        return 2 * sums + WIDE_QUAD[size]

    def _wide_columns(self, col: int, size: int) -> float:
        first, blocks = col - self.pad_left, self.channels // BLOCK
        if first >= 0 and first + size + 2 <= self.in_cols:
            return 3 * (COPY + blocks * COPY_BLOCK[size])
        return 3 * (COPY + (size + 2) * (PADDED_PIXEL + blocks * PADDED_BLOCK))

    def _columns(self, col: int, pixels: int, size: int) -> float:
        rows, cols = self.window
        blocks = self._blocks
        whole_blocks = self.channels % BLOCK == 0
        alone = rows == cols == self.stride == 1 and not self.pad_left and whole_blocks
        if alone and pixels == size:
            return PIXELS_CALL + blocks * PIXEL_BLOCKS[size]
        first = col * self.stride - self.pad_left
        last = first + (size - 1) * self.stride
        segment = block_taps(cols * self.channels)
        readable = last * self.channels + segment <= self.in_cols * self.channels
        if first >= 0 and pixels == size and not whole_blocks and self.contiguous and readable:
            if rows == 3 and segment == BLOCK and blocks == 2:
                return WHOLE + size * WHOLE_PIXEL
            gathered = GATHER_PIXEL + rows * (GATHER_ROW + segment / BLOCK * GATHER_BLOCK)
            return WHOLE + size * (gathered + blocks * SPREAD_BLOCK)
        starts = [first + min(p, pixels - 1) * self.stride for p in range(size)]
        return WINDOWS + sum(self._window(start, blocks) for start in starts)

    def _window(self, first: int, blocks: int) -> float:
        """A window of ``blocks`` blocks at column ``first`` on its own."""
        rows, cols = self.window
        inside = first >= 0 and first + cols <= self.in_cols and self.contiguous
        segments = rows * (1 if inside else cols)
        if self.channels % BLOCK == 0:
            return WINDOW + segments * PLACED_SEGMENT + blocks * SPREAD_BLOCK
        return GATHERED_WINDOW + segments * GATHERED_SEGMENT + blocks * SPREAD_BLOCK


@lru_cache(maxsize=1 << 14)
def rows_in_parts(work: Convolution, parts: tuple[int, ...], count: int) -> float:
    """As :meth:`Convolution.rows`, in passes of so many output channels each."""
    return sum(
        times * replace(work, outputs=outputs).rows(count)
        for outputs, times in Counter(parts).items()
    )


def signing(outputs: int, taps: int) -> float:
    """Instructions for bringing decoded weights into the order of these kernels."""
    return signed_channels(outputs) * (SIGNED_CHANNEL + block_taps(taps) * SIGNED_WEIGHT)


@dataclass(frozen=True, slots=True)
class Pool:
    """A max-pool: how many columns the window of each pixel of output holds."""

    columns: tuple[int, ...]
    kernel_rows: int
    blocks: int
    whole: bool

    @classmethod
    def of(cls, graph: Graph, node: ops.QMaxPool2D) -> Pool:
        source, out = graph.values[node.inputs[0]].type, graph.values[node.output].type
        window = node.window
        starts = [x * window.strides[1] - window.padding.left for x in range(out.width)]
        columns = tuple(min(s + window.kernel[1], source.width) - max(s, 0) for s in starts)
        blocks, whole = block_taps(out.channels) // BLOCK, out.channels % BLOCK == 0
        return cls(columns, window.kernel[0], blocks, whole)

    def step(self, stage: Stage, step: Step) -> float:
        """Instructions of one step."""
        demands = [
            stage.inputs[0].window.demand(row)
            for row in range(step.first_row, step.first_row + step.rows)
        ]
        if step.input_row is not None:
            return POOL_CALL + self._any(1, step.input_row != demands[0].first)
        return sum(self._row(demand.last - demand.first) for demand in demands)

    def _row(self, rows: int) -> float:
        if rows != POOL_WINDOW or not self.whole:
            return POOL_CALL + self._any(rows, False)
        inside = sum(columns == POOL_WINDOW for columns in self.columns)
        rest = replace(self, columns=tuple(c for c in self.columns if c != POOL_WINDOW))
        return POOL_CALL + inside * (POOL_PIXEL + self.blocks * POOL_BLOCK) + rest._any(rows, False)

    def _any(self, rows: int, keep: bool) -> float:
        total = 0.0
        for columns, pixels in Counter(self.columns).items():
            if columns == POOL_WINDOW:
                row = POOL_ROW + self.blocks * POOL_THREE_BLOCK
                kept = rows - 1 + keep
            else:
                row = columns * (POOL_COLUMN + self.blocks * POOL_COLUMN_BLOCK)
                kept = rows * columns - 1 + keep
            kept_blocks = kept * self.blocks * POOL_KEPT_BLOCK
            total += pixels * (POOL_ANY_PIXEL + rows * row + kept_blocks)
        return total
