"""Removes the final Softmax: generated code yields logits, and has a fixed-point Softmax apart."""

from __future__ import annotations

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.ir import Graph, ops
from squeeze2c.passes.base import constants_folded, free_of, graph_pass
from squeeze2c.passes.editor import Editor


@graph_pass(
    requires=(constants_folded(), free_of(ops.Identity)), ensures=(free_of(ops.Softmax),)
)
def remove_softmax(graph: Graph) -> Graph:
    """Drops a Softmax over the classes with at most reshapes after it; sets ``Graph.softmax``.

    What was reshaped probabilities is now reshaped logits, and names their ONNX tensor.
    Raises :class:`UnsupportedModelError` for any other Softmax.
    """
    edit = Editor(graph)
    for node in graph.nodes:
        if isinstance(node, ops.Softmax):
            reshaped = _reshaped_after(graph, node)
            _expect_classes(graph, node)
            for value in reshaped:
                edit.set_source(value, graph.values[node.inputs[0]].source)
            edit.redirect(node.output, node.inputs[0])
            edit.remove_node(node)
            edit.softmax = True
    return edit.finish()


def _reshaped_after(graph: Graph, node: ops.Softmax) -> tuple[str, ...]:
    """The values from the Softmax ``node`` to the output, which only reshapes may yield."""
    values: list[str] = []
    value = node.output
    while value != graph.output:
        readers = graph.consumers(value)
        if len(readers) != 1 or not isinstance(readers[0], ops.Reshape):
            raise UnsupportedModelError(
                "a Softmax is supported only at the end of the network",
                op="Softmax",
                where=str(node.provenance),
                hint=f"{', '.join(str(r.provenance) for r in readers)} reads its result",
            )
        value = readers[0].output
        values.append(value)
    return tuple(values)


def _expect_classes(graph: Graph, node: ops.Softmax) -> None:
    kind = graph.values[node.inputs[0]].type
    if kind.shape[node.axis] != kind.elements:
        raise UnsupportedModelError(
            f"the final Softmax works along axis {node.axis} of a tensor of shape {kind.shape}, "
            "not over all its elements",
            op="Softmax",
            attribute="axis",
            where=str(node.provenance),
            hint="the classes must be one vector: pool globally before the Softmax",
        )
