"""Streaming: layers advance together, a strip of rows at a time, through line buffers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from squeeze2c.ir import Graph
from squeeze2c.schedule.line_buffer import fit_line_buffers
from squeeze2c.schedule.model import LineBuffer, Schedule
from squeeze2c.schedule.order import order_steps
from squeeze2c.schedule.placement import Placement
from squeeze2c.schedule.stages import Stage


def schedule_stream(
    graph: Graph,
    placements: Mapping[str, Placement],
    stages: Sequence[Stage],
    strip_rows: Sequence[int],
    running: Sequence[bool],
    push: bool,
    boundaries: Collection[str] = (),
) -> Schedule:
    """The schedule of a quantised ``graph`` whose layers advance together.

    ``strip_rows``: rows per step of each stage; ``running``: which max-pools take one
    input row a step, which lets them forget it at once; ``boundaries``: feature maps
    between cascades, kept as a whole.
    """
    buffers = whole_maps(graph, placements, push=True)
    row_bytes = {name: buffer.row_bytes for name, buffer in buffers.items()}
    steps = order_steps(
        stages, strip_rows, running, row_bytes, graph.input_value.type.height, push, boundaries
    )
    if not push:
        del buffers[graph.input]
    return fit_line_buffers(
        Schedule(
            stages=tuple(stages),
            steps=steps,
            strip_rows=tuple(strip_rows),
            running=tuple(running),
            line_buffers=buffers,
            placements=placements,
            input=graph.input,
            push=push,
        )
    )


def whole_maps(
    graph: Graph, placements: Mapping[str, Placement], push: bool
) -> dict[str, LineBuffer]:
    """A line buffer per feature map that holds all its rows; of the input only with ``push``."""
    buffers = {}
    for name in dict.fromkeys(placement.buffer for placement in placements.values()):
        kind = graph.values[name].type
        if push or name != graph.input:
            buffers[name] = LineBuffer(
                name, kind.height, kind.height, kind.width * kind.channels
            )
    return buffers
