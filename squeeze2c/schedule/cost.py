"""Predicted instructions of a schedule.

The constants are fitted to instructions that QEMU counted on a Cortex-M4 for the
portable kernels, gcc 12 at -O3; ``docs/streaming.md`` shows how well they do. What
matters to the scheduler is how schedules of one network compare.
"""

from __future__ import annotations

from squeeze2c.ir import Graph, ops
from squeeze2c.schedule.model import Schedule, Step
from squeeze2c.schedule.stages import INPUT_STAGE, Stage, windows_along

STEP = 90
"""Looking up a step and entering its layer."""

ROW = 120
"""Row pointers and the kernel's set-up for one row."""

EXPAND_PER_TAP = 3.0
MULTIPLY_PER_TAP = 3.7
RESULT = 22.0
MAXIMUM_PER_BYTE = 4.6
ADD_PER_BYTE = 40.0
SUM_PER_BYTE = 9.0
COPY_PER_BYTE = 1.0

UNPACK_TABLE = 12000.0
"""Building the decode table of a layer with packed weights."""

UNPACK_WEIGHT = 6.0


def predicted_instructions(graph: Graph, schedule: Schedule) -> int:
    """Instructions that one image takes, summed over the steps of ``schedule``."""
    per_row = [_row_cost(graph, graph.node(stage.node)) for stage in schedule.stages]
    pool_row = [_pool_row_cost(graph, graph.node(stage.node)) for stage in schedule.stages]
    received = graph.input_value.type.width * graph.input_value.type.channels * COPY_PER_BYTE
    total = 0.0
    for step in schedule.steps:
        if step.stage == INPUT_STAGE:
            total += received
            continue
        total += STEP + step.rows * ROW
        total += _decode_cost(graph, schedule.stages[step.stage])
        total += pool_row[step.stage] * _pooled_rows(schedule, step)
        total += per_row[step.stage] * step.rows
    return round(total)


def _decode_cost(graph: Graph, stage: Stage) -> float:
    """Instructions for decoding the weights of ``stage`` once; 0 where they are plain."""
    if not stage.tile_channels:
        return 0.0
    return UNPACK_TABLE + UNPACK_WEIGHT * graph.constants[graph.node(stage.node).inputs[1]].size


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
            tiles = -(-windows_along(source.width, node.window, 1) // 4)
            taps = node.window.taps * source.channels
            outputs = len(graph.constants[node.inputs[1]])
            multiply = taps * MULTIPLY_PER_TAP + RESULT
            return 4 * tiles * (taps * EXPAND_PER_TAP + outputs * multiply)
        case ops.QAdd():
            return source.width * source.channels * ADD_PER_BYTE
        case ops.QGlobalPool():
            return source.width * source.channels * SUM_PER_BYTE
    return 0.0


def _pool_row_cost(graph: Graph, node: ops.Node) -> float:
    """Instructions for one input row of a max-pool's window."""
    if not isinstance(node, ops.QMaxPool2D):
        return 0.0
    out = graph.values[node.output].type
    return out.width * node.window.kernel[1] * out.channels * MAXIMUM_PER_BYTE
