"""Invariants of quantised graphs: what the integer kernels rely on without checking it."""

from __future__ import annotations

import math

import numpy as np

from squeeze2c.errors import InternalError
from squeeze2c.ir import ops
from squeeze2c.ir.bounds import (
    GREATEST_UINT8,
    INT32_MAX,
    largest_partial_sum,
    requantised_range,
    sum_fits,
)
from squeeze2c.ir.graph import Graph
from squeeze2c.ir.types import DType, Layout, QuantParams

_MULTIPLIER_LIMIT = 1 << 23
_SHIFTS = range(1, 31)

QConvolution = ops.QConv2D | ops.QConvGlobalPool


def verify_quantised(graph: Graph) -> None:
    """Raise :class:`InternalError` where ``graph``, whose types are right, breaks a promise
    that :mod:`squeeze2c.ir.ops` makes of its quantised operators."""
    _verify_values(graph)
    for node in graph.nodes:
        match node:
            case ops.QConv2D():
                _verify_convolution(graph, node)
                _verify_clamp(graph, node, node.clamp_min, node.relu)
            case ops.QConvGlobalPool():
                _verify_convolution(graph, node)
                _verify_sum(graph, node)
            case ops.QMaxPool2D():
                _expect(
                    _quant(graph, node.inputs[0]) == _quant(graph, node.output),
                    node, "changes the quantisation",
                )
            case ops.QAdd():
                _verify_add(graph, node)
            case ops.QConcat():
                _verify_concat(graph, node)
    _verify_concat_operands(graph)


def _verify_values(graph: Graph) -> None:
    for name, value in graph.values.items():
        if len(value.type.shape) == 4:
            good = value.type.layout is Layout.NHWC and value.type.dtype is DType.UINT8
        else:
            good = value.type.layout is Layout.FLAT and value.type.dtype is DType.INT32
        if not good:
            raise InternalError(f"the value {name!r} is {value.type}", where=graph.name)
        quant = _quant(graph, name)
        if not (0 < quant.scale < float("inf")) or not 0 <= quant.zero_point <= GREATEST_UINT8:
            raise InternalError(f"the value {name!r} has {quant}", where=graph.name)
        factors = quant.channel_scale
        if factors and (len(factors) != value.type.channels or not min(factors) > 0):
            raise InternalError(f"the channel scales of {name!r} are wrong", where=graph.name)
    camera = _quant(graph, graph.input)
    if (camera.scale, camera.zero_point) != (1.0, 0) or set(camera.channel_scale) - {1.0}:
        raise InternalError(f"the camera's pixels have {camera}", where=graph.name)


def _verify_convolution(graph: Graph, node: QConvolution) -> None:
    for name in node.inputs[1:]:
        _expect(name in graph.constants, node, f"{name!r} is not a constant")
    weight, bias, multiplier = (graph.constants[n] for n in node.inputs[1:])
    _expect(weight.dtype == np.int8, node, f"weights are {weight.dtype}")
    _expect(bias.dtype == np.int32, node, f"bias is {bias.dtype}")
    _expect(multiplier.dtype == np.int32, node, f"multipliers are {multiplier.dtype}")
    _expect(
        bool((multiplier >= 1).all() and (multiplier < _MULTIPLIER_LIMIT).all()),
        node, "a multiplier is out of range",
    )
    _expect(node.shift in _SHIFTS, node, f"the shift {node.shift} is out of range")
    channels = graph.values[node.inputs[0]].type.channels
    _expect(len(node.pad_value) == channels, node, f"{len(node.pad_value)} pad values")
    _expect(
        all(0 <= p <= GREATEST_UINT8 for p in node.pad_value), node, "a pad value is not a uint8"
    )
    _expect(
        int(largest_partial_sum(weight, bias).max()) <= INT32_MAX,
        node, "the accumulator can overflow",
    )


def _verify_sum(graph: Graph, node: ops.QConvGlobalPool) -> None:
    weight, bias, multiplier = (graph.constants[n] for n in node.inputs[1:])
    source = graph.values[node.inputs[0]].type
    pixels = math.prod(node.window.counts(source.height, source.width))
    low, high = requantised_range(weight, bias, multiplier, node.shift)
    _expect(sum_fits(low, high, pixels), node, "the sum over all pixels can overflow")


def _verify_add(graph: Graph, node: ops.QAdd) -> None:
    _expect(not set(node.inputs) & set(graph.constants), node, "adds a constant")
    _expect(node.shift in _SHIFTS, node, f"the shift {node.shift} is out of range")
    _expect(node.multiplier_a >= 0 <= node.multiplier_b, node, "a multiplier is negative")
    total = GREATEST_UINT8 * (node.multiplier_a + node.multiplier_b) + (1 << (node.shift - 1))
    _expect(total <= INT32_MAX, node, "the sum can overflow")
    _verify_clamp(graph, node, node.clamp_min, node.relu)


def _verify_clamp(graph: Graph, node: ops.Node, clamp_min: int, relu: bool) -> None:
    expected = _quant(graph, node.output).zero_point if relu else 0
    _expect(clamp_min == expected, node, f"clamps at {clamp_min}, not {expected}")


def _verify_concat(graph: Graph, node: ops.QConcat) -> None:
    out = _quant(graph, node.output)
    factors: list[float] = []
    for name in node.inputs:
        quant = _quant(graph, name)
        same = (quant.scale, quant.zero_point) == (out.scale, out.zero_point)
        _expect(same, node, f"{name!r} is quantised otherwise than the result")
        factors += quant.channel_scale or (1.0,) * graph.values[name].type.channels
    ones = (1.0,) * graph.values[node.output].type.channels
    _expect(tuple(factors) == (out.channel_scale or ones), node, "channel scales differ")


def _verify_concat_operands(graph: Graph) -> None:
    """Each operand is written straight into its one place in the result."""
    placed: set[str] = {graph.input}
    for node in graph.nodes:
        if isinstance(node, ops.QConcat):
            for name in node.inputs:
                _expect(
                    name not in placed, node, f"{name!r} is the image, or has two places to be"
                )
                placed.add(name)


def _quant(graph: Graph, name: str) -> QuantParams:
    quant = graph.values[name].quant
    if quant is None:
        raise InternalError(f"the value {name!r} has no quantisation", where=graph.name)
    return quant


def _expect(condition: bool, node: ops.Node, message: str) -> None:
    if not condition:
        raise InternalError(message, where=f"{node.kind} {node.name}")
