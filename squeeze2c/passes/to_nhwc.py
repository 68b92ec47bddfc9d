"""Puts the channels of a pixel next to one another."""

from __future__ import annotations

from dataclasses import replace

from squeeze2c.ir import Graph, Layout, ops
from squeeze2c.ir.infer import channel_axis, feature_map_type
from squeeze2c.passes.base import constants_folded, free_of, graph_pass, layout_is
from squeeze2c.passes.editor import Editor


@graph_pass(
    requires=(
        layout_is(Layout.NCHW),
        constants_folded(),
        free_of(ops.Softmax, ops.Reshape, ops.BatchNorm),
    ),
    ensures=(layout_is(Layout.NHWC),),
)
def to_nhwc(graph: Graph) -> Graph:
    """Feature maps become (1, rows, cols, channels), weights OHWI, pooled vectors (1, channels)."""
    edit = Editor(graph)
    image = graph.input_value
    edit.input_value = replace(
        image,
        type=feature_map_type(
            image.type.dtype, image.type.channels, image.type.height, image.type.width, Layout.NHWC
        ),
    )
    for node in graph.nodes:
        match node:
            case ops.Conv2D() | ops.ConvGlobalPool():
                # From the graph, not the editor: convolutions may share their weights.
                weight = graph.constants[node.inputs[1]]
                edit.constants[node.inputs[1]] = weight.transpose(0, 2, 3, 1)
            case ops.Concat():
                edit.replace_node(node, replace(node, axis=channel_axis(Layout.NHWC)))
    return edit.finish()
