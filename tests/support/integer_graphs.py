"""Integer networks without calibration: every number is drawn, and every byte matters.

Quicker than quantising, and harsher: padding reads pixels of its own in every layer, maps
use the whole range of uint8, and zero points are not 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from squeeze2c.ir import DType, Graph, Layout, QuantParams, Value, ops, verify_graph

_SHIFT = 24


def with_random_integers(
    graph: Graph, seed: int = 0, zero_point: int = 0, packable: bool = False
) -> Graph:
    """A quantised graph of the nodes of ``graph`` (float, NHWC), all numbers from ``seed``.

    ``zero_point`` is that of all feature maps but the image and maps pooled from it.
    ``packable``: weights that take few values, and biases and multipliers as packed weights
    want them.
    """
    return _Drawing(graph, seed, zero_point, packable).run()


class _Drawing:
    def __init__(self, graph: Graph, seed: int, zero_point: int, packable: bool) -> None:
        self._graph = graph
        self._rng = np.random.default_rng(seed)
        self._zero_point = zero_point
        self._packable = packable
        self._constants: dict[str, np.ndarray] = {}
        self._values = {graph.input: self._value(graph.input, QuantParams(1.0))}

    def run(self) -> Graph:
        nodes = tuple(self._node(node) for node in self._graph.nodes)
        graph = Graph(
            self._graph.name, nodes, self._values, self._constants, self._graph.input,
            self._graph.output,
        )
        verify_graph(graph)
        return graph

    def _node(self, node: ops.Node) -> ops.Node:
        quant = QuantParams(1.0, self._zero_point)
        common: dict[str, Any] = {
            "name": node.name, "inputs": node.inputs, "output": node.output,
            "provenance": node.provenance,
        }
        made: ops.Node
        match node:
            case ops.Conv2D() | ops.ConvGlobalPool():
                made = self._convolution(node, common)
            case ops.MaxPool2D():
                quant = self._quant(node.inputs[0])
                made = ops.QMaxPool2D(**common, window=node.window)
            case ops.Add():
                made = ops.QAdd(
                    **common, multiplier_a=3_000_001, multiplier_b=2_222_222, shift=22,
                    clamp_min=self._zero_point if node.relu else 0, relu=node.relu,
                )
            case ops.Concat():
                made = ops.QConcat(**common)
            case ops.GlobalAvgPool2D():
                made = ops.QGlobalPool(**common)
            case _:
                raise NotImplementedError(node.kind)
        self._values[node.output] = self._value(node.output, quant)
        return made

    def _convolution(
        self, node: ops.Conv2D | ops.ConvGlobalPool, common: dict[str, Any]
    ) -> ops.Node:
        x = self._graph.values[node.inputs[0]].type
        outputs = self._graph.values[node.output].type.channels
        shape = (outputs, *node.window.kernel, x.channels)
        arrays = self._few_valued(shape) if self._packable else self._any(shape)
        names = {kind: f"{node.name}.{kind}" for kind in arrays}
        self._constants.update({names[kind]: array for kind, array in arrays.items()})
        fields: dict[str, Any] = {
            **common, "inputs": (node.inputs[0], *names.values()), "window": node.window,
            "shift": _SHIFT, "relu": node.relu,
            "pad_value": tuple(int(v) for v in self._rng.integers(0, 256, x.channels)),
        }
        if isinstance(node, ops.ConvGlobalPool):
            return ops.QConvGlobalPool(**fields)
        return ops.QConv2D(**fields, clamp_min=self._zero_point if node.relu else 0)

    def _any(self, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        outputs = shape[0]
        return {
            "weight": self._rng.integers(-127, 128, shape).astype(np.int8),
            "bias": self._rng.integers(-20000, 20001, outputs).astype(np.int32),
            "multiplier": self._multipliers(shape, 127, outputs),
        }

    def _few_valued(self, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        outputs, rng = shape[0], self._rng
        largest = int(rng.choice((1, 3, 7, 60)))
        weights = np.clip(np.rint(rng.laplace(0, largest / 3, shape)), -largest, largest)
        shared = self._multipliers(shape, largest, int(rng.choice((1, 3, 16))))
        bias = rng.integers(-128, 128, outputs) << int(rng.integers(0, 9))
        return {
            "weight": weights.astype(np.int8),
            "bias": bias.astype(np.int32),
            "multiplier": rng.choice(shared, outputs),
        }

    def _multipliers(self, shape: tuple[int, ...], largest: int, count: int) -> np.ndarray:
        """Such that outputs spread over the whole range of uint8."""
        spread = 255 * largest * np.sqrt(np.prod(shape[1:])) / 3
        ratio = self._rng.uniform(64, 256, count) / spread
        return np.clip(ratio * 2**_SHIFT, 1, 2**23 - 1).astype(np.int32)

    def _quant(self, name: str) -> QuantParams:
        quant = self._values[name].quant
        assert quant is not None
        return quant

    def _value(self, name: str, quant: QuantParams) -> Value:
        kind = self._graph.values[name].type
        if kind.layout is Layout.FLAT:
            return Value(name, replace(kind, dtype=DType.INT32), name, QuantParams(0.01))
        return Value(name, replace(kind, dtype=DType.UINT8), name, quant)
