"""Predicted instructions of a convolution's rows with the kernels of any architecture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import (
    joins_rows,
    shares_words,
    signed_columns,
    tile_scratch,
    transforms_once,
)
from squeeze2c.kernels.catalogue import POLY_M3
from squeeze2c.schedule import cost_dsp, cost_host, cost_m0, cost_m3, cost_mve
from squeeze2c.schedule.cost_sparse import SparseConvolution
from squeeze2c.schedule.model import Schedule, Step
from squeeze2c.schedule.stages import Stage

Convolution = ops.QConv2D | ops.QConvGlobalPool

ENDLESS = 1 << 32
"""Rows that never wrap around."""


@dataclass(frozen=True, slots=True)
class _Model:
    """``of_rows(work, count)``: instructions of ``count`` rows of output. ``work`` knows how many
    columns these have. ``joined``: of turning to rows that lie one behind the other."""

    work: Any
    of_rows: Callable[[Any, int], float]
    joined: float = 0.0


def convolution(
    graph: Graph, schedule: Schedule, index: int, node: Convolution, parts: tuple[int, ...]
) -> Callable[[Step], float]:
    """Instructions of the rows of a step of stage ``index``, in passes of ``parts`` channels.

    Its kernel is none of the portable ones.
    """
    stage, strip_rows = schedule.stages[index], schedule.strip_rows[index]
    if stage.kernel.arch == "host":
        return _by_step(cost_host.convolution(graph, node, stage.kernel, strip_rows, [*parts]))
    if stage.kernel == POLY_M3:
        polynomial = cost_m3.Polynomial.of(graph, node, _columns_bytes(graph, stage, node))
        return _by_step(partial(cost_m3.poly_rows_in_parts, polynomial, parts))
    model = _model(graph, schedule, index, node, parts)
    work = model.work
    if not joins_rows(stage.kernel, node.window, work.in_cols, strip_rows):
        return _by_step(partial(model.of_rows, work))

    @cache
    def of_joined(rows: int) -> float:
        long = replace(work, cols=rows * work.cols, in_cols=rows * work.in_cols)
        return model.joined + model.of_rows(long, 1)

    rings = [_slots(schedule, name) for name in (node.inputs[0], node.output)]
    return lambda step: sum(of_joined(rows) for rows in _joined(step, min(rings), max(rings)))


def is_contiguous(graph: Graph, schedule: Schedule, node: ops.Node) -> bool:
    """Whether the pixels of the input of ``node`` follow one another without a gap."""
    name = node.inputs[0]
    return schedule.placements[name].pixel_bytes == graph.values[name].type.channels


def _by_step(of_rows: Callable[[int], float]) -> Callable[[Step], float]:
    of_rows = cache(of_rows)
    return lambda step: of_rows(step.rows)


def _model(
    graph: Graph, schedule: Schedule, index: int, node: Convolution, parts: tuple[int, ...]
) -> _Model:
    stage = schedule.stages[index]
    kernel, contiguous = stage.kernel, is_contiguous(graph, schedule, node)
    if stage.sparsity:
        # Weights without zeros are never packed, so there is one pass.
        sparse = SparseConvolution.of(graph, node, stage.sparsity, contiguous)
        return _Model(sparse, lambda work, count: work.rows(count))
    if signed_columns(kernel):
        placement = schedule.placements.get(node.output)
        pixel_bytes = placement.pixel_bytes if placement else 0
        signed = cost_mve.Convolution.of(graph, node, kernel, contiguous, pixel_bytes)
        return _Model(
            signed, lambda work, count: cost_mve.rows_in_parts(work, parts, count), cost_mve.JOINED
        )
    if shares_words(kernel):
        scratch = _columns_bytes(graph, stage, node)
        shared = cost_m3.Convolution.of(graph, node, contiguous, scratch, stage.tile_channels)
        return _Model(shared, lambda work, count: count * cost_m3.row_in_parts(work, parts))
    if kernel.arch == "m0":
        short = cost_m0.Convolution.of(graph, node, kernel, contiguous)
        return _Model(short, lambda work, count: cost_m0.rows_in_parts(work, parts, count))
    paired = cost_dsp.Convolution.of(graph, node, kernel, contiguous)
    if transforms_once(kernel, schedule.strip_rows[index]):
        paired = replace(paired, shares=True)
    return _Model(paired, lambda work, count: cost_dsp.rows_in_parts(work, parts, count))


def _columns_bytes(graph: Graph, stage: Stage, node: Convolution) -> int:
    """The scratch of ``stage`` without what is decoded."""
    if not stage.tile_channels:
        return stage.scratch_bytes
    taps = graph.constants[node.inputs[1]][0].size
    decoded = tile_scratch(stage.kernel, 0, taps, stage.tile_channels).size_bytes
    return stage.scratch_bytes - decoded


def _joined(step: Step, slots: int, other_slots: int) -> Iterator[int]:
    """Rows of ``step`` that lie one behind the other in both rings; see ``s2c_rows_joined``."""
    row, end = step.first_row, step.first_row + step.rows
    while row < end:
        count = min(end - row, slots - row % slots, other_slots - row % other_slots)
        yield count
        row += count


def _slots(schedule: Schedule, name: str) -> int:
    """Rows of the ring of the feature map ``name``; of what has no ring, the whole map."""
    placement = schedule.placements.get(name)
    buffer = schedule.line_buffers.get(placement.buffer) if placement else None
    return buffer.capacity_rows if buffer else ENDLESS
