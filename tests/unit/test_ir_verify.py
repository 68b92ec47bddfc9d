"""Each invariant of a graph, broken alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from squeeze2c.errors import InternalError
from squeeze2c.ir import (
    DType,
    Graph,
    GraphBuilder,
    Layout,
    QuantParams,
    TensorType,
    Value,
    ops,
    verify_graph,
)
from squeeze2c.quantize import quantize


def float_graph() -> Graph:
    build = GraphBuilder(6, 6, 3)
    x = build.maxpool(build.conv(build.input, 4, kernel=3, name="conv"), name="pool")
    return build.finish(build.gap(build.batch_norm(x, name="bn"), name="gap"))


def with_node(graph: Graph, name: str, /, **changes: Any) -> Graph:
    nodes = tuple(replace(n, **changes) if n.name == name else n for n in graph.nodes)
    return replace(graph, nodes=nodes)


def with_value(graph: Graph, name: str, /, **changes: Any) -> Graph:
    return replace(graph, values={**graph.values, name: replace(graph.values[name], **changes)})


def with_constant(graph: Graph, name: str, array: np.ndarray) -> Graph:
    return replace(graph, constants={**graph.constants, name: array})


def without(items: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {k: v for k, v in items.items() if k != name}


def feature_map(*shape: int, **changes: Any) -> TensorType:
    return replace(TensorType(DType.FLOAT32, shape, Layout.NCHW), **changes)


def writable(graph: Graph) -> Graph:
    """Around the constructor, which freezes constants."""
    graph = replace(graph)
    object.__setattr__(graph, "constants", {**graph.constants, "bn.mean": np.zeros(4, np.float32)})
    return graph


BROKEN_FLOAT: dict[str, tuple[Callable[[Graph], Graph], str]] = {
    "order": (lambda g: replace(g, nodes=g.nodes[::-1]), "reads 'bn', which is computed later"),
    "missing constant": (
        lambda g: replace(g, constants=without(g.constants, "conv.bias")),
        "Conv2D conv: reads 'conv.bias', which does not exist",
    ),
    "missing value": (lambda g: replace(g, values=without(g.values, "pool")), "is not a value"),
    "orphan": (
        lambda g: replace(g, values={**g.values, "x": Value("x", feature_map(1, 1, 1, 1))}),
        "nothing computes",
    ),
    "written twice": (lambda g: with_node(g, "pool", output="conv"), "'conv', which exists"),
    "node names": (lambda g: with_node(g, "pool", name="conv"), "two nodes are called 'conv'"),
    "no name": (lambda g: with_node(g, "pool", name=""), "or it is no name"),
    "filed": (lambda g: with_value(g, "pool", name="pond"), "'pond' is filed under 'pool'"),
    "value and constant": (
        lambda g: with_constant(g, "pool", np.zeros(1, np.float32)),
        "values and constants at once",
    ),
    "writable": (writable, "'bn.mean' can be written to"),
    "input": (lambda g: replace(g, input="nothing"), "input 'nothing' is not a value"),
    "output": (lambda g: replace(g, output="nothing"), "output 'nothing' is not a value"),
    "batch": (lambda g: with_value(g, "image", type=feature_map(2, 3, 6, 6)), "is no image"),
    "flat input": (
        lambda g: with_value(g, "image", type=TensorType(DType.FLOAT32, (1, 3), Layout.FLAT)),
        "is no image",
    ),
    "input type": (
        lambda g: with_value(g, "image", type=feature_map(1, 3, 6, 6, dtype=DType.INT32)),
        "is no image",
    ),
    "shape": (
        lambda g: with_value(g, "pool", type=feature_map(1, 4, 2, 2)),
        "MaxPool2D pool: the value 'pool' is declared",
    ),
    "layout": (
        lambda g: with_value(g, "gap", type=feature_map(1, 4, 1, 1, layout=Layout.NHWC)),
        "is declared",
    ),
    "element type": (
        lambda g: with_value(g, "pool", type=feature_map(1, 4, 1, 1, dtype=DType.UINT8)),
        "is declared",
    ),
    "operands": (lambda g: with_node(g, "bn", inputs=("pool",)), "has 1 inputs, expected 5"),
    "weights": (
        lambda g: with_constant(g, "conv.weight", np.zeros((4, 3, 3, 2), np.float32)),
        "weights 4x3x3x2 do not fit",
    ),
    "constant type": (
        lambda g: with_constant(g, "conv.bias", np.zeros(4)), "'conv.bias' is float64"
    ),
    "pad value": (
        lambda g: with_node(g, "conv", pad_value=(1.0, 2.0)), "2 pad values for 3 channels"
    ),
    "epsilon": (lambda g: with_node(g, "bn", epsilon=float("nan")), "epsilon is nan"),
    "quantised value": (
        lambda g: with_value(g, "pool", quant=QuantParams(1.0)),
        "a float value has quantisation parameters",
    ),
    "mixture": (
        lambda g: replace(
            g, nodes=(*g.nodes[:-1], ops.QGlobalPool(name="gap", inputs=("bn",), output="gap"))
        ),
        "float and quantised operators are mixed",
    ),
}


@pytest.mark.parametrize("what", BROKEN_FLOAT)
def test_broken_float_graphs(what: str) -> None:
    graph = float_graph()
    verify_graph(graph)
    break_it, message = BROKEN_FLOAT[what]
    with pytest.raises(InternalError, match=message) as info:
        verify_graph(break_it(graph))
    assert info.value.exit_code == 70


def quantised_graph() -> Graph:
    build = GraphBuilder(7, 7, 3, layout=Layout.NHWC, dtype=DType.UINT8)
    a = build.conv(build.input, 2, kernel=3, padding=1, relu=True, name="a")
    b = build.conv(build.input, 2, kernel=3, padding=1, name="b")
    both = build.concat(a, build.add(b, b, name="sum"), name="both")
    pooled = build.maxpool(both, name="pool")
    graph = build.finish(build.conv(pooled, 5, global_pool=True, relu=True, name="logits"))
    images = np.random.default_rng(0).integers(0, 256, (2, 7, 7, 3), np.uint8)
    return quantize(graph, images)


def changed(name: str, **changes: Any) -> Callable[[Graph], Graph]:
    """Changes of a value's quantisation."""
    return lambda g: with_value(g, name, quant=replace(g.values[name].quant, **changes))


