"""Removes operators that hand their input on."""

from __future__ import annotations

from squeeze2c.ir import Graph, ops
from squeeze2c.passes.base import constants_folded, free_of, graph_pass
from squeeze2c.passes.editor import Editor


@graph_pass(requires=(constants_folded(),), ensures=(free_of(ops.Identity),))
def drop_identities(graph: Graph) -> Graph:
    """Drops Identity, Dropout (the same at inference), and Concat of a single input."""
    edit = Editor(graph)
    for node in graph.nodes:
        lone_concat = isinstance(node, ops.Concat) and len(node.inputs) == 1
        if lone_concat or isinstance(node, ops.Identity):
            current = edit.producer(node.output)
            assert current is not None
            edit.redirect(node.output, current.inputs[0])
            edit.remove_node(current)
    return edit.finish()
