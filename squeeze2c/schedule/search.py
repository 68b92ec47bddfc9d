"""Which schedule: the cheapest that fits, from one family of candidates per network.

The family does not depend on the budget, so more memory never makes a network slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from squeeze2c.ir import Graph
from squeeze2c.kernels import (
    STRIP_KERNELS,
    TILE_BYTES,
    KernelSpec,
    default_tile_channels,
    kernel_for_strips,
    m3,
    rows_at_once,
    scratch_bytes,
    smaller,
    transforms_once,
)
from squeeze2c.kernels.select import TALL_MAP_ROWS
from squeeze2c.progress import Progress, silent
from squeeze2c.schedule.cost import predicted_instructions
from squeeze2c.schedule.layerwise import schedule_layerwise
from squeeze2c.schedule.model import Schedule
from squeeze2c.schedule.placement import place_feature_maps
from squeeze2c.schedule.stages import INPUT_STAGE, Stage, collect_stages
from squeeze2c.schedule.stream import schedule_stream
from squeeze2c.schedule.words import share_words
from squeeze2c.schedule.zeros import skip_zeros, skippable_zeros
from squeeze2c.target import Core

STRIPS = (1, 2, 4, 8, 16)
SMALL_SCRATCH_BYTES = (4096, 8192, 12288, 16384, 24576)
"""Beyond which kernels of Cortex-M0 make way for smaller ones, in the end portable ones."""
LATE_HEIGHTS = 3
LATE_UNITS = (2, 4, 8)
"""Layers of so many of the smallest heights of maps, or so many of the last layers (writers of one
concatenation count as one), may have larger strips than the rest."""
JOINING_STRIPS = (2, 4)
"""Rows of late strips where nothing is gained by them but longer rows."""
TOLERANCE = 1.4
"""Without a budget, a schedule may cost this much more than the cheapest to be smaller: as much as
kernels that take several rows at once save. Who has memory to spare says so."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A schedule of ``kind`` (stream or layerwise), its arena, and its predicted cost."""

    kind: str
    schedule: Schedule
    arena_bytes: int
    instructions: int


@dataclass(frozen=True, slots=True)
class _Made:
    """A schedule, about what it costs, and what its arena cannot be smaller than, if known."""

    instructions: float
    kind: str
    schedule: Schedule
    least_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class _Family:
    """Schedules that differ in the tiles of packed weights alone.

    ``at_once``: the stages whose kernels take several rows at once. ``make``: one of them.
    ``strips``: rows of each stage; empty where all are computed in one step.
    ``most_scratch_bytes``: what needs more has kernels that need less.
    """

    kind: str
    at_once: tuple[bool, ...]
    make: Callable[[], Schedule]
    strips: tuple[int, ...] = ()
    most_scratch_bytes: int | None = None


    @property
    def kernels(self) -> tuple[tuple[bool, ...], tuple[int, ...], int | None]:
        """Operands of :meth:`_Kernels.choose`."""
        return self.at_once, self.strips, self.most_scratch_bytes