BROKEN_QUANTISED: dict[str, tuple[Callable[[Graph], Graph], str]] = {
    "no quantisation": (lambda g: with_value(g, "a", quant=None), "'a' has no quantisation"),
    "scale": (changed("logits", scale=0.0), "'logits' has"),
    "nan scale": (changed("logits", scale=float("nan")), "'logits' has"),
    "zero point": (changed("sum", zero_point=256), "'sum' has"),
    "channel scale": (changed("a", channel_scale=(1.0,)), "channel scales of 'a' are wrong"),
    "channel sign": (changed("a", channel_scale=(1.0, 0.0)), "channel scales of 'a' are wrong"),
    "camera": (changed("image", scale=0.5), "the camera's pixels"),
    "float value": (
        lambda g: with_value(g, "image", type=replace(g.input_value.type, dtype=DType.FLOAT32)),
        "the value 'image' is",
    ),
    "weight type": (
        lambda g: with_constant(g, "a/weights", g.constants["a/weights"].astype(np.int16)),
        "QConv2D a: weights are int16",
    ),
    "bias type": (
        lambda g: with_constant(g, "a/bias", g.constants["a/bias"].astype(np.int64)),
        "bias is int64",
    ),
    "multiplier type": (
        lambda g: with_constant(g, "a/multiplier", np.ones(2, np.float32)), "multipliers are float"
    ),
    "multiplier 0": (
        lambda g: with_constant(g, "a/multiplier", np.array([1, 0], np.int32)), "multiplier is out"
    ),
    "multiplier 2**23": (
        lambda g: with_constant(g, "a/multiplier", np.array([1 << 23, 1], np.int32)),
        "multiplier is out",
    ),
    "shift 0": (lambda g: with_node(g, "a", shift=0), "shift 0 is out of range"),
    "shift 31": (lambda g: with_node(g, "logits", shift=31), "shift 31 is out of range"),
    "pad values": (lambda g: with_node(g, "a", pad_value=(0, 0)), "2 pad values"),
    "pad value": (lambda g: with_node(g, "a", pad_value=(0, 0, 256)), "is not a uint8"),
    "clamp without relu": (lambda g: with_node(g, "b", clamp_min=1), "clamps at 1, not 0"),
    "overflow": (
        lambda g: with_constant(g, "a/bias", np.full(2, 2**31 - 1, np.int32)),
        "the accumulator can overflow",
    ),
    "sum overflow": (
        lambda g: with_constant(
            with_node(g, "logits", shift=1), "logits/bias", np.full(5, 2**30, np.int32)
        ),
        "sum over all pixels can overflow",
    ),
    "add multiplier": (lambda g: with_node(g, "sum", multiplier_b=-1), "multiplier is negative"),
    "add shift": (lambda g: with_node(g, "sum", shift=0), "shift 0 is out of range"),
    "add overflow": (
        lambda g: with_node(g, "sum", multiplier_a=1 << 23), "QAdd sum: the sum can overflow"
    ),
    "pool": (
        lambda g: with_value(g, "pool", quant=replace(g.values["pool"].quant, scale=9.0)),
        "changes the quantisation",
    ),
    "concat": (
        changed("a", scale=9.0), "QConcat both: 'a' is quantised otherwise than the result"
    ),
    "concat channels": (changed("a", channel_scale=(1.0, 99.0)), "channel scales differ"),
}


