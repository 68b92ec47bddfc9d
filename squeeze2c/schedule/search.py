"""Which schedule: the cheapest that fits, from one family of candidates per network.

The family does not depend on the budget, so more memory never makes a network slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from squeeze2c.ir import Graph
from squeeze2c.kernels import rows_at_once
from squeeze2c.progress import Progress, silent
from squeeze2c.schedule.cost import predicted_instructions
from squeeze2c.schedule.layerwise import schedule_layerwise
from squeeze2c.schedule.model import Schedule
from squeeze2c.schedule.placement import place_feature_maps
from squeeze2c.schedule.stages import Stage, collect_stages
from squeeze2c.schedule.stream import schedule_stream
from squeeze2c.target import Core

STRIPS = (1, 2, 4, 8, 16)
TOLERANCE = 1.02
"""Without a budget, a schedule may cost this much more than the cheapest to be smaller."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A schedule of ``kind`` (stream or layerwise), its arena, and its predicted cost."""

    kind: str
    schedule: Schedule
    arena_bytes: int
    instructions: int


def candidates(
    graph: Graph,
    core: Core,
    push: bool,
    kind: str,
    arena_bytes: Callable[[Schedule], int],
    progress: Progress = silent,
    packed: Mapping[str, int] | None = None,
) -> tuple[Candidate, ...]:
    """Schedules that no other one beats in both memory and cost, smallest arena first.

    ``kind``: layerwise, stream, or auto for both. ``arena_bytes`` plans a schedule.
    ``packed``: tile channels of the nodes whose weights are packed.
    """
    found = []
    generators = list(_schedules(graph, core, push, kind, packed))
    for index, (name, make) in enumerate(generators):
        progress("scheduling", index, len(generators))
        schedule = make()
        cost = predicted_instructions(graph, schedule)
        found.append(Candidate(name, schedule, arena_bytes(schedule), cost))
    progress("scheduling", len(generators), len(generators))
    best: list[Candidate] = []
    for candidate in sorted(found, key=lambda c: (c.arena_bytes, c.instructions)):
        if not best or candidate.instructions < best[-1].instructions:
            best.append(candidate)
    return tuple(best)


def choose(found: tuple[Candidate, ...], budget_bytes: int | None) -> Candidate | None:
    """The cheapest candidate within ``budget_bytes``; None where none fits.

    Without a budget: the smallest one that costs at most :data:`TOLERANCE` times as much
    as the cheapest.
    """
    if budget_bytes is None:
        limit = TOLERANCE * found[-1].instructions
        return next(c for c in found if c.instructions <= limit)
    fitting = [c for c in found if c.arena_bytes <= budget_bytes]
    return fitting[-1] if fitting else None


def _schedules(
    graph: Graph, core: Core, push: bool, kind: str, packed: Mapping[str, int] | None
) -> Iterator[tuple[str, Callable[[], Schedule]]]:
    placements = place_feature_maps(graph)
    one_by_one = collect_stages(graph, placements, core, packed)
    at_once = collect_stages(graph, placements, core, packed, strips=True)
    families = (one_by_one,) if at_once == one_by_one else (one_by_one, at_once)
    if kind in ("layerwise", "auto"):
        for stages in families:
            strips = stages is at_once
            yield "layerwise", partial(schedule_layerwise, graph, core, push, packed, strips)
    if kind == "layerwise":
        return

    def stream(
        stages: tuple[Stage, ...], strip: int, run: bool, boundaries: tuple[str, ...]
    ) -> Schedule:
        strip_rows = [min(max(strip, rows_at_once(s.kernel)), s.rows) for s in stages]
        running = [run and stage.pool for stage in stages]
        return schedule_stream(graph, placements, stages, strip_rows, running, push, boundaries)

    for stages in families:
        most_rows = max(stage.rows for stage in stages)
        for strip in STRIPS:
            if strip > 1 and strip >= most_rows:
                break
            for run in (True, False):
                yield "stream", partial(stream, stages, strip, run, ())
        pools = [stage.buffer for stage in stages if stage.pool and stage.buffer is not None]
        for boundary in dict.fromkeys(pools):
            yield "stream", partial(stream, stages, 1, True, (boundary,))
