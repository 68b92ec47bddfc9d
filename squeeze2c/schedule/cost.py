"""Predicted instructions of a schedule.

The formulas follow the loops of the kernels: here those of the portable ones, in ``cost_dsp.py``
and the like those of an architecture, whose unit is another in ``cost_host.py``. The constants
here are fitted to instructions that QEMU counted on a Cortex-M4 (GCC 12 at -O3, picolibc): all
layers of SqueezeNet v1.0 and v1.1 and of small random networks, in several schedules each. They
meet every one of those layers to 3 %, the two SqueezeNets as a whole to 0.5 %. The small errors
of layers stem from what no graph tells, such as how many results are clamped.

Schedules of one network with the same kernels compute the same rows. What they differ in are
steps, loops over strips, rows that are looked up in rings, and max-pools that come back to a row
of output for each row of input: less than 0.5 % in all. The errors above are the same in each of
them, so schedules that lie further apart than a few instructions in a million rank as they are
measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import KernelSpec, pairs_weights, signed_columns
from squeeze2c.schedule import cost_dsp, cost_host, cost_m0, cost_m3, cost_mve
from squeeze2c.schedule.cost_convolution import Convolution, convolution, is_contiguous
from squeeze2c.schedule.model import Schedule, Step
from squeeze2c.schedule.stages import INPUT_STAGE, Stage

STEP = 22.0
"""Looking up a step, entering its layer and leaving it."""

STRIP_ROW = 5.0
"""Turning to the next row of a strip; a strip of one row needs no loop."""

RING_ROW = 6.5
MASKED_RING_ROW = 3.5
"""The address of a row in a ring; the second where its number of rows is a power of two. It
costs nothing where the ring is one row or the whole map."""

COPY_ROW = 130.0
COPY_BYTE = 4.0
"""A pushed row on its way into its line buffer."""

TILE_PIXELS, TILE_CHANNELS = 4, 2
"""What the product of a convolution works on at once."""

KERNEL_ROW = 49.0
"""A row pointer."""
TILE = 148.0
WINDOW = 31.0
SEGMENT = 20.0
"""Neighbouring pixels of a window that are copied together; of padding one at a time."""
WIDEN_BYTE = 4.0
MULTIPLY_TAP = 25.0
"""All products of one tap in a tile."""
CHANNELS = 40.0
RESULT = 41.0
SUM_CHANNELS = 92.0
SUM_RESULT = 17.0
"""Results of the layer that accumulates the logits."""

POOL_CALL = 36.0
POOL_PIXEL = 32.0
POOL_CLEAR_BYTE = 4.0
POOL_ROW_PIXEL = 14.0
"""Turning to the next row of input for one pixel of output."""
POOL_COLUMN = 7.0
POOL_BYTE = 8.0

ADD_BYTE = 46.0
SUM_ROW = 23.0
SUM_BYTE = 8.0

UNPACK_TABLE = 37500.0
"""Building the decode table of a layer with packed weights; once per step, like all of these."""
UNPACK_CHANNEL = 100.0
"""Its bias and multiplier, and a share of what a tile costs however small it is."""
UNPACK_WEIGHT = 5.1
"""At 2 to 4 bits per weight, as large layers have; codes of 6 bits cost 8."""



def predicted_instructions(graph: Graph, schedule: Schedule) -> int:
    """Instructions that one image takes."""
    image = graph.input_value.type
    received = sum(step.stage == INPUT_STAGE for step in schedule.steps)
    helium = any(stage.kernel.arch == "mve" for stage in schedule.stages)
    copy_byte = cost_mve.COPY_BYTE if helium else COPY_BYTE
    copied = received * (COPY_ROW + image.width * image.channels * copy_byte)
    return round(copied + sum(instructions_by_stage(graph, schedule)))


def instructions_by_stage(graph: Graph, schedule: Schedule) -> tuple[float, ...]:
    """Instructions of all steps of each stage of ``schedule``, for one image."""
    nodes = [graph.node(stage.node) for stage in schedule.stages]
    parts = [_parts(graph, stage) for stage in schedule.stages]
    work = [_work(graph, schedule, index, parts[index]) for index in range(len(nodes))]
    totals = list(decoding_by_stage(graph, schedule))
    for step in schedule.steps:
        if step.stage == INPUT_STAGE:
            continue
        passes = len(parts[step.stage])
        totals[step.stage] += STEP + work[step.stage](step)
        totals[step.stage] += passes * _rings(schedule, step)
        if step.input_row is None and schedule.strip_rows[step.stage] > 1:
            totals[step.stage] += passes * step.rows * STRIP_ROW
    return tuple(totals)


def products(graph: Graph, schedule: Schedule, index: int, steps: Iterable[Step]) -> float:
    """Of those of stage ``index``, the instructions of its kernel in ``steps``."""
    work = _work(graph, schedule, index, _parts(graph, schedule.stages[index]))
    return sum(map(work, steps))


def decoding_by_stage(graph: Graph, schedule: Schedule) -> tuple[float, ...]:
    """Of those, the instructions for decoding packed weights, which every step does once."""
    steps = Counter(step.stage for step in schedule.steps)
    return tuple(
        steps[index] * _unpacking(graph, stage) for index, stage in enumerate(schedule.stages)
    )


def _parts(graph: Graph, stage: Stage) -> list[int]:
    """Output channels of each pass over the rows of a step: one per tile of packed weights.

    Every pass looks its rows up and expands their windows anew.
    """
    outputs = graph.values[stage.output].type.channels
    tile = stage.tile_channels or outputs
    return [min(tile, outputs - first) for first in range(0, outputs, tile)]


def _rings(schedule: Schedule, step: Step) -> float:
    """Instructions for looking up where in their rings the rows of ``step`` are."""
    written = schedule.writes(step)
    total = step.rows * _ring_row(schedule, written) if written is not None else 0.0
    for source in schedule.stages[step.stage].inputs:
        rows = 1 if step.input_row is not None else step.rows * source.window.kernel
        total += rows * _ring_row(schedule, source.buffer)
    return total


def _unpacking(graph: Graph, stage: Stage) -> float:
    """Instructions for decoding the weights of ``stage`` once; 0 where they are plain."""
    if not stage.tile_channels:
        return 0.0
    weights = graph.constants[graph.node(stage.node).inputs[1]]
    outputs = len(weights)
    decoding = UNPACK_TABLE + outputs * UNPACK_CHANNEL + weights.size * UNPACK_WEIGHT
    if pairs_weights(stage.kernel):
        decoding += cost_dsp.pairing(outputs, weights.size // outputs)
    if signed_columns(stage.kernel):
        decoding += cost_mve.signing(outputs, weights.size // outputs)
    return decoding


def _ring_row(schedule: Schedule, name: str) -> float:
    buffer = schedule.line_buffers.get(name)
    if buffer is None or not 1 < buffer.capacity_rows < buffer.rows:
        return 0.0
    return RING_ROW if buffer.capacity_rows & (buffer.capacity_rows - 1) else MASKED_RING_ROW


def _work(
    graph: Graph, schedule: Schedule, index: int, parts: list[int]
) -> Callable[[Step], float]:
    """Instructions of the rows of a step of stage ``index``, in passes of ``parts`` channels."""
    stage = schedule.stages[index]
    node = graph.node(stage.node)
    if isinstance(node, ops.QMaxPool2D) and stage.kernel.arch == "mve":
        return partial(cost_mve.Pool.of(graph, node).step, stage)
    if isinstance(node, ops.QMaxPool2D):
        return partial(_Pool.of(graph, node, stage.kernel).step, stage)
    if isinstance(node, Convolution) and stage.kernel.arch != "c":
        return convolution(graph, schedule, index, node, tuple(parts))
    row = sum(_row(graph, schedule, node, outputs) for outputs in parts)
    slow = any(other.kernel.arch == "m0" for other in schedule.stages)
    if slow and isinstance(node, Convolution):
        row *= cost_m0.PORTABLE
    return lambda step: step.rows * row


def _row(graph: Graph, schedule: Schedule, node: ops.Node, outputs: int) -> float:
    """Instructions of one output row, ``outputs`` channels of it."""
    source = graph.values[node.inputs[0]].type
    row_bytes = source.width * source.channels
    match node:
        case ops.QConv2D() | ops.QConvGlobalPool():
            contiguous = is_contiguous(graph, schedule, node)
            return _convolution_row(graph, node, contiguous, outputs)
        case ops.QAdd():
            return row_bytes * ADD_BYTE
        case ops.QGlobalPool():
            return SUM_ROW + row_bytes * SUM_BYTE
    return 0.0


def _convolution_row(
    graph: Graph, node: ops.QConv2D | ops.QConvGlobalPool, contiguous: bool, outputs: int
) -> float:
    """``contiguous``: the input's pixels follow one another without a gap."""
    source, window = graph.values[node.inputs[0]].type, node.window
    kernel_rows, kernel_cols = window.kernel
    cols = window.count(source.width, 1)
    taps = window.taps * source.channels
    inside = _inside(source.width, node, cols) if contiguous else 0
    segments = kernel_rows * (inside + (cols - inside) * kernel_cols)
    tiles, pairs = -(-cols // TILE_PIXELS), -(-outputs // TILE_CHANNELS)
    expansion = tiles * TILE + cols * (WINDOW + taps * WIDEN_BYTE) + segments * SEGMENT
    if isinstance(node, ops.QConvGlobalPool):
        results = tiles * pairs * SUM_CHANNELS + cols * outputs * SUM_RESULT
    else:
        # The last channel of an odd number is computed and stored twice.
        results = tiles * pairs * CHANNELS + cols * pairs * TILE_CHANNELS * RESULT
    return kernel_rows * KERNEL_ROW + expansion + tiles * pairs * taps * MULTIPLY_TAP + results


def _inside(in_cols: int, node: ops.QConv2D | ops.QConvGlobalPool, cols: int) -> int:
    """Windows of a row that hold no column of padding."""
    window = node.window
    starts = (x * window.strides[1] - window.padding.left for x in range(cols))
    return sum(0 <= start <= in_cols - window.kernel[1] for start in starts)


@dataclass(frozen=True, slots=True)
class _Pool:
    """A max-pool, by row: of output (``row``), begun (``clear``) and of input (``fold``)."""

    row: float
    clear: float
    fold: float

    @classmethod
    def of(cls, graph: Graph, node: ops.QMaxPool2D, kernel: KernelSpec) -> _Pool:
        source, out = graph.values[node.inputs[0]].type, graph.values[node.output].type
        window, width, pixels = node.window, source.width, out.width
        starts = [x * window.strides[1] - window.padding.left for x in range(pixels)]
        columns = [min(s + window.kernel[1], width) - max(s, 0) for s in starts]
        if kernel.arch == "host":
            row, fold = cost_host.pool_row(columns, out.channels)
            return cls(row, 0.0, fold)
        if kernel.arch == "m0":
            fold, spared = cost_m0.pool_row(columns, out.channels)
            row = cost_m0.POOL_CALL + pixels * cost_m0.POOL_PIXEL
            return cls(row, -spared, fold)
        if kernel.arch == "dsp":
            fold, spared = cost_dsp.pool_row(columns, out.channels)
            return cls(cost_dsp.POOL_CALL + pixels * cost_dsp.POOL_PIXEL, -spared, fold)
        if kernel.arch == "m3":
            fold, spared = cost_m3.pool_row(columns, out.channels)
            return cls(cost_m3.POOL_CALL + pixels * cost_m3.POOL_PIXEL, -spared, fold)
        column = POOL_COLUMN + out.channels * POOL_BYTE
        return cls(
            row=POOL_CALL + pixels * POOL_PIXEL,
            clear=pixels * out.channels * POOL_CLEAR_BYTE,
            fold=pixels * POOL_ROW_PIXEL + sum(columns) * column,
        )

    def step(self, stage: Stage, step: Step) -> float:
        """Instructions of one step."""
        rows = [
            stage.inputs[0].window.demand(row)
            for row in range(step.first_row, step.first_row + step.rows)
        ]
        begun, taken = step.rows, sum(demand.last - demand.first for demand in rows)
        if step.input_row is not None:
            begun, taken = int(step.input_row == rows[0].first), 1
        return step.rows * self.row + begun * self.clear + taken * self.fold