@pytest.mark.parametrize("what", BROKEN_QUANTISED)
def test_broken_quantised_graphs(what: str) -> None:
    graph = quantised_graph()
    verify_graph(graph)
    break_it, message = BROKEN_QUANTISED[what]
    with pytest.raises(InternalError, match=message):
        verify_graph(break_it(graph))


def test_relu_clamps_at_the_zero_point() -> None:
    graph = with_node(quantised_graph(), "b", relu=True)
    assert graph.values["b"].quant.zero_point > 0
    with pytest.raises(InternalError, match="clamps at 0, not"):
        verify_graph(graph)


@pytest.mark.parametrize("inputs", [("image", "a"), ("a", "a")])
def test_operands_of_concatenations_have_one_place(inputs: tuple[str, str]) -> None:
    build = GraphBuilder(4, 4, 2, layout=Layout.NHWC, dtype=DType.UINT8)
    x = build.maxpool(build.input, kernel=1, stride=1, name="a")
    graph = build.finish(build.gap(build.concat(build.input, x, name="both")))
    camera = QuantParams(1.0)
    values = {
        n: replace(v, type=replace(v.type, dtype=DType.UINT8), quant=camera)
        for n, v in graph.values.items()
    }
    logits = replace(graph.output_value.type, dtype=DType.INT32)
    values[graph.output] = replace(values[graph.output], type=logits)
    window = graph.nodes[0].window
    quantised = replace(
        graph,
        values=values,
        nodes=(
            ops.QMaxPool2D(name="a", inputs=("image",), output="a", window=window),
            ops.QConcat(name="both", inputs=inputs, output="both"),
            ops.QGlobalPool(name="gap", inputs=("both",), output=graph.output),
        ),
    )
    with pytest.raises(InternalError, match=r"QConcat both: '(image|a)' is the image, or has two"):
        verify_graph(quantised)
