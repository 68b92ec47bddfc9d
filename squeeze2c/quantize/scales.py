"""Scale and zero point of every feature map."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from squeeze2c.ir import Graph, QuantParams, ops
from squeeze2c.quantize.calibrate import ChannelRange

CAMERA = QuantParams(1.0, 0)
"""Pixels as they are: the quantisation of the image, and of what max-pooling makes of it."""


def activation_params(
    graph: Graph, ranges: Mapping[str, ChannelRange], factors: Mapping[str, np.ndarray]
) -> dict[str, QuantParams]:
    """Quantisation of all uint8 values (the flat output is left to its producer).

    Tensors that one integer representation must serve (inputs and output of a
    concatenation, input and output of a max-pool) share scale and zero point; those that
    share it with the image have the camera's. The range is the calibrated minimum to
    maximum and always includes zero, so zero is exact; after ReLU the zero point is 0.
    """
    group = _scale_groups(graph)
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for name, root in group.items():
        low[root] = min(low.get(root, 0.0), float((ranges[name].low / factors[name]).min()))
        high[root] = max(high.get(root, 0.0), float((ranges[name].high / factors[name]).max()))
    params: dict[str, QuantParams] = {}
    for name, root in group.items():
        if root == group[graph.input]:
            params[name] = CAMERA
            continue
        span = high[root] - low[root]
        scale = span / 255 if span > 0 else 1.0
        zero_point = min(255, round(-low[root] / scale))
        params[name] = QuantParams(scale, zero_point, tuple(float(f) for f in factors[name]))
    return params


def _scale_groups(graph: Graph) -> dict[str, str]:
    """Each feature map's representative: tensors with the same one share their scale."""
    group: dict[str, str] = {graph.input: graph.input}
    for node in graph.nodes:
        if isinstance(node, ops.ConvGlobalPool | ops.GlobalAvgPool2D):
            continue
        group[node.output] = node.output
        if isinstance(node, ops.MaxPool2D | ops.Concat):
            for name in node.inputs:
                old, new = group[name], group[node.output]
                group.update({k: new for k, v in group.items() if v == old})
    return group
