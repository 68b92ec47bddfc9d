"""Which schedule: the cheapest that fits, from one family of candidates per network.

The family does not depend on the budget, so more memory never makes a network slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from squeeze2c.ir import Graph
from squeeze2c.kernels import rows_at_once
from squeeze2c.progress import Progress, silent
from squeeze2c.schedule.cost import predicted_instructions
from squeeze2c.schedule.layerwise import schedule_layerwise
from squeeze2c.schedule.model import Schedule
from squeeze2c.schedule.placement import place_feature_maps
from squeeze2c.schedule.stages import INPUT_STAGE, Stage, collect_stages
from squeeze2c.schedule.stream import schedule_stream
from squeeze2c.target import Core

STRIPS = (1, 2, 4, 8, 16)
TOLERANCE = 1.35
"""Without a budget, a schedule may cost this much more than the cheapest to be smaller: as much as
kernels that take several rows at once save. Who has memory to spare says so."""


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
    if kind in ("layerwise", "auto"):
        for several in (False, True) if at_once != one_by_one else (False,):
            yield "layerwise", partial(schedule_layerwise, graph, core, push, packed, several)
    if kind == "layerwise":
        return

    def stream(
        stages: tuple[Stage, ...], strips: Sequence[int], run: bool, boundaries: tuple[str, ...]
    ) -> Schedule:
        strip_rows = [min(rows, stage.rows) for rows, stage in zip(strips, stages, strict=True)]
        running = [run and stage.pool for stage in stages]
        return schedule_stream(graph, placements, stages, strip_rows, running, push, boundaries)

    most_rows = max(stage.rows for stage in one_by_one)
    for strip in STRIPS:
        if strip > 1 and strip >= most_rows:
            break
        strips = (strip,) * len(one_by_one)
        for run in (True, False):
            yield "stream", partial(stream, one_by_one, strips, run, ())
        if at_once != one_by_one and strip >= max(rows_at_once(s.kernel) for s in at_once):
            yield "stream", partial(stream, at_once, strips, True, ())
    for stages, strips in _from_some_layer_on(one_by_one, at_once):
        yield "stream", partial(stream, stages, strips, True, ())
    pools = [stage.buffer for stage in one_by_one if stage.pool and stage.buffer is not None]
    for boundary in dict.fromkeys(pools):
        yield "stream", partial(stream, one_by_one, (1,) * len(one_by_one), True, (boundary,))


def _from_some_layer_on(
    one_by_one: tuple[Stage, ...], at_once: tuple[Stage, ...]
) -> Iterator[tuple[tuple[Stage, ...], tuple[int, ...]]]:
    """Stages and strips that take several rows at once from some layer on, single rows before.

    Late rows are short, so taking several of them costs least RAM there. Strips begin with
    the layer, or with those that write its input.
    """
    for index, stage in enumerate(at_once):
        rows = rows_at_once(stage.kernel)
        if rows == 1:
            continue
        stages = one_by_one[:index] + at_once[index:]
        writers = [w for w in stage.inputs[0].writers if w != INPUT_STAGE]
        for first in dict.fromkeys((index, *writers)):
            yield stages, tuple(rows if i >= first else 1 for i in range(len(stages)))
