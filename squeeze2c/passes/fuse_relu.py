"""Lets the operators that can do so apply ReLU to their own result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.ir import Graph, ops
from squeeze2c.passes.base import constants_folded, free_of, graph_pass
from squeeze2c.passes.editor import Editor

_NAME = "fuse_relu"


@graph_pass(
    requires=(constants_folded(), free_of(ops.Identity, ops.Reshape, ops.BatchNorm)),
    ensures=(free_of(ops.Relu),),
)
def fuse_relu(graph: Graph) -> Graph:
    """Each Relu joins the Conv2D or Add before it, which then writes the Relu's output.

    A Relu after a Concat or MaxPool moves before it (they commute); one after values that
    cannot be negative vanishes. Where other nodes read the value without ReLU, the
    producer stays for them and a copy of it applies the ReLU.

    Raises :class:`UnsupportedModelError`, naming the node, where nothing can apply it.
    """
    edit = Editor(graph)
    # The last first, so that a Relu moved past others finds a Relu like it still there.
    while node := next((n for n in reversed(edit.nodes) if isinstance(n, ops.Relu)), None):
        twin = _existing_relu(edit, node.inputs[0], node)
        if twin is not None:
            edit.redirect(node.output, twin.output)
            edit.remove_node(node)
        elif _is_non_negative(edit, node.inputs[0]):
            edit.redirect(node.output, node.inputs[0])
            edit.remove_node(node)
        else:
            _join(edit, node)
    return edit.finish()


def _is_non_negative(edit: Editor, value: str) -> bool:
    node = edit.producer(value)
    match node:
        case ops.Relu() | ops.Softmax():
            return True
        case ops.Conv2D() | ops.ConvGlobalPool():
            return node.relu
        case ops.Add():
            return node.relu or all(_is_non_negative(edit, i) for i in node.inputs)
        case ops.MaxPool2D() | ops.Concat() | ops.GlobalAvgPool2D():
            return all(_is_non_negative(edit, i) for i in node.inputs)
    return False


def _join(edit: Editor, relu: ops.Relu) -> None:
    producer = edit.producer(relu.inputs[0])
    if not isinstance(producer, ops.Conv2D | ops.Add | ops.Concat | ops.MaxPool2D):
        after = f"{producer.kind} {producer.name}" if producer else "the network's input"
        raise UnsupportedModelError(
            f"a Relu after {after} is not supported",
            op="Relu",
            where=str(relu.provenance),
            hint="Relu may follow Conv, BatchNormalization, Add, Concat or MaxPool",
        )
    edit.remove_node(relu)
    alone = not edit.is_needed(producer.output)
    common: dict[str, Any] = {
        "name": producer.name if alone else edit.new_node_name(relu.name),
        "output": relu.output,
        "provenance": producer.provenance.through(_NAME, relu.provenance),
    }
    new: tuple[ops.Node, ...]
    if isinstance(producer, ops.Conv2D | ops.Add):
        new = (replace(producer, relu=True, **common),)
    else:
        operands = {i: _relu_of(edit, i, relu) for i in producer.inputs}
        inputs = tuple(operands[i].output for i in producer.inputs)
        made = [r for r in operands.values() if r not in edit.nodes]
        new = (*made, replace(producer, inputs=inputs, **common))
    edit.replace_node(producer, *(() if alone else (producer,)), *new)


def _relu_of(edit: Editor, value: str, relu: ops.Relu) -> ops.Node:
    """The node that applies ReLU to ``value``: a present one, or a new one, made of ``relu``."""
    return _existing_relu(edit, value, relu) or replace(
        relu,
        name=edit.new_node_name(f"{value}/relu"),
        inputs=(value,),
        output=edit.new_value(f"{value}/relu", like=value),
    )


def _existing_relu(edit: Editor, value: str, other_than: ops.Relu) -> ops.Node | None:
    """A Relu that reads ``value``, or a copy of the producer of ``value`` that applies it."""
    producer = edit.producer(value)
    for node in edit.nodes:
        match node:
            case ops.Relu() if node is not other_than and node.inputs == (value,):
                return node
            case ops.Conv2D(relu=True) | ops.Add(relu=True) if producer is not None:
                plain = replace(
                    node,
                    relu=False,
                    name=producer.name,
                    output=producer.output,
                    provenance=producer.provenance,
                )
                if plain == producer:
                    return node
    return None
