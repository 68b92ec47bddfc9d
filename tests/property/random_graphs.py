"""Random networks of the supported kind, as the frontend would deliver them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from squeeze2c.frontend.preprocess import Preprocess
from squeeze2c.ir import Graph, GraphBuilder

PREPROCESSES = (
    Preprocess(),
    Preprocess(mean=(10, 20, 30), std=(40, 50, 60)),
    Preprocess(channels="bgr", mean=(103.939, 116.779, 123.68), std=(58.4, 57.1, 57.4)),
    Preprocess(channels="bgr", std=(255, 255, 255)),
)
"""Real models are trained on inputs of magnitude 1: without that, ranges explode."""


@dataclass(frozen=True)
class Case:
    graph: Graph
    preprocess: Preprocess


class _Grower:
    """Adds random layers to a builder and remembers what may follow what."""

    def __init__(self, draw: st.DrawFn, preprocess: Preprocess) -> None:
        self.draw = draw
        rows, cols = draw(st.integers(5, 12)), draw(st.integers(5, 12))
        self.build = GraphBuilder(rows, cols, 3, seed=draw(st.integers(0, 1000)))
        self.maps = [self.build.input]
        self.image = {self.build.input}
        """The image, also pooled: only convolutions can absorb its normalisation."""
        self.holds_image = {self.build.input}
        """Concatenations with the image in them: no ReLU can move into it."""
        self.linear: set[str] = set()
        """What a BatchNorm can be folded into: convolutions without ReLU, also joined or pooled."""
        self.raw = preprocess == Preprocess()

    def pick(self, names: list[str]) -> str:
        """One of ``names``, mostly a recent one."""
        return names[-1 - min(self.draw(st.integers(0, 4)), len(names) - 1)]

    def grow(self) -> None:
        step = self.draw(
            st.sampled_from(
                (self.conv, self.conv, self.conv, self.fire, self.pool, self.concat, self.bypass,
                 self.relu, self.identity, self.same_reshape)
            )
        )
        step()

    def conv(self) -> None:
        build, draw = self.build, self.draw
        x = self.pick(self.maps)
        kernel = draw(st.sampled_from((1, 1, 3, (2, 3))))
        padding = draw(st.sampled_from((0, 1, (1, 0, 0, 1)))) if kernel != 1 else 0
        if kernel != 1 and min(build.type(x).height, build.type(x).width) < 3:
            padding = 1
        y = build.conv(
            x, draw(st.integers(1, 5)), kernel=kernel, padding=padding,
            stride=draw(st.sampled_from((1, 1, 2))), bias=draw(st.booleans()),
        )
        self.linear.add(y)
        if draw(st.booleans()):
            normalised = build.batch_norm(y)
            self.linear.add(normalised)
            if draw(st.integers(0, 3)) == 0:
                self.maps.append(y)
            y = normalised
        if draw(st.booleans()):
            rectified = build.relu(y)
            if draw(st.integers(0, 3)) == 0:
                self.maps.append(y)
            y = rectified
        self.maps.append(y)

    def fire(self) -> None:
        x = self.pick(self.maps)
        self.maps.append(
            self.build.fire(x, self.draw(st.integers(1, 3)), self.draw(st.integers(1, 4)))
        )

    def pool(self) -> None:
        x = self.pick(self.maps)
        size = min(self.build.type(x).height, self.build.type(x).width)
        kernel = self.draw(st.integers(1, min(3, size)))
        padding = self.draw(st.integers(0, kernel - 1))
        y = self.build.maxpool(
            x, kernel=kernel, stride=self.draw(st.integers(1, 2)), padding=padding
        )
        for tainted in (self.image, self.holds_image):
            if x in tainted:
                tainted.add(y)
        self.maps.append(self._maybe_normalised(y) if x in self.linear else y)

    def concat(self) -> None:
        first = self.pick(self.maps)
        size = self._size(first)
        others = [m for m in self.maps if self._size(m) == size]
        chosen = [first, *self.draw(st.lists(st.sampled_from(others), min_size=1, max_size=2))]
        y = self.build.concat(*chosen)
        if self.linear.issuperset(chosen):
            y = self._maybe_normalised(y)
        if self.holds_image & set(chosen):
            self.holds_image.add(y)
        elif self.draw(st.booleans()):
            y = self.build.relu(y)
        self.maps.append(y)

    def _maybe_normalised(self, name: str) -> str:
        if self.draw(st.booleans()):
            name = self.build.batch_norm(name)
        self.linear.add(name)
        return name

    def bypass(self) -> None:
        allowed = [m for m in self.maps if self.raw or m not in self.image]
        if not allowed:
            return
        a = self.pick(allowed)
        b = self.draw(
            st.sampled_from(
                [m for m in allowed if self.build.type(m).shape == self.build.type(a).shape]
            )
        )
        y = self.build.add(a, b)
        self.maps.append(self.build.relu(y) if self.draw(st.booleans()) else y)

    def relu(self) -> None:
        allowed = [m for m in self.maps if m not in self.holds_image]
        if allowed:
            self.maps.append(self.build.relu(self.pick(allowed)))

    def identity(self) -> None:
        self._alias(self.build.identity)

    def same_reshape(self) -> None:
        self._alias(lambda x: self.build.reshape(x, self.build.type(x).shape))

    def _alias(self, make: Callable[[str], str]) -> None:
        x = self.pick(self.maps)
        y = make(x)
        for tainted in (self.image, self.holds_image):
            if x in tainted:
                tainted.add(y)
        self.maps.append(y)

    def finish(self) -> Graph:
        build, draw = self.build, self.draw
        x = self.maps[-1]
        if draw(st.booleans()) or (x in self.image and not self.raw):
            x = build.conv(x, draw(st.integers(1, 7)))
            x = build.relu(x) if draw(st.booleans()) else x
        x = build.gap(x)
        if draw(st.booleans()):
            x = build.flatten(x)
        if draw(st.booleans()):
            x = build.softmax(x)
        return build.finish(x)

    def _size(self, name: str) -> tuple[int, int]:
        return self.build.type(name).height, self.build.type(name).width


@st.composite
def networks(draw: st.DrawFn, max_layers: int = 8) -> Case:
    """A network and how its input is made from images."""
    preprocess = draw(st.sampled_from(PREPROCESSES))
    grower = _Grower(draw, preprocess)
    for _ in range(draw(st.integers(1, max_layers))):
        grower.grow()
    return Case(grower.finish(), preprocess)
