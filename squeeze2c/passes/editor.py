"""A graph taken apart, changed, and put together again: the tool that passes share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from squeeze2c.errors import InternalError, ShapeError
from squeeze2c.ir import Graph, Value, infer_type, ops, topological, unique_name


class Editor:
    """A mutable copy of a graph, private to one run of one pass.

    ``nodes`` may be out of order and hold dead nodes while it is edited: :meth:`finish`
    sorts them, drops what the output does not need, and infers all types anew. So passes
    say what is computed and never what shape it has.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.nodes: list[ops.Node] = list(graph.nodes)
        self.constants: dict[str, np.ndarray] = dict(graph.constants)
        self.output = graph.output
        self.softmax = graph.softmax
        self.input_value = graph.input_value
        self._sources = {name: value.source for name, value in graph.values.items()}
        self._channels = {name: value.type.channels for name, value in graph.values.items()}

    def producer(self, value: str) -> ops.Node | None:
        """The node that writes ``value``; None for the input and constants."""
        return next((n for n in self.nodes if n.output == value), None)

    def readers(self, value: str) -> list[ops.Node]:
        return [n for n in self.nodes if value in n.inputs]

    def is_needed(self, value: str) -> bool:
        """Whether a node reads ``value``, or it is the output."""
        return value == self.output or any(value in n.inputs for n in self.nodes)

    def source(self, value: str) -> str:
        """The ONNX tensor that ``value`` equals ("" if none)."""
        return self._sources[value]

    def set_source(self, value: str, source: str) -> None:
        self._sources[value] = source

    def channels(self, value: str) -> int:
        return self._channels[value]

    def new_value(self, stem: str, *, like: str) -> str:
        """A name, similar to ``stem``, for a value that a new node will write.

        It has as many channels as the value ``like``, and equals no ONNX tensor.
        """
        name = unique_name(stem, {*self._sources, *self.constants})
        self._sources[name] = ""
        self._channels[name] = self._channels[like]
        return name

    def new_constant(self, stem: str, array: np.ndarray) -> str:
        """A new constant, float32, with a name similar to ``stem``."""
        name = unique_name(stem, {*self._sources, *self.constants})
        self.constants[name] = array.astype(np.float32)
        return name

    def new_node_name(self, stem: str) -> str:
        return unique_name(stem, {n.name for n in self.nodes})

    def replace_node(self, old: ops.Node, *new: ops.Node) -> None:
        """Puts ``new`` in the place of ``old``."""
        index = self._index(old)
        self.nodes[index : index + 1] = new

    def insert_before(self, node: ops.Node, *new: ops.Node) -> None:
        index = self._index(node)
        self.nodes[index:index] = new

    def remove_node(self, node: ops.Node) -> None:
        del self.nodes[self._index(node)]

    def _index(self, node: ops.Node) -> int:
        return next(i for i, n in enumerate(self.nodes) if n is node)

    def redirect(self, old: str, new: str) -> None:
        """Everything that reads the value ``old`` reads ``new`` instead, the output too."""
        for index, node in enumerate(self.nodes):
            if old in node.inputs:
                inputs = tuple(new if i == old else i for i in node.inputs)
                self.nodes[index] = replace(node, inputs=inputs)
        if self.output == old:
            self.output = new

    def live_nodes(self) -> tuple[ops.Node, ...]:
        """The nodes that lead to the output, in topological order."""
        available = (self.input_value.name, *self.constants)
        needed = {self.output}
        for node in reversed(topological(self.nodes, available)):
            if node.output in needed:
                needed.update(node.inputs)
        return topological([n for n in self.nodes if n.output in needed], available)

    def finish(self) -> Graph:
        """The edited graph. Nodes that do not lead to the output are dropped."""
        nodes = self.live_nodes()
        return self._graph.with_changes(
            nodes=nodes,
            values=self._inferred_values(nodes),
            constants=self.constants,
            output=self.output,
            softmax=self.softmax,
        )

    def _inferred_values(self, nodes: tuple[ops.Node, ...]) -> dict[str, Value]:
        name = self.input_value.name
        values = {name: replace(self.input_value, source=self._sources[name])}
        for node in nodes:
            operands = [
                self.constants[i] if i in self.constants else values[i].type for i in node.inputs
            ]
            try:
                inferred = infer_type(node, operands)
            except ShapeError as error:
                raise InternalError(error.message, where=error.where) from error
            values[node.output] = Value(node.output, inferred, self._sources[node.output])
        return values
