"""Refuses networks that do not end in logits."""

from __future__ import annotations

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.ir import Graph, ops
from squeeze2c.passes.base import constants_folded, free_of, graph_pass

_HINT = (
    "supported networks end in global average pooling, then at most reshapes and a Softmax: "
    "(1, classes)"
)


@graph_pass(requires=(constants_folded(), free_of(ops.Relu, ops.Reshape, ops.Softmax)))
def check_ending(graph: Graph) -> Graph:
    """``graph`` itself. Global pooling yields its output, and happens nowhere else.

    Raises :class:`UnsupportedModelError`, naming the node, where that is not so.
    """
    last = graph.producer(graph.output)
    if last is None:
        raise UnsupportedModelError(
            "the network has no layers", where=graph.name, hint=_HINT
        )
    for node in graph.nodes:
        pools = isinstance(node, ops.ConvGlobalPool | ops.GlobalAvgPool2D)
        if pools and node is not last:
            readers = ", ".join(str(n.provenance) for n in graph.consumers(node.output))
            raise UnsupportedModelError(
                f"global average pooling is followed by {readers}",
                op="GlobalAveragePool",
                where=str(node.provenance),
                hint=_HINT,
            )
        if node is last and not pools:
            shape = graph.output_value.type.shape
            raise UnsupportedModelError(
                f"the network's output is a feature map of shape {shape}, not logits",
                op=node.kind,
                where=str(node.provenance),
                hint=_HINT,
            )
    return graph
