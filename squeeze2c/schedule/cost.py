"""Predicted instructions of a schedule.

The constants are fitted to instructions that QEMU counted on a Cortex-M4 for the
portable kernels, gcc 12 at -O3; ``docs/streaming.md`` shows how well they do. What
matters to the scheduler is how schedules of one network compare.
"""

from __future__ import annotations

from squeeze2c.ir import Graph, ops
from squeeze2c.schedule.model import Schedule, Step
from squeeze2c.schedule.stages import INPUT_STAGE, windows_along

STEP = 18.0
"""Looking up a step, entering its layer and leaving it."""

SLOT = 6.0
"""The address of a row in a ring. It costs nothing where the ring is one row or the whole map."""

EXPAND_PER_TAP = 5.13
"""Per pixel."""

MULTIPLY_PER_TAP = 3.113
"""Per pixel and channel; the last tile of four pixels counts whole."""

RESULT = 48.0
"""Requantising, per pixel and channel."""

MAXIMUM_PER_BYTE = 8.45
"""A max-pool, per byte of its windows; and per pixel, for each row and for each call:"""

MAXIMUM_PER_ROW = 35.0
MAXIMUM_PER_CALL = 33.0

ADD_PER_BYTE = 46.0
SUM_PER_BYTE = 7.3
COPY_PER_BYTE = 4.1
"""A pushed row on its way into its line buffer."""


def predicted_instructions(graph: Graph, schedule: Schedule) -> int:
    """Instructions that one image takes, summed over the steps of ``schedule``."""
    per_row = [_row_cost(graph, graph.node(stage.node)) for stage in schedule.stages]
    pools = [_pool_costs(graph, graph.node(stage.node)) for stage in schedule.stages]
    received = graph.input_value.type.width * graph.input_value.type.channels * COPY_PER_BYTE
    total = 0.0
    for step in schedule.steps:
        total += SLOT * _ring_rows(schedule, step)
        if step.stage == INPUT_STAGE:
            total += received
            continue
        call, pooled_row = pools[step.stage]
        total += STEP + (call + per_row[step.stage]) * step.rows
        total += pooled_row * _pooled_rows(schedule, step)
    return round(total)


def _ring_rows(schedule: Schedule, step: Step) -> int:
    """How many times ``step`` looks up where in a ring a row is."""
    looked_up = 0
    written = schedule.writes(step)
    if written is not None and _is_ring(schedule, written):
        looked_up += step.rows
    if step.stage != INPUT_STAGE:
        for source in schedule.stages[step.stage].inputs:
            if _is_ring(schedule, source.buffer):
                kernel_rows = 1 if step.input_row is not None else source.window.kernel
                looked_up += step.rows * kernel_rows
    return looked_up


def _is_ring(schedule: Schedule, buffer: str) -> bool:
    rows = schedule.line_buffers.get(buffer)
    return rows is not None and 1 < rows.capacity_rows < rows.rows


def _pooled_rows(schedule: Schedule, step: Step) -> int:
    """Input rows that a step of a max-pool goes through; 0 where it is none."""
    stage = schedule.stages[step.stage]
    if not stage.pool:
        return 0
    if step.input_row is not None:
        return 1
    rows = 0
    for row in range(step.first_row, step.first_row + step.rows):
        demand = stage.inputs[0].window.demand(row)
        rows += demand.last - demand.first
    return rows


def _row_cost(graph: Graph, node: ops.Node) -> float:
    """Instructions of one output row, max-pools aside."""
    source = graph.values[node.inputs[0]].type
    match node:
        case ops.QConv2D() | ops.QConvGlobalPool():
            pixels = windows_along(source.width, node.window, 1)
            tiled = 4 * -(-pixels // 4)
            taps = node.window.taps * source.channels
            outputs = len(graph.constants[node.inputs[1]])
            multiply = tiled * taps * MULTIPLY_PER_TAP + pixels * RESULT
            return pixels * taps * EXPAND_PER_TAP + outputs * multiply
        case ops.QAdd():
            return source.width * source.channels * ADD_PER_BYTE
        case ops.QGlobalPool():
            return source.width * source.channels * SUM_PER_BYTE
    return 0.0


def _pool_costs(graph: Graph, node: ops.Node) -> tuple[float, float]:
    """Instructions of a max-pool's kernel per call, and per input row of its window."""
    if not isinstance(node, ops.QMaxPool2D):
        return 0.0, 0.0
    out = graph.values[node.output].type
    window_bytes = node.window.kernel[1] * out.channels
    pooled_row = out.width * (window_bytes * MAXIMUM_PER_BYTE + MAXIMUM_PER_ROW)
    return out.width * MAXIMUM_PER_CALL, pooled_row
