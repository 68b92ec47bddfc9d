"""Questions about graphs that more than one pass asks."""

from __future__ import annotations

from squeeze2c.ir import Graph, ops


def image_values(graph: Graph) -> frozenset[str]:
    """The image, and what max-pooling alone makes of it: values in units of pixels."""
    names = {graph.input}
    for node in graph.nodes:
        if isinstance(node, ops.MaxPool2D) and node.inputs[0] in names:
            names.add(node.output)
    return frozenset(names)
