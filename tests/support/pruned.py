"""Small networks most of whose weights are zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from squeeze2c.ir import Graph, ops
from tests.support.programs import camera_builder, quantised


def pruned(graph: Graph, density: float, seed: int = 0) -> Graph:
    """The float ``graph`` with ``density`` of the weights of all layers but the first one left."""
    rng = np.random.default_rng(seed)
    constants = dict(graph.constants)
    layers = [n for n in graph.nodes if isinstance(n, ops.Conv2D | ops.ConvGlobalPool)]
    for node in layers[1:]:
        weight = constants[node.inputs[1]]
        constants[node.inputs[1]] = np.where(rng.random(weight.shape) < density, weight, 0)
    return replace(graph, constants=constants)


def pruned_fires(rows: int = 35, cols: int = 47, density: float = 0.3) -> Graph:
    """:func:`pruned_graph`, quantised."""
    return quantised(pruned_graph(rows, cols, density), images=2)


def pruned_graph(rows: int, cols: int, density: float) -> Graph:
    """Two Fire modules in float, in sizes that do not divide by those of the kernels."""
    build = camera_builder(rows, cols)
    x = build.conv(build.input, 12, kernel=3, stride=2, relu=True, name="conv1")
    for index, (squeezed, expanded) in enumerate(((18, 11), (32, 22)), 1):
        s = build.conv(x, squeezed, relu=True, name=f"fire{index}/squeeze")
        one = build.conv(s, expanded, relu=True, name=f"fire{index}/one")
        three = build.conv(s, expanded, kernel=3, padding=1, relu=True, name=f"fire{index}/three")
        x = build.concat(one, three, name=f"fire{index}/concat")
        x = build.maxpool(x, kernel=3, stride=2, name=f"pool{index}") if index == 1 else x
    x = build.conv(x, 31, relu=True, global_pool=True, name="classifier")
    return pruned(build.finish(x), density)
