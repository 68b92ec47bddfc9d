"""Graphs as text: one node per line, the same text for the same graph."""

from __future__ import annotations

from collections.abc import Sequence

from squeeze2c.ir import ops
from squeeze2c.ir.graph import Graph
from squeeze2c.ir.types import DType, QuantParams, Value, Window

_SHORT = {DType.FLOAT32: "f32", DType.UINT8: "u8", DType.INT32: "i32"}


def format_graph(graph: Graph, *, provenance: bool = False) -> str:
    """``graph`` in lines of the form ``output: type = Operator(inputs) attributes``.

    Attributes are left out at their defaults. The node's name follows in quotes where it is
    not that of its output, the ONNX tensor after ``~`` where it is called otherwise.
    ``provenance`` adds a line with ONNX nodes and passes below each node.
    """
    softmax = ", then softmax" if graph.softmax else ""
    layout = graph.input_value.type.layout.value
    lines = [
        f"graph {graph.name} ({layout}): {graph.input} -> {graph.output}{softmax}",
        f"  {_declaration(graph.input_value)}",
    ]
    for node in graph.nodes:
        parts = [f"{_declaration(graph.values[node.output])} =", _call(graph, node)]
        parts += _attributes(node)
        if node.name != node.output:
            parts.append(f'"{node.name}"')
        lines.append("  " + " ".join(parts))
        if provenance:
            lines.append(f"    # {node.provenance} [{', '.join(node.provenance.passes)}]")
    return "\n".join(lines) + "\n"


def _declaration(value: Value) -> str:
    text = f"{value.name}: {_SHORT[value.type.dtype]}[{_sizes(value.type.shape)}]"
    if value.quant is not None:
        text += f" {_quant(value.quant)}"
    return text if value.source == value.name else f"{text} ~{value.source or 'nothing'}"


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
    padding = window.padding
    margins = (padding.top, padding.left, padding.bottom, padding.right)
    parts = []
    if window.kernel != (1, 1):
        parts.append(f"kernel={_sizes(window.kernel)}")
    if window.strides != (1, 1):
        parts.append(f"stride={_sizes(window.strides)}")
    if padding.any:
        uniform = len(set(margins)) == 1
        parts.append(f"padding={','.join(map(str, margins[:1] if uniform else margins))}")
    return parts


def _sizes(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))
