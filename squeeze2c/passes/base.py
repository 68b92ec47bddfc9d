"""What a pass is: a pure function from graph to graph that says what it needs and leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Generic, ParamSpec

from squeeze2c.errors import InternalError
from squeeze2c.ir import DType, Graph, Layout, ops, verify_graph

Parameters = ParamSpec("Parameters")


@dataclass(frozen=True, slots=True)
class Condition:
    """A property of graphs. ``broken_by`` says what in a graph breaks it, or None."""

    text: str
    broken_by: Callable[[Graph], str | None]


def layout_is(layout: Layout) -> Condition:
    """The image, and so every feature map, has this layout."""

    def broken_by(graph: Graph) -> str | None:
        actual = graph.input_value.type.layout
        return None if actual is layout else f"the input is {actual.value}"

    return Condition(f"layout {layout.value}", broken_by)


def input_is(dtype: DType) -> Condition:
    """The graph reads elements of this type."""

    def broken_by(graph: Graph) -> str | None:
        actual = graph.input_value.type.dtype
        return None if actual is dtype else f"the input is {actual.value}"

    return Condition(f"input {dtype.value}", broken_by)


def free_of(*kinds: type[ops.Node]) -> Condition:
    """No node is of one of these kinds."""

    def broken_by(graph: Graph) -> str | None:
        node = next((n for n in graph.nodes if isinstance(n, kinds)), None)
        return f"{node.kind} {node.name}" if node else None

    return Condition(f"no {' or '.join(k.__name__ for k in kinds)}", broken_by)


def constants_folded() -> Condition:
    """Every node depends on the image."""

    def broken_by(graph: Graph) -> str | None:
        node = next((n for n in graph.nodes if not graph.activations(n)), None)
        return f"{node.kind} {node.name}" if node else None

    return Condition("constants folded", broken_by)


@dataclass(frozen=True, slots=True)
class Pass(Generic[Parameters]):
    """A named rewriting that is called like the function it wraps.

    The graph is verified before and after, and the conditions are checked: what fails
    there is a bug, so :class:`InternalError` with the name of the pass.
    """

    name: str
    requires: tuple[Condition, ...]
    ensures: tuple[Condition, ...]
    rewrite: Callable[Concatenate[Graph, Parameters], Graph]

    def __call__(
        self, graph: Graph, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Graph:
        self._check(graph, self.requires, "before")
        result = self.rewrite(graph, *args, **kwargs)
        self._check(result, self.ensures, "after")
        return result

    def _check(self, graph: Graph, conditions: tuple[Condition, ...], when: str) -> None:
        try:
            verify_graph(graph)
        except InternalError as error:
            raise InternalError(
                f"{when} pass {self.name}: {error.message}", where=error.where
            ) from error
        for condition in conditions:
            culprit = condition.broken_by(graph)
            if culprit is not None:
                raise InternalError(
                    f"{when} pass {self.name}: expected {condition.text}", where=culprit
                )


def graph_pass(
    *, requires: tuple[Condition, ...] = (), ensures: tuple[Condition, ...] = ()
) -> Callable[[Callable[Concatenate[Graph, Parameters], Graph]], Pass[Parameters]]:
    """Makes a :class:`Pass` of a function, under the function's name."""

    def wrap(rewrite: Callable[Concatenate[Graph, Parameters], Graph]) -> Pass[Parameters]:
        return Pass(rewrite.__name__, requires, ensures, rewrite)

    return wrap
