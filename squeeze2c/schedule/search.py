"""Which schedule: the cheapest that fits, from one family of candidates per network.

The family does not depend on the budget, so more memory never makes a network slower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from squeeze2c.ir import Graph
from squeeze2c.kernels import TILE_BYTES, default_tile_channels, m3, transforms_once
from squeeze2c.progress import Progress, silent
from squeeze2c.schedule.cost import predicted_instructions
from squeeze2c.schedule.families import Kernels, families
from squeeze2c.schedule.model import Schedule
from squeeze2c.schedule.stages import Stage
from squeeze2c.schedule.words import share_words
from squeeze2c.schedule.zeros import skip_zeros, skippable_zeros
from squeeze2c.target import Core

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
    the choice (see ``words.py``), of which code for size (``small_code``) has one kind only, and
    with packed weights none.
    """
    packed = packed or {}
    members = list(families(graph, core, push, kind, packed))
    tilings = [
        Kernels.of(graph, core, tiling, columns_bytes)
        for tiling in _tilings(graph, packed)
        for columns_bytes in _columns_bytes(core, bool(packed))
    ]
    zeros = skippable_zeros(graph, packed)
    told, total = 0, len(members) * (1 + len(tilings) * (2 if zeros else 1))
    shares = beside_bytes is not None and core.dsp and not core.mve
    made: list[_Made] = []
    for family in members:
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
            if shares and beside_bytes is not None and not packed:
                beside = beside_bytes(schedule)
                variants = share_words(graph, schedule, core, cost, beside, not small_code)
                made.extend(_Made(c, family.kind, s, least) for c, least, s in variants)
    def tell() -> None:
        nonlocal told
        progress("scheduling", told, total)
        told += 1

    found = _unbeaten(made, arena_bytes, at_least_bytes, tell)
    if shares and beside_bytes is not None and packed and not small_code:
        # There are too many with packed weights for variants of all.
        made = [one for one, _ in found]
        for one in tuple(made):
            beside = beside_bytes(one.schedule)
            variants = share_words(graph, one.schedule, core, one.instructions, beside)
            made += [
                _Made(predicted_instructions(graph, variant), one.kind, variant, least)
                for _, least, variant in variants
            ]
        found = _unbeaten(made, arena_bytes, at_least_bytes, lambda: None)
    progress("scheduling", total, total)
    return tuple(
        Candidate(one.kind, one.schedule, size, round(one.instructions))
        for one, size in reversed(found)
    )


def _unbeaten(
    made: Sequence[_Made],
    arena_bytes: Callable[[Schedule], int],
    at_least_bytes: Callable[[Schedule], int],
    tell: Callable[[], None],
) -> list[tuple[_Made, int]]:
    """Those of ``made``, with their arenas, that no faster one is as small as; the fastest first.

    ``tell`` is called for each of ``made`` whose least arena is not known.
    """
    found: list[tuple[_Made, int]] = []
    for one in sorted(made, key=lambda m: m.instructions):
        if one.least_bytes is None:
            tell()
        least_bytes = one.least_bytes or (at_least_bytes(one.schedule) if found else 0)
        if found and least_bytes >= found[-1][1]:
            continue
        size = arena_bytes(one.schedule)
        if not found or size < found[-1][1]:
            found.append((one, size))
    return found


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
