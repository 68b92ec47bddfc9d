"""Joins the last convolution and the global average pooling that reads it."""

from __future__ import annotations

from squeeze2c.ir import Graph, ops
from squeeze2c.passes.base import constants_folded, free_of, graph_pass
from squeeze2c.passes.editor import Editor

_NAME = "fuse_global_pool"


@graph_pass(requires=(constants_folded(), free_of(ops.Relu, ops.Reshape, ops.Softmax)))
def fuse_global_pool(graph: Graph) -> Graph:
    """Conv2D + GlobalAvgPool2D becomes ConvGlobalPool where that yields the logits.

    So the convolution's outputs are averaged without being rounded to 8 bits first. A
    convolution that other nodes read too keeps its feature map, and the pooling stays.
    """
    edit = Editor(graph)
    for node in graph.nodes:
        conv = graph.producer(node.inputs[0])
        if (
            isinstance(node, ops.GlobalAvgPool2D)
            and node.output == graph.output
            and isinstance(conv, ops.Conv2D)
            and len(graph.consumers(conv.output)) == 1
        ):
            fused = ops.ConvGlobalPool(
                name=conv.name,
                inputs=conv.inputs,
                output=node.output,
                provenance=conv.provenance.through(_NAME, node.provenance),
                window=conv.window,
                relu=conv.relu,
                pad_value=conv.pad_value,
            )
            edit.remove_node(conv)
            edit.replace_node(node, fused)
    return edit.finish()
