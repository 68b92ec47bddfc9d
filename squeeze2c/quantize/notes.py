"""Remarks for the user where integers cannot say exactly what the float model says."""

from __future__ import annotations

from squeeze2c.ir import Graph, ops

_NOTICEABLE_STEPS = 1e-3


def padding_notes(graph: Graph, integer: Graph) -> tuple[str, ...]:
    """One note per convolution of ``graph`` whose padding is not a whole number of steps.

    Padding stands for real zero of the float model's input. After the input
    normalisation has been folded into the weights that is the mean pixel, and a
    camera pixel is a whole number.
    """
    notes = []
    for node in graph.nodes:
        if not isinstance(node, ops.Conv2D | ops.ConvGlobalPool) or not node.pad_value:
            continue
        quantised = integer.node(node.name)
        quant = integer.values[node.inputs[0]].quant
        if not isinstance(quantised, ops.QConv2D | ops.QConvGlobalPool) or quant is None:
            continue
        if not node.window.padding.any:
            continue
        worst = max(
            abs(real / quant.scale + quant.zero_point - whole)
            for real, whole in zip(node.pad_value, quantised.pad_value, strict=True)
        )
        if worst > _NOTICEABLE_STEPS:
            notes.append(
                f"{node.name}: padding reads the mean pixel rounded to whole numbers, up to "
                f"{worst:.2f} off, so outputs at the border differ slightly from the float model"
            )
    return tuple(notes)
