"""Random networks and random schedules of them: what streaming must never get wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from squeeze2c.ir import Graph, GraphBuilder, Padding
from squeeze2c.schedule import (
    Schedule,
    Stage,
    collect_stages,
    place_feature_maps,
    schedule_layerwise,
    schedule_stream,
)
from squeeze2c.target import core_named
from tests.support.integer_graphs import with_random_integers
from tests.support.programs import camera_builder

CORE = core_named("cortex-m4")
SMALL = st.sampled_from((1, 1, 2, 3, 3, 4, 5, 7))
STRIDES = st.sampled_from((1, 1, 1, 2, 2, 3, 4))


class _Grower:
    """Adds random layers, and remembers which maps may still go where."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        rows = draw(st.sampled_from((1, 2, 3, 5, 8, 12, 13, 16, 19, 23, 30)))
        self.build: GraphBuilder = camera_builder(rows, draw(st.integers(1, 9)))
        self.maps = [self.build.input]
        self.image = {self.build.input}
        """The image, also pooled: its quantisation differs, so it is never concatenated."""
        self.placed: set[str] = set()
        """Operands of concatenations: each has one place to be."""

    def grow(self) -> None:
        step = self.draw(
            st.sampled_from(
                (self.conv, self.conv, self.pool, self.pool, self.fire, self.bypass,
                 self.concat, self.concat, self.dense, self.crossed)
            )
        )
        step()

    def pick(self) -> str:
        """A map, mostly a recent one."""
        return self.maps[-1 - min(self.draw(st.integers(0, 4)), len(self.maps) - 1)]

    def conv(self) -> None:
        self.maps.append(self.convolved(self.pick()))

    def convolved(self, x: str, same: bool = False, global_pool: bool = False) -> str:
        """``same``: as many rows and columns as ``x`` has."""
        draw, kind = self.draw, self.build.type(x)
        kernel, stride = (draw(SMALL), draw(SMALL)), (draw(STRIDES), draw(STRIDES))
        if same:
            stride = (1, 1)
            margins = [draw(st.integers(0, size - 1)) for size in kernel]
            rest = [size - 1 - margin for size, margin in zip(kernel, margins, strict=True)]
            padding = Padding(margins[0], margins[1], rest[0], rest[1])
        else:
            # Now and then wider than the kernel: whole windows of padding.
            margin = st.integers(0, draw(st.sampled_from((0, 1, 2, 2, 3, 8))))
            padding = Padding(*(draw(margin) for _ in range(4)))
            kernel = (
                min(kernel[0], kind.height + padding.top + padding.bottom),
                min(kernel[1], kind.width + padding.left + padding.right),
            )
        return self.build.conv(
            x, draw(st.integers(1, 4)), kernel=kernel, stride=stride, padding=padding,
            relu=draw(st.booleans()), global_pool=global_pool,
        )

    def pool(self) -> None:
        """Also where the last window hangs over the edge, as in ceil mode."""
        draw, x = self.draw, self.pick()
        kind = self.build.type(x)
        kernel = (draw(SMALL), draw(SMALL))
        margins = [draw(st.integers(0, size - 1)) for size in (*kernel, *kernel)]
        padding = Padding(*margins)
        kernel = (
            max(1 + max(padding.top, padding.bottom), min(kernel[0], kind.height)),
            max(1 + max(padding.left, padding.right), min(kernel[1], kind.width)),
        )
        if kernel[0] > kind.height + padding.top + padding.bottom:
            return
        if kernel[1] > kind.width + padding.left + padding.right:
            return
        y = self.build.maxpool(
            x, kernel=kernel, stride=(draw(STRIDES), draw(STRIDES)), padding=padding
        )
        if x in self.image:
            self.image.add(y)
        self.maps.append(y)

    def fire(self) -> None:
        squeezed = self.convolved(self.pick(), same=True)
        self.join(self.convolved(squeezed, same=True), self.convolved(squeezed, same=True))

    def bypass(self) -> None:
        """A sum of two maps of one shape, of which the shorter way must wait; or of one twice."""
        a = self.pick()
        shape = self.build.type(a).shape
        b = self.draw(st.sampled_from([m for m in self.maps if self.build.type(m).shape == shape]))
        self.maps.append(self.build.add(a, b, relu=self.draw(st.booleans())))

    def concat(self) -> None:
        """Of any maps of one size, concatenations included, so that they nest."""
        free = [m for m in self.maps if m not in self.image | self.placed]
        if not free:
            return
        first = self.draw(st.sampled_from(free))
        others = [m for m in free if m != first and self.size(m) == self.size(first)]
        if others:
            chosen = st.lists(st.sampled_from(others), min_size=1, max_size=2, unique=True)
            self.join(first, *self.draw(chosen))

    def dense(self) -> None:
        """A writer of a concatenation reads another slice of it."""
        first = self.convolved(self.pick())
        self.join(first, self.convolved(first, same=True))

    def crossed(self) -> None:
        """Two concatenations, each of which feeds a writer of the other."""
        x = self.convolved(self.pick())
        a, b = self.convolved(x, same=True), self.convolved(x, same=True)
        c, d = self.convolved(a, same=True), self.convolved(b, same=True)
        self.join(a, d)
        self.join(c, b)

    def join(self, *names: str) -> None:
        self.placed.update(names)
        self.maps += [n for n in names if n not in self.maps]
        self.maps.append(self.build.concat(*names))

    def size(self, name: str) -> tuple[int, int]:
        return self.build.type(name).height, self.build.type(name).width

    def finish(self) -> Graph:
        x = self.maps[-1]
        if x == self.build.input or self.draw(st.booleans()):
            return self.build.finish(self.convolved(x, global_pool=True))
        return self.build.finish(self.build.gap(x))


