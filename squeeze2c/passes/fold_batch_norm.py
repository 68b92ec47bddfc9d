"""Folds batch normalisation into the convolution before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.ir import Graph, Layout, ops
from squeeze2c.passes.base import constants_folded, free_of, graph_pass, layout_is
from squeeze2c.passes.editor import Editor

_NAME = "fold_batch_norm"
_ROLES = ("scale", "bias", "mean", "variance")


@graph_pass(
    requires=(layout_is(Layout.NCHW), constants_folded(), free_of(ops.Identity, ops.Reshape)),
    ensures=(free_of(ops.BatchNorm),),
)
def fold_batch_norm(graph: Graph) -> Graph:
    """``y = (conv(x) - mean) * scale / sqrt(variance + epsilon) + bias`` becomes one convolution.

    A BatchNorm after a Concat is divided among its inputs; one after a MaxPool moves before
    it where its factors are not negative (maximum and rising functions commute). Where other
    nodes read the convolution as it was, they keep a convolution of their own.

    Raises :class:`UnsupportedModelError`, naming the node, for any other BatchNorm.
    """
    edit = Editor(graph)
    while node := next((n for n in edit.nodes if isinstance(n, ops.BatchNorm)), None):
        producer = edit.producer(node.inputs[0])
        match producer:
            case ops.Conv2D(relu=False):
                _fold_into_convolution(edit, node, producer)
            case ops.Concat():
                _divide_among_inputs(edit, node, producer)
            case ops.MaxPool2D() if bool((_factor_and_shift(edit, node)[0] >= 0).all()):
                _move_before_pool(edit, node, producer)
            case _:
                raise _not_foldable(node, producer)
    return edit.finish()


def _fold_into_convolution(edit: Editor, node: ops.BatchNorm, conv: ops.Conv2D) -> None:
    factor, shift = _factor_and_shift(edit, node)
    weight = edit.constants[conv.inputs[1]].astype(np.float64)
    bias = edit.constants[conv.inputs[2]] if len(conv.inputs) > 2 else np.zeros(len(weight))
    edit.remove_node(node)
    alone = not edit.is_needed(conv.output)
    name = conv.name if alone else edit.new_node_name(node.name)
    folded = replace(
        conv,
        name=name,
        inputs=(
            conv.inputs[0],
            edit.new_constant(f"{name}/weight", weight * factor.reshape(-1, 1, 1, 1)),
            edit.new_constant(f"{name}/bias", bias * factor + shift),
        ),
        output=node.output,
        provenance=conv.provenance.through(_NAME, node.provenance),
    )
    edit.replace_node(conv, *((folded,) if alone else (conv, folded)))


def _divide_among_inputs(edit: Editor, node: ops.BatchNorm, concat: ops.Concat) -> None:
    parts: list[ops.Node] = []
    first = 0
    for operand in concat.inputs:
        end = first + edit.channels(operand)
        name = edit.new_node_name(f"{node.name}/{operand}")
        constants = (
            edit.new_constant(f"{name}/{role}", edit.constants[constant][first:end])
            for role, constant in zip(_ROLES, node.inputs[1:], strict=True)
        )
        output = edit.new_value(name, like=operand)
        parts.append(replace(node, name=name, inputs=(operand, *constants), output=output))
        first = end
    edit.remove_node(node)
    alone = not edit.is_needed(concat.output)
    divided = replace(
        concat,
        name=concat.name if alone else edit.new_node_name(node.name),
        inputs=tuple(p.output for p in parts),
        output=node.output,
        provenance=concat.provenance.through(_NAME, node.provenance),
    )
    edit.replace_node(concat, *(() if alone else (concat,)), *parts, divided)


def _move_before_pool(edit: Editor, node: ops.BatchNorm, pool: ops.MaxPool2D) -> None:
    moved = replace(
        node,
        inputs=(pool.inputs[0], *node.inputs[1:]),
        output=edit.new_value(f"{node.name}/{pool.inputs[0]}", like=pool.inputs[0]),
    )
    edit.remove_node(node)
    alone = not edit.is_needed(pool.output)
    pooled = replace(
        pool,
        name=pool.name if alone else edit.new_node_name(f"{pool.name}/{node.name}"),
        inputs=(moved.output,),
        output=node.output,
        provenance=pool.provenance.through(_NAME),
    )
    edit.replace_node(pool, *(() if alone else (pool,)), moved, pooled)


def _factor_and_shift(edit: Editor, node: ops.BatchNorm) -> tuple[np.ndarray, np.ndarray]:
    """``y = x * factor + shift`` per channel, float64. Raises where they are not finite."""
    scale, bias, mean, variance = (edit.constants[c].astype(np.float64) for c in node.inputs[1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = scale / np.sqrt(variance + node.epsilon)
        shift = bias - mean * factor
    if not (np.isfinite(factor).all() and np.isfinite(shift).all()):
        raise UnsupportedModelError(
            "the statistics of this BatchNormalization give no finite numbers",
            op="BatchNormalization",
            where=str(node.provenance),
            hint="a variance is negative, or zero without epsilon, or a statistic is NaN",
        )
    return factor, shift


def _not_foldable(node: ops.BatchNorm, producer: ops.Node | None) -> UnsupportedModelError:
    before = f"{producer.kind} {producer.name}" if producer else "the network's input"
    reason = "; its factors are not all positive" if isinstance(producer, ops.MaxPool2D) else ""
    return UnsupportedModelError(
        f"cannot be folded: it follows {before}, not a convolution{reason}",
        op="BatchNormalization",
        where=str(node.provenance),
        hint="put BatchNormalization directly after a convolution",
    )
