"""Gives every convolution a bias."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from squeeze2c.ir import Graph, ops
from squeeze2c.passes.base import constants_folded, graph_pass
from squeeze2c.passes.editor import Editor


@graph_pass(requires=(constants_folded(),))
def add_missing_bias(graph: Graph) -> Graph:
    """Convolutions with two inputs get zeros as their third."""
    edit = Editor(graph)
    for node in graph.nodes:
        if isinstance(node, ops.Conv2D | ops.ConvGlobalPool) and len(node.inputs) == 2:
            zeros = np.zeros(len(graph.constants[node.inputs[1]]))
            bias = edit.new_constant(f"{node.name}/bias", zeros)
            edit.replace_node(node, replace(node, inputs=(*node.inputs, bias)))
    return edit.finish()