@dataclass(frozen=True, slots=True)
class _Kernels:
    """The stages twice: with kernels for single rows, and for several rows where there are any."""

    graph: Graph
    one_by_one: tuple[Stage, ...]
    at_once: tuple[Stage, ...]

    @classmethod
    def of(
        cls, graph: Graph, core: Core, packed: Mapping[str, int],
        columns_bytes: int = m3.COLUMNS_BYTES[0],
    ) -> _Kernels:  # fmt: skip
        placements = place_feature_maps(graph)
        single, several = (
            collect_stages(graph, placements, core, packed, strips, columns_bytes)
            for strips in (False, True)
        )
        return cls(graph, single, several)

    def choose(
        self, at_once: Sequence[bool], strips: Sequence[int] = (),
        most_scratch_bytes: int | None = None,
    ) -> tuple[Stage, ...]:  # fmt: skip
        choices = zip(self.one_by_one, self.at_once, at_once, strict=True)
        chosen = tuple(several if both else single for single, several, both in choices)
        if strips:
            chosen = tuple(map(self._for_strips, chosen, strips))
        if most_scratch_bytes is None:
            return chosen
        return tuple(self._within(stage, most_scratch_bytes) for stage in chosen)

    def _within(self, stage: Stage, most_scratch_bytes: int) -> Stage:
        if stage.scratch_bytes <= most_scratch_bytes:
            return stage
        kernels = smaller(self.graph.node(stage.node), stage.kernel)
        stages = [self._with_kernel(stage, kernel) for kernel in kernels]
        fitting = (small for small in stages if small.scratch_bytes <= most_scratch_bytes)
        return next(fitting, stages[-1])

    def _for_strips(self, stage: Stage, strip_rows: int) -> Stage:
        rows = min(strip_rows, stage.rows)
        return self._with_kernel(stage, kernel_for_strips(stage.kernel, rows, stage.rows))

    def _with_kernel(self, stage: Stage, kernel: KernelSpec) -> Stage:
        if kernel == stage.kernel:
            return stage
        node = self.graph.node(stage.node)
        scratch = scratch_bytes(self.graph, node, kernel, stage.tile_channels)
        return replace(stage, kernel=kernel, scratch_bytes=scratch)

    @property
    def rows(self) -> list[int]:
        """Rows that each stage takes at once, at most."""
        return [rows_at_once(stage.kernel) for stage in self.at_once]


def candidates(
    graph: Graph,
    core: Core,
    push: bool,
    kind: str,
    arena_bytes: Callable[[Schedule], int],
    progress: Progress = silent,
    packed: Mapping[str, int] | None = None,
    at_least_bytes: Callable[[Schedule], int] = lambda schedule: 0,
    beside_bytes: Callable[[Schedule], Sequence[int]] | None = None,
    small_code: bool = False,
) -> tuple[Candidate, ...]:
    """Schedules that no other one beats in both memory and cost, smallest arena first.

    ``kind``: layerwise, stream, or auto for both. ``arena_bytes`` plans a schedule;
    ``at_least_bytes``, a quick lower bound of that, spares planning what is beaten anyway.
    ``packed``: tile channels of the nodes whose weights are packed, the fewest that are
    worth it; schedules may decode more at a time. ``beside_bytes``: of a schedule, what is alive
    besides its scratch while each stage runs, for kernels that take more of it on cores that have
    the choice (see ``words.py``; never with packed weights, where flash is short), of which code
    for size (``small_code``) has one kind only.
    """
    packed = packed or {}
    families = list(_families(graph, core, push, kind, packed))
    tilings = [
        _Kernels.of(graph, core, tiling, columns_bytes)
        for tiling in _tilings(graph, packed)
        for columns_bytes in _columns_bytes(core, bool(packed))
    ]
    zeros = skippable_zeros(graph, packed)
    told, total = 0, len(families) * (1 + len(tilings) * (2 if zeros else 1))
    shares = beside_bytes is not None and core.dsp and not core.mve and not packed
    made: list[_Made] = []
    for family in families:
        progress("scheduling", told, total)
        told += 1
        ordered = family.make()
        least = tilings[0].choose(*family.kernels)
        for tiling in tilings:
            stages = _tiled(least, tiling.choose(*family.kernels), ordered.strip_rows)
            schedule = replace(ordered, stages=stages)
            cost = predicted_instructions(graph, schedule)
            made.append(_Made(cost, family.kind, schedule))
            skipping = skip_zeros(graph, schedule, zeros)
            if skipping is not None:
                cost, schedule = predicted_instructions(graph, skipping), skipping
                made.append(_Made(cost, family.kind, schedule))
            # Not of what has zeros and does not skip them, which takes more flash.
            if shares and beside_bytes is not None:
                beside = beside_bytes(schedule)
                variants = share_words(graph, schedule, core, cost, beside, not small_code)
                made.extend(_Made(c, family.kind, s, least) for c, least, s in variants)
    found: list[Candidate] = []
    # From the fastest on: what cannot be smaller than all that is faster is beaten.
    for one in sorted(made, key=lambda m: m.instructions):
        if one.least_bytes is None:
            progress("scheduling", told, total)
            told += 1
        least_bytes = one.least_bytes or (at_least_bytes(one.schedule) if found else 0)
        if found and least_bytes >= found[-1].arena_bytes:
            continue
        size = arena_bytes(one.schedule)
        if not found or size < found[-1].arena_bytes:
            found.append(Candidate(one.kind, one.schedule, size, round(one.instructions)))
    progress("scheduling", told, total)
    return tuple(reversed(found))


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


