"""The family of schedules of a network: which kernels, and strips of which heights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from squeeze2c.ir import Graph
from squeeze2c.kernels import (
    STRIP_KERNELS,
    KernelSpec,
    kernel_for_strips,
    m3,
    rows_at_once,
    scratch_bytes,
    smaller,
)
from squeeze2c.kernels.select import TALL_MAP_ROWS
from squeeze2c.schedule.layerwise import schedule_layerwise
from squeeze2c.schedule.model import Schedule
from squeeze2c.schedule.placement import place_feature_maps
from squeeze2c.schedule.stages import INPUT_STAGE, Stage, collect_stages
from squeeze2c.schedule.stream import schedule_stream
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


@dataclass(frozen=True, slots=True)
class Family:
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
        """Operands of :meth:`Kernels.choose`."""
        return self.at_once, self.strips, self.most_scratch_bytes


@dataclass(frozen=True, slots=True)
class Kernels:
    """The stages twice: with kernels for single rows, and for several rows where there are any."""

    graph: Graph
    one_by_one: tuple[Stage, ...]
    at_once: tuple[Stage, ...]

    @classmethod
    def of(
        cls, graph: Graph, core: Core, packed: Mapping[str, int],
        columns_bytes: int = m3.COLUMNS_BYTES[0],
    ) -> Kernels:  # fmt: skip
        """For ``core``; ``packed`` and ``columns_bytes`` as for :func:`collect_stages`."""
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
        """The stages of a :class:`Family`, whose fields the operands are called after."""
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


def families(
    graph: Graph, core: Core, push: bool, kind: str, packed: Mapping[str, int]
) -> Iterator[Family]:
    """What may be tried on ``core``; operands as for :func:`squeeze2c.schedule.candidates`."""
    placements = place_feature_maps(graph)
    kernels = Kernels.of(graph, core, packed)
    none, several = (False,) * len(kernels.rows), tuple(rows > 1 for rows in kernels.rows)
    if kind in ("layerwise", "auto"):
        for at_once in dict.fromkeys((none, several)):
            yield Family(
                "layerwise", at_once,
                partial(schedule_layerwise, graph, core, push, packed, any(at_once)),
            )  # fmt: skip
    if kind == "layerwise":
        return

    def stream(
        at_once: tuple[bool, ...], strips: Sequence[int], run: bool = True,
        boundaries: tuple[str, ...] = (), most_scratch_bytes: int | None = None,
    ) -> Family:  # fmt: skip
        stages = kernels.choose(at_once, strips, most_scratch_bytes)
        strip_rows = [min(strip, stage.rows) for strip, stage in zip(strips, stages, strict=True)]
        running = [run and stage.pool for stage in stages]
        make = partial(
            schedule_stream, graph, placements, stages, strip_rows, running, push, boundaries
        )
        return Family("stream", at_once, make, tuple(strips), most_scratch_bytes)

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


def _from_some_layer_on(kernels: Kernels) -> Iterator[tuple[tuple[bool, ...], list[int]]]:
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


def _three_zones(kernels: Kernels) -> Iterator[tuple[tuple[bool, ...], list[int]]]:
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
