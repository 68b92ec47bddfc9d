"""Removes reshapes that move nothing."""

from __future__ import annotations

import math

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.ir import Graph, ops
from squeeze2c.passes.base import constants_folded, free_of, graph_pass
from squeeze2c.passes.editor import Editor

_SUPPORTED = "only vectors, (1, channels, 1, 1) to (1, channels) and back, can be reshaped"


@graph_pass(
    requires=(constants_folded(), free_of(ops.Identity, ops.Softmax)),
    ensures=(free_of(ops.Reshape),),
)
def drop_reshapes(graph: Graph) -> Graph:
    """Drops Flatten, Reshape and Squeeze of feature maps of one pixel, and of anything to itself.

    The vector that a map of one pixel was flattened to names the kept value's ONNX tensor,
    so that logits are compared with a tensor of their own shape. Raises
    :class:`UnsupportedModelError` for reshapes that rearrange pixels.
    """
    edit = Editor(graph)
    for node in graph.nodes:
        if not isinstance(node, ops.Reshape):
            continue
        current = edit.producer(node.output)
        assert current is not None
        source = graph.values[node.inputs[0]].type.shape
        result = graph.values[node.output].type.shape
        if result != source and not (_is_vector(source) and _is_vector(result)):
            raise UnsupportedModelError(
                f"a feature map of shape {source} is reshaped to {result}: {_SUPPORTED}",
                op="Reshape",
                where=str(node.provenance),
                hint="end the network in global average pooling instead of a dense layer",
            )
        kept = current.inputs[0]
        if len(result) == 2:
            edit.set_source(kept, graph.values[node.output].source)
        edit.redirect(node.output, kept)
        edit.remove_node(current)
    return edit.finish()


def _is_vector(shape: tuple[int, ...]) -> bool:
    """Whether a tensor is one vector: for feature maps, one pixel."""
    if len(shape) == 4:
        return shape == (1, shape[1], 1, 1)
    return math.prod(shape) == max(shape, default=1)
