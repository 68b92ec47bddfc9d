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
    while any(_move(edit, n) for n in tuple(edit.nodes) if isinstance(n, ops.Relu)):
        pass
    for node in tuple(edit.nodes):
        if isinstance(node, ops.Relu):
            _fuse(edit, node)
    return edit.finish()


def _move(edit: Editor, relu: ops.Relu) -> bool:
    """Whether ``relu`` could be dropped or moved towards the input; then it has been."""
    value = relu.inputs[0]
    twin = _existing_relu(edit, value, relu)
    if twin is not None or _is_non_negative(edit, value):
        edit.redirect(relu.output, twin.output if twin else value)
        edit.remove_node(relu)
        return True
    producer = edit.producer(value)
    if not isinstance(producer, ops.Concat | ops.MaxPool2D):
        return False
    edit.remove_node(relu)
    operands: dict[str, ops.Relu] = {}
    made: list[ops.Relu] = []
    for operand in producer.inputs:
        if operand not in operands:
            existing = _existing_relu(edit, operand, relu)
            operands[operand] = existing or _new_relu(edit, operand, relu)
            made += [] if existing else [operands[operand]]
    alone = not edit.is_needed(value)
    moved = replace(
        producer,
        inputs=tuple(operands[i].output for i in producer.inputs),
        **_successor(edit, producer, relu, alone),
    )
    edit.replace_node(producer, *(() if alone else (producer,)), *made, moved)
    return True


def _fuse(edit: Editor, relu: ops.Relu) -> None:
    producer = edit.producer(relu.inputs[0])
    if not isinstance(producer, ops.Conv2D | ops.Add):
        after = f"{producer.kind} {producer.name}" if producer else "the network's input"
        raise UnsupportedModelError(
            f"a Relu after {after} is not supported",
            op="Relu",
            where=str(relu.provenance),
            hint="Relu may follow Conv, BatchNormalization, Add, Concat or MaxPool",
        )
    edit.remove_node(relu)
    alone = not edit.is_needed(producer.output)
    fused = replace(producer, relu=True, **_successor(edit, producer, relu, alone))
    edit.replace_node(producer, *(() if alone else (producer,)), fused)


def _successor(edit: Editor, producer: ops.Node, relu: ops.Relu, alone: bool) -> dict[str, Any]:
    """What the node that takes over from ``producer`` and ``relu`` is called and writes."""
    return {
        "name": producer.name if alone else edit.new_node_name(relu.name),
        "output": relu.output,
        "provenance": producer.provenance.through(_NAME, relu.provenance),
    }


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


def _existing_relu(edit: Editor, value: str, other_than: ops.Relu) -> ops.Relu | None:
    """A Relu that reads ``value``."""
    for node in edit.readers(value):
        if isinstance(node, ops.Relu) and node is not other_than:
            return node
    return None


def _new_relu(edit: Editor, value: str, relu: ops.Relu) -> ops.Relu:
    """A Relu of ``value`` that stems from ``relu``."""
    name = edit.new_node_name(f"{value}/relu")
    return replace(
        relu, name=name, inputs=(value,), output=edit.new_value(name, like=value)
    )
