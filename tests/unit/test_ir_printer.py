# ruff: noqa: E501 (printed graphs have long lines)
"""Graphs as text."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import numpy as np

from squeeze2c.ir import DType, GraphBuilder, Layout, format_graph
from squeeze2c.quantize import quantize


def test_every_float_operator() -> None:
    build = GraphBuilder(8, 8, 3, name="all")
    weight = build.fill((4, 3, 3, 3), 0.25)
    x = build.conv(build.input, weight=weight, padding=(0, 1, 2, 1), stride=(1, 2), name="a")
    x = build.batch_norm(x, name="b")
    x = build.concat(build.relu(x), build.identity(x))
    x = build.add(x, x, relu=True)
    x = build.maxpool(x, kernel=2, padding=1)
    x = build.conv(x, 5, bias=False, pad_value=[0.5] * 8, relu=True, name="c")
    graph = build.finish(build.softmax(build.flatten(build.gap(x)), axis=-1))
    assert format_graph(graph) == dedent(
        """
        graph all (NCHW): image -> softmax1
          image: f32[1x3x8x8]
          fill1: f32[4x3x3x3] = Fill() shape=4x3x3x3 value=0.25
          a: f32[1x4x8x4] = Conv2D(image, fill1, a.bias[4]) kernel=3x3 stride=1x2 padding=0,1,2,1
          b: f32[1x4x8x4] = BatchNorm(a, b.scale[4], b.bias[4], b.mean[4], b.variance[4]) epsilon=1e-05
          relu1: f32[1x4x8x4] = Relu(b)
          identity1: f32[1x4x8x4] = Identity(b)
          concat1: f32[1x8x8x4] = Concat(relu1, identity1) axis=1
          add1: f32[1x8x8x4] = Add(concat1, concat1) relu
          maxpool1: f32[1x8x5x3] = MaxPool2D(add1) kernel=2x2 stride=2x2 padding=1
          c: f32[1x5x5x3] = Conv2D(maxpool1, c.weight[5x8x1x1]) pad_value=0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5 relu
          gap1: f32[1x5x1x1] = GlobalAvgPool2D(c)
          flatten1: f32[1x5] = Reshape(gap1) shape=1x5
          softmax1: f32[1x5] = Softmax(flatten1) axis=-1
        """
    ).lstrip()


def test_sources_and_node_names_that_differ() -> None:
    build = GraphBuilder(2, 2, 1)
    graph = build.finish(build.conv(build.input, 1, global_pool=True, name="conv"), softmax=True)
    value = replace(graph.values["conv"], source="logits")
    image = replace(graph.values["image"], source="")
    node = replace(graph.nodes[0], name="conv10")
    changed = replace(graph, nodes=(node,), values={"image": image, "conv": value})
    assert format_graph(changed, provenance=True) == dedent(
        """
        graph net (NCHW): image -> conv, then softmax
          image: f32[1x1x2x2] ~nothing
          conv: f32[1x1] ~logits = ConvGlobalPool(image, conv.weight[1x1x1x1], conv.bias[1]) "conv10"
            # conv []
        """
    ).lstrip()


def test_every_quantised_operator() -> None:
    build = GraphBuilder(6, 6, 3, layout=Layout.NHWC, dtype=DType.UINT8)
    scaled = [build.constant(np.full((2, 3, 3, 3), 0.01 * s), f"w{s}") for s in (1, -1)]
    a = build.conv(build.input, weight=scaled[0], bias=[0, 0], padding=1, relu=True, name="a")
    b = build.conv(build.input, weight=scaled[1], bias=[0, 0], padding=1, name="b")
    x = build.maxpool(build.concat(a, build.add(a, b, relu=True, name="sum")), name="pool")
    weight = build.constant(np.full((1, 1, 1, 4), 0.5), "w3")
    graph = build.finish(build.conv(x, weight=weight, bias=[0], global_pool=True, name="logits"))
    images = np.full((1, 6, 6, 3), 100, np.uint8)
    text = format_graph(quantize(graph, images))
    for line in (
        "image: u8[1x6x6x3] (scale 1, zero 0)",
        "a/weights[2x3x3x3], a/bias[2], a/multiplier[2]) kernel=3x3 padding=1 shift=24 clamp_min=0 relu",
        "sum: u8[1x6x6x2] (scale",
        "= QAdd(a, b) multipliers=",
        "pool: u8[1x2x2x4] (scale",
        "= QMaxPool2D(concat1) kernel=3x3 stride=2x2",
        "= QConcat(a, sum)\n",
        "logits: i32[1x1] (scale",
        "= QConvGlobalPool(pool,",
    ):
        assert line in text, text


def test_the_same_graph_prints_the_same() -> None:
    def build_one() -> str:
        build = GraphBuilder(8, 8, 3, seed=4)
        return format_graph(build.finish(build.fire(build.input, 2, 3)), provenance=True)

    assert build_one() == build_one()
