"""Gives every operand of a concatenation a place of its own to be written to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from squeeze2c.ir import Graph, Window, ops
from squeeze2c.passes.base import constants_folded, free_of, graph_pass
from squeeze2c.passes.editor import Editor
from squeeze2c.passes.queries import image_values

_NAME = "copy_concat_operands"
_ONE_PIXEL = Window((1, 1))


@graph_pass(requires=(constants_folded(), free_of(ops.Relu, ops.Identity)))
def copy_concat_operands(graph: Graph) -> Graph:
    """Concatenations are written in place, so an operand belongs to one of them, once.

    A value in a second place is copied by a max-pool of one pixel, whose integers are the
    same. The image (also pooled) keeps the camera's scale, which the other operands cannot
    share, so a convolution with the identity matrix copies it to a scale of its own.
    """
    edit = Editor(graph)
    image = image_values(graph)
    placed: set[str] = set()
    for node in graph.nodes:
        if not isinstance(node, ops.Concat):
            continue
        inputs = []
        for operand in node.inputs:
            if operand in image:
                operand = _copy_image(edit, node, operand)
            elif operand in placed:
                operand = _copy(edit, node, operand)
            placed.add(operand)
            inputs.append(operand)
        if tuple(inputs) != node.inputs:
            edit.replace_node(
                node,
                replace(
                    node, inputs=tuple(inputs), provenance=node.provenance.through(_NAME)
                ),
            )
    return edit.finish()


def _copy(edit: Editor, concat: ops.Concat, value: str) -> str:
    name = edit.new_node_name(f"{concat.name}/copy")
    return _insert(edit, concat, ops.MaxPool2D, name, (value,))


def _copy_image(edit: Editor, concat: ops.Concat, value: str) -> str:
    channels = edit.channels(value)
    name = edit.new_node_name(f"{concat.name}/image")
    eye = np.eye(channels).reshape(channels, channels, 1, 1)
    weight = edit.new_constant(f"{name}/weight", eye)
    bias = edit.new_constant(f"{name}/bias", np.zeros(channels))
    return _insert(edit, concat, ops.Conv2D, name, (value, weight, bias))


def _insert(
    edit: Editor,
    concat: ops.Concat,
    kind: type[ops.Conv2D] | type[ops.MaxPool2D],
    name: str,
    inputs: tuple[str, ...],
) -> str:
    """Put a node that copies its first input before ``concat``; what it writes."""
    value = inputs[0]
    copy = kind(
        name=name,
        inputs=inputs,
        output=edit.new_value(f"{value}/copy", like=value),
        provenance=concat.provenance.through(_NAME),
        window=_ONE_PIXEL,
    )
    edit.insert_before(concat, copy)
    edit.set_source(copy.output, edit.source(value))
    return copy.output
