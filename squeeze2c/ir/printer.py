"""Graphs as text: one node per line, the same text for the same graph."""

from __future__ import annotations

from collections.abc import Sequence

from squeeze2c.ir import ops
from squeeze2c.ir.graph import Graph
from squeeze2c.ir.types import Layout, QuantParams, TensorType, Value, Window


def format_graph(graph: Graph, *, provenance: bool = False) -> str:
    """``graph`` in lines of the form ``output: type = Operator(inputs) attributes``.

    The node's name follows in quotes where it is not that of its output, the ONNX tensor
    after ``~`` where it has another name. ``provenance`` adds ONNX nodes and passes.
    """
    softmax = ", then softmax" if graph.softmax else ""
    lines = [
        f"graph {graph.name}: {graph.input} -> {graph.output}{softmax}",
        f"  {_declaration(graph.input_value)}",
    ]
    for node in graph.nodes:
        parts = [f"{_declaration(graph.values[node.output])} =", _call(graph, node)]
        parts += _attributes(node)
        if node.name != node.output:
            parts.append(f'"{node.name}"')
        if provenance:
            parts.append(f"# {node.provenance} [{', '.join(node.provenance.passes)}]")
        lines.append("  " + " ".join(parts))
    return "\n".join(lines) + "\n"


def _declaration(value: Value) -> str:
    text = f"{value.name}: {_type(value.type)}"
    if value.quant is not None:
        text += f" {_quant(value.quant)}"
    return text if value.source == value.name else f"{text} ~{value.source or 'nothing'}"


def _type(kind: TensorType) -> str:
    return f"{kind.dtype.value}[{_sizes(kind.shape)}] {kind.layout.value.lower()}".removesuffix(
        f" {Layout.FLAT.value.lower()}"
    )


def _quant(quant: QuantParams) -> str:
    equalised = ", equalised" if set(quant.channel_scale) - {1.0} else ""
    return f"(scale {quant.scale:.6g}, zero {quant.zero_point}{equalised})"


def _call(graph: Graph, node: ops.Node) -> str:
    operands = [
        f"{i}[{_sizes(graph.constants[i].shape)}]" if i in graph.constants else i
        for i in node.inputs
    ]
    return f"{node.kind}({', '.join(operands)})"


def _attributes(node: ops.Node) -> list[str]:
    """Operator-specific fields that are not at their defaults."""
    parts: list[str] = []
    window = getattr(node, "window", None)
    if window is not None:
        parts += _window(window)
    match node:
        case ops.BatchNorm():
            parts.append(f"epsilon={node.epsilon:g}")
        case ops.Concat() | ops.Softmax():
            parts.append(f"axis={node.axis}")
        case ops.Reshape():
            parts.append(f"shape={_sizes(node.shape)}")
        case ops.Fill():
            parts.append(f"shape={_sizes(node.shape)} value={node.value:g}")
        case ops.QAdd():
            parts.append(f"multipliers={node.multiplier_a},{node.multiplier_b}")
    parts += [f"{key}={getattr(node, key)}" for key in ("shift", "clamp_min") if hasattr(node, key)]
    pad_value = getattr(node, "pad_value", ())
    if any(pad_value):
        parts.append(f"pad_value={','.join(f'{v:g}' for v in pad_value)}")
    if getattr(node, "relu", False):
        parts.append("relu")
    return parts


def _window(window: Window) -> list[str]:
    parts = [f"kernel={_sizes(window.kernel)}"]
    if window.strides != (1, 1):
        parts.append(f"stride={_sizes(window.strides)}")
    padding = window.padding
    if padding.any:
        margins = (padding.top, padding.left, padding.bottom, padding.right)
        parts.append(f"padding={','.join(map(str, margins))}")
    return parts


def _sizes(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))
