"""The immutable graph and the questions that every stage asks of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from squeeze2c.ir.ops import Node
from squeeze2c.ir.types import Value


def frozen_array(array: np.ndarray) -> np.ndarray:
    """A C-contiguous read-only array with the same contents."""
    result = np.ascontiguousarray(array)
    if result is array or result.base is not None:
        result = result.copy()
    result.setflags(write=False)
    return result


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in topological order, one input feature map, one output.

    ``values`` maps the names of all non-constant tensors (inputs included) to
    their :class:`Value`; ``constants`` maps names to read-only arrays.
    ``softmax`` records that the model ended in a Softmax, which the passes
    removed: the graph then yields logits.
    """

    name: str
    nodes: tuple[Node, ...]
    values: Mapping[str, Value]
    constants: Mapping[str, np.ndarray] = field(default_factory=dict)
    input: str = ""
    output: str = ""
    softmax: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))
        constants = {
            k: v if not v.flags.writeable else frozen_array(v) for k, v in self.constants.items()
        }
        object.__setattr__(self, "constants", MappingProxyType(constants))

    @property
    def input_value(self) -> Value:
        return self.values[self.input]

    @property
    def output_value(self) -> Value:
        return self.values[self.output]

    def producer(self, value: str) -> Node | None:
        """The node that writes ``value``; None for the graph input and constants."""
        return next((n for n in self.nodes if n.output == value), None)

    def consumers(self, value: str) -> tuple[Node, ...]:
        """The nodes that read ``value``, in topological order."""
        return tuple(n for n in self.nodes if value in n.inputs)

    def node(self, name: str) -> Node:
        return next(n for n in self.nodes if n.name == name)

    def activations(self, node: Node) -> tuple[str, ...]:
        """Inputs of ``node`` that are not constants."""
        return tuple(i for i in node.inputs if i not in self.constants)

    def with_changes(self, **changes: Any) -> Graph:
        """A copy with some fields replaced. Unused values and constants are dropped."""
        graph = replace(self, **changes)
        live = {graph.input, graph.output}
        for node in graph.nodes:
            live.update(node.inputs)
            live.add(node.output)
        return replace(
            graph,
            values={k: v for k, v in graph.values.items() if k in live},
            constants={k: v for k, v in graph.constants.items() if k in live},
        )


def topological(nodes: Iterable[Node], available: Iterable[str]) -> tuple[Node, ...]:
    """``nodes`` in a stable topological order, given the names already ``available``.

    Raises ValueError where a node reads a name that nothing produces.
    """
    known = set(available)
    pending = list(nodes)
    ordered: list[Node] = []
    while pending:
        ready = next((n for n in pending if all(i in known for i in n.inputs)), None)
        if ready is None:
            missing = sorted({i for n in pending for i in n.inputs} - known)
            raise ValueError(f"nothing produces {missing}")
        pending.remove(ready)
        ordered.append(ready)
        known.add(ready.output)
    return tuple(ordered)