@st.composite
def graphs(draw: st.DrawFn, max_layers: int = 7, packable: bool = False) -> Graph:
    """An integer network. Some of its maps are read by nobody."""
    grower = _Grower(draw)
    for _ in range(draw(st.sampled_from(range(1, max_layers + 1)))):
        grower.grow()
    return with_random_integers(
        grower.finish(), draw(st.integers(0, 99)), draw(st.sampled_from((0, 0, 3, 255))), packable
    )


@dataclass(frozen=True)
class Choices:
    """What a schedule leaves open; the same choices give the same schedule."""

    strip_rows: tuple[int, ...]
    running: tuple[bool, ...]
    boundaries: tuple[str, ...]
    push: bool


@dataclass(frozen=True)
class Case:
    """A network and a schedule of it."""

    graph: Graph
    choices: Choices | None
    schedule: Schedule


def stages_of(graph: Graph) -> tuple[Stage, ...]:
    return collect_stages(graph, place_feature_maps(graph), CORE)


def streamed(graph: Graph, choices: Choices) -> Schedule:
    """The schedule of ``graph`` by ``choices``."""
    return schedule_stream(
        graph, place_feature_maps(graph), stages_of(graph), choices.strip_rows, choices.running,
        choices.push, choices.boundaries,
    )


@st.composite
def all_choices(draw: st.DrawFn, stages: Sequence[Stage]) -> Choices:
    """Strips of one height for all stages, or of any height for each."""
    rows = [stage.rows for stage in stages]
    common = draw(st.sampled_from((0, 0, 1, 2, 3, 99)))
    strips = [min(common, n) if common else draw(st.integers(1, n)) for n in rows]
    style = draw(st.sampled_from(("all", "none", "some")))
    running = [
        s.pool and (style == "all" or (style == "some" and draw(st.booleans()))) for s in stages
    ]
    buffers = list(dict.fromkeys(i.buffer for s in stages for i in s.inputs))
    boundaries = draw(st.sets(st.sampled_from(buffers), max_size=draw(st.sampled_from((1, 3, 0)))))
    push = draw(st.sampled_from((True, True, False)))
    return Choices(tuple(strips), tuple(running), tuple(sorted(boundaries)), push)


@st.composite
def cases(draw: st.DrawFn, max_layers: int = 7, layerwise: bool = True) -> Case:
    """A network, mostly streamed."""
    graph = draw(graphs(max_layers))
    if layerwise and draw(st.integers(0, 7)) == 0:
        return Case(graph, None, schedule_layerwise(graph, CORE, draw(st.booleans())))
    choices = draw(all_choices(stages_of(graph)))
    return Case(graph, choices, streamed(graph, choices))
