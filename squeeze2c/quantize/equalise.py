"""Channel equalisation: activations divided per channel so that quiet channels use more of 8 bits.

Dividing channel c of a feature map by a factor f[c] > 0 commutes with ReLU and
max-pooling and is undone exactly by multiplying the consumers' weights, so it
costs nothing at run time (Nagel et al., Data-Free Quantization through Weight
Equalization and Bias Correction, ICCV 2019; here the factor is a power of the
channel's measured maximum).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from squeeze2c.ir import Graph, ops
from squeeze2c.quantize.calibrate import ChannelRange
from squeeze2c.quantize.layer import exact_steps

QUIETEST = 0.01
"""Channels below this fraction of their tensor's maximum count as having it."""


class _ChannelClasses:
    """Union-find over the channels of all feature maps: which must share one factor."""

    def __init__(self, graph: Graph) -> None:
        self._first: dict[str, int] = {}
        total = 0
        for name, value in graph.values.items():
            self._first[name] = total
            total += value.type.channels
        self._parent = np.arange(total)

    def channels(self, graph: Graph, name: str) -> np.ndarray:
        return self._first[name] + np.arange(graph.values[name].type.channels)

    def join(self, left: np.ndarray, right: np.ndarray) -> None:
        for a, b in zip(left, right, strict=True):
            ra, rb = self.root(int(a)), self.root(int(b))
            self._parent[max(ra, rb)] = min(ra, rb)

    def root(self, item: int) -> int:
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = int(self._parent[item])
        return item

    def roots(self) -> np.ndarray:
        return np.array([self.root(i) for i in range(len(self._parent))], np.int64)


def grid_octaves(exponent: float, levels: int) -> float:
    """Spacing of a grid on which the factors of one tensor take at most ``levels`` values."""
    return -exponent * math.log2(QUIETEST) / (levels - 1)


def channel_factors(
    graph: Graph, ranges: Mapping[str, ChannelRange], exponent: float, levels: int = 0
) -> dict[str, np.ndarray]:
    """The factor of every channel of every feature map: float64 arrays of (channels,).

    Channels tied by max-pooling, concatenation or addition share a factor. The graph
    input, whose scale is the camera's, tensors that are averaged into logits, which need
    one scale, and inputs of layers whose weights 8 bits represent exactly keep 1.
    ``levels``: factors of one layer's outputs take at most so many values, which then
    lie on a geometric grid; 0 leaves them as they are.
    """
    classes = _ChannelClasses(graph)
    frozen: list[np.ndarray] = [classes.channels(graph, graph.input)]
    for node in graph.nodes:
        activations = [classes.channels(graph, i) for i in graph.activations(node)]
        out = classes.channels(graph, node.output)
        match node:
            case ops.MaxPool2D() | ops.Add():
                for channels in activations:
                    classes.join(channels, out)
            case ops.Concat():
                classes.join(np.concatenate(activations), out)
            case ops.GlobalAvgPool2D():
                frozen += [*activations, out]
            case ops.ConvGlobalPool():
                frozen.append(out)
        if isinstance(node, ops.Conv2D | ops.ConvGlobalPool):
            weight = graph.constants[node.inputs[1]]
            if exact_steps(weight.reshape(len(weight), -1)) is not None:
                frozen += activations
    roots = classes.roots()
    magnitude = np.zeros(len(roots))
    for name in graph.values:
        own = ranges[name].magnitude.astype(np.float64)
        loudest = own.max(initial=0.0)
        own = np.maximum(own, loudest * QUIETEST) if loudest > 0 else np.ones_like(own)
        np.maximum.at(magnitude, roots[classes.channels(graph, name)], own)
    factor = magnitude[roots] ** exponent
    if levels:
        grid = grid_octaves(exponent, levels)
        factor = 2.0 ** (np.round(np.log2(factor) / grid) * grid) if grid else factor
    fixed = {int(r) for channels in frozen for r in roots[channels]}
    factor[np.isin(roots, list(fixed))] = 1.0
    return {name: factor[classes.channels(graph, name)] for name in graph.values}
