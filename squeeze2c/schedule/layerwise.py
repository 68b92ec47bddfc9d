"""The simplest schedule: every layer computes all its rows before the next one starts."""

from __future__ import annotations

from collections.abc import Mapping

from squeeze2c.ir import Graph
from squeeze2c.schedule.model import Schedule, Step
from squeeze2c.schedule.placement import place_feature_maps
from squeeze2c.schedule.stages import INPUT_STAGE, collect_stages
from squeeze2c.schedule.stream import whole_maps
from squeeze2c.target import Core


def schedule_layerwise(
    graph: Graph,
    core: Core,
    push: bool = False,
    packed: Mapping[str, int] | None = None,
    strips: bool = False,
) -> Schedule:
    """One step per layer of a quantised ``graph``; concatenations need none.

    With ``push`` the arena collects the whole image first. ``strips``: with kernels that
    take several rows at once.
    """
    placements = place_feature_maps(graph)
    stages = collect_stages(graph, placements, core, packed, strips)
    rows = graph.input_value.type.height
    received = [Step(INPUT_STAGE, row, 1) for row in range(rows)] if push else []
    return Schedule(
        stages=stages,
        steps=(*received, *(Step(i, 0, stage.rows) for i, stage in enumerate(stages))),
        strip_rows=tuple(stage.rows for stage in stages),
        running=(False,) * len(stages),
        line_buffers=whole_maps(graph, placements, push),
        placements=placements,
        input=graph.input,
        push=push,
    )
