"""Computes at compile time what does not depend on the image."""

from __future__ import annotations

import numpy as np

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.ir import Graph, ops
from squeeze2c.passes.base import constants_folded, graph_pass
from squeeze2c.passes.editor import Editor


@graph_pass(ensures=(constants_folded(),))
def fold_constants(graph: Graph) -> Graph:
    """Nodes whose inputs are all constant become constants; unused nodes are dropped.

    Afterwards weights, biases and statistics are constants, and feature maps are not.
    Raises :class:`UnsupportedModelError`, naming the node, where that cannot be.
    """
    edit = Editor(graph)
    for node in graph.nodes:
        if all(i in edit.constants for i in node.inputs):
            edit.constants[node.output] = _evaluate(node, [edit.constants[i] for i in node.inputs])
            edit.remove_node(node)
            if node.output == graph.output:
                raise UnsupportedModelError(
                    "the network's output does not depend on its input",
                    op=node.kind,
                    where=str(node.provenance),
                    hint="check that the right model was exported",
                )
    for node in edit.live_nodes():
        _expect_roles(edit, node)
    return edit.finish()


def _evaluate(node: ops.Node, operands: list[np.ndarray]) -> np.ndarray:
    result: np.ndarray
    match node:
        case ops.Fill():
            result = np.full(node.shape, node.value, np.float32)
        case ops.Identity():
            result = operands[0]
        case ops.Reshape():
            result = operands[0].reshape(node.shape)
        case ops.Relu():
            result = np.maximum(operands[0], 0)
        case ops.Add():
            result = operands[0] + operands[1]
        case _:
            raise UnsupportedModelError(
                f"{node.kind} computes a constant",
                op=node.kind,
                where=str(node.provenance),
                hint="fold constants before exporting, for example with onnxsim",
            )
    return result


def _expect_roles(edit: Editor, node: ops.Node) -> None:
    """Feature maps are values, other operands constants."""
    maps = len(node.inputs) if isinstance(node, ops.Add | ops.Concat) else 1
    for index, name in enumerate(node.inputs):
        if (name in edit.constants) == (index >= maps):
            continue
        problem = (
            f"input {index} ({name}) is computed at run time, but must be constant"
            if index >= maps
            else f"input {index} ({name}) is constant, but must be a feature map"
        )
        raise UnsupportedModelError(
            f"{node.kind}: {problem}",
            op=node.kind,
            where=str(node.provenance),
            hint="weights must be constant and feature maps must come from the image",
        )