def _tiled(
    least: Sequence[Stage], larger: Sequence[Stage], strip_rows: Sequence[int]
) -> tuple[Stage, ...]:
    """``larger`` tiles, but the ``least`` where every tile shares what is made of the input."""
    return tuple(
        small if transforms_once(small.kernel, rows) else large
        for small, large, rows in zip(least, larger, strip_rows, strict=True)
    )


def _tilings(graph: Graph, packed: Mapping[str, int]) -> list[Mapping[str, int]]:
    """Tile channels of the packed nodes, from ``packed`` on, for each size of tiles."""
    weights = {name: graph.constants[graph.node(name).inputs[1]] for name in packed}
    shapes = {name: (len(w), w.size // len(w)) for name, w in weights.items()}
    tilings: list[Mapping[str, int]] = [packed]
    for tile_bytes in TILE_BYTES:
        tiling = {
            name: max(least, default_tile_channels(*shapes[name], tile_bytes))
            for name, least in packed.items()
        }
        if tiling != tilings[-1]:
            tilings.append(tiling)
    return tilings


def _columns_bytes(core: Core, packed: bool) -> Sequence[int]:
    """How much columns may take, where kernels have that choice; fewer for many tilings."""
    return m3.COLUMNS_BYTES[:: 2 if packed else 1] if core.long_multiply else m3.COLUMNS_BYTES[:1]


def _families(
    graph: Graph, core: Core, push: bool, kind: str, packed: Mapping[str, int]
) -> Iterator[_Family]:
    placements = place_feature_maps(graph)
    kernels = _Kernels.of(graph, core, packed)
    none, several = (False,) * len(kernels.rows), tuple(rows > 1 for rows in kernels.rows)
    if kind in ("layerwise", "auto"):
        for at_once in dict.fromkeys((none, several)):
            yield _Family(
                "layerwise", at_once,
                partial(schedule_layerwise, graph, core, push, packed, any(at_once)),
            )  # fmt: skip
    if kind == "layerwise":
        return

    def stream(
        at_once: tuple[bool, ...], strips: Sequence[int], run: bool = True,
        boundaries: tuple[str, ...] = (), most_scratch_bytes: int | None = None,
    ) -> _Family:  # fmt: skip
        stages = kernels.choose(at_once, strips, most_scratch_bytes)
        strip_rows = [min(strip, stage.rows) for strip, stage in zip(strips, stages, strict=True)]
        running = [run and stage.pool for stage in stages]
        make = partial(
            schedule_stream, graph, placements, stages, strip_rows, running, push, boundaries
        )
        return _Family("stream", at_once, make, tuple(strips), most_scratch_bytes)

    stages = kernels.one_by_one
    most_rows = max(stage.rows for stage in stages)
    for strip in STRIPS:
        if strip > 1 and strip >= most_rows:
            break
        strips = [strip] * len(stages)
        for run in (True, False):
            yield stream(none, strips, run)
        if any(several) and strip >= max(kernels.rows):
            yield stream(several, strips)
    for at_once, strips in _from_some_layer_on(kernels):
        yield stream(at_once, strips)
    if packed:
        for strips in _growing_strips(stages):
            yield stream(none, strips)
            enough = [strip >= rows for strip, rows in zip(strips, kernels.rows, strict=True)]
            at_once = tuple(a and b for a, b in zip(several, enough, strict=True))
            if any(at_once):
                yield stream(at_once, strips)
        for at_once, strips in _three_zones(kernels):
            yield stream(at_once, strips)
    elif core.dsp and not core.mve:
        for strips in _growing_strips(stages):
            if min(strips) == 1 and max(strips) in JOINING_STRIPS:
                yield stream(none, strips)
    if core.short_multiply:
        for most_scratch_bytes in SMALL_SCRATCH_BYTES:
            yield stream(none, [1] * len(stages), most_scratch_bytes=most_scratch_bytes)
        # Kernels for long rows need no strips, but profit from them.
        long_rows = [stage.kernel not in STRIP_KERNELS for stage in kernels.at_once]
        uniform = ([strip] * len(stages) for strip in STRIPS[:2])
        for strips in (*uniform, *_whole_small_maps(stages)):
            enough = [
                strip >= min(rows, stage.rows)
                for strip, rows, stage in zip(strips, kernels.rows, stages, strict=True)
            ]
            anyhow = [a or b for a, b in zip(enough, long_rows, strict=True)]
            for allowed in (enough, anyhow):
                yield stream(tuple(a and b for a, b in zip(several, allowed, strict=True)), strips)
    pools = [stage.buffer for stage in stages if stage.pool and stage.buffer is not None]
    for boundary in dict.fromkeys(pools):
        yield stream(none, [1] * len(stages), True, (boundary,))


def _from_some_layer_on(kernels: _Kernels) -> Iterator[tuple[tuple[bool, ...], list[int]]]:
    """Kernels and strips that take several rows at once from some layer on, single rows before.

    Late rows are short, so taking several of them costs least RAM there. Strips begin with
    the layer, or with those that write its input.
    """
    for index, rows in enumerate(kernels.rows):
        if rows == 1:
            continue
        at_once = tuple(i >= index and several > 1 for i, several in enumerate(kernels.rows))
        writers = [w for w in kernels.at_once[index].inputs[0].writers if w != INPUT_STAGE]
        for first in dict.fromkeys((index, *writers)):
            yield at_once, [rows if i >= first else 1 for i in range(len(kernels.rows))]


def _growing_strips(stages: Sequence[Stage]) -> Iterator[list[int]]:
    """Larger strips for layers of small maps.

    Every strip decodes a layer's packed weights once. Late layers have most of the weights,
    and the shortest rows.
    """
    for late_stages in _late_stages(stages):
        height = max(stages[index].rows for index in late_stages)
        for early in STRIPS[:3]:
            for late in STRIPS:
                if early < late < 2 * height:
                    yield [late if i in late_stages else early for i in range(len(stages))]


def _three_zones(kernels: _Kernels) -> Iterator[tuple[tuple[bool, ...], list[int]]]:
    """Short strips, then kernels that take several rows at once, then larger strips of these.

    The middle begins with the first such kernel of a height of maps, the end where maps are
    smaller still, or with the smallest.
    """
    heights = [stage.rows for stage in kernels.at_once]
    begins = {heights[i]: i for i, rows in reversed(list(enumerate(kernels.rows))) if rows > 1}
    for height, index in begins.items():
        at_once = tuple(i >= index and rows > 1 for i, rows in enumerate(kernels.rows))
        writers = [w for w in kernels.at_once[index].inputs[0].writers if w != INPUT_STAGE]
        middle, rows = min(writers, default=index), kernels.rows[index]
        for early in (strip for strip in STRIPS if strip < rows):
            for last in (h for h in begins if h <= height):
                for late in (strip for strip in STRIPS if rows < strip < 2 * last):
                    yield at_once, [
                        early if i < middle else late if heights[i] <= last else rows
                        for i in range(len(heights))
                    ]
            yield at_once, [early if i < middle else rows for i in range(len(heights))]


def _whole_small_maps(stages: Sequence[Stage]) -> Iterator[list[int]]:
    """Strips as high as the map for small maps: then kernels expand each weight once."""
    for early in STRIPS[:4]:
        yield [max(early, stage.rows * (stage.rows <= TALL_MAP_ROWS)) for stage in stages]


def _late_stages(stages: Sequence[Stage]) -> Sequence[frozenset[int]]:
    """Sets of stages that may have strips of their own: not all stages, and none twice."""
    heights = sorted({stage.rows for stage in stages})
    units = list(dict.fromkeys(stage.buffer for stage in stages))
    sets = [
        *([stage.rows <= height for stage in stages] for height in heights[:-1][:LATE_HEIGHTS]),
        *([stage.buffer in units[-n:] for stage in stages] for n in LATE_UNITS if n < len(units)),
    ]
    return list(
        dict.fromkeys(frozenset(i for i, late in enumerate(chosen) if late) for chosen in sets)
    )
