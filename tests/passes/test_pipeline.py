# ruff: noqa: E501 (printed graphs have long lines)
"""All passes together, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from squeeze2c.errors import InternalError, UnsupportedModelError, UsageError
from squeeze2c.frontend import Preprocess, load_onnx, read_onnx
from squeeze2c.ir import DType, Graph, GraphBuilder, Layout, format_graph, ops
from squeeze2c.passes import run_passes
from squeeze2c.passes.base import Condition, free_of, graph_pass
from tests.passes.checks import assert_printed, assert_same_numbers

CAFFE = Preprocess.named("caffe")
PLAIN = Preprocess.named("none")


def test_a_small_squeezenet() -> None:
    build = GraphBuilder(33, 29, 3, name="small", input_name="data")
    x = build.conv(build.input, 8, kernel=3, stride=2, padding=1, bias=False, name="conv1")
    x = build.maxpool(build.relu(build.batch_norm(x, name="bn1"), name="relu1"), name="pool1")
    x = build.identity(build.fire(x, 2, 4, name="fire"), name="dropout")
    x = build.gap(build.relu(build.conv(x, 10, name="conv10"), name="relu10"), name="pool10")
    graph = build.finish(build.softmax(build.flatten(x, name="logits"), name="prob"))
    final = run_passes(graph, CAFFE)
    assert_printed(
        format_graph(final, provenance=True),
        """
        graph small (NHWC): data -> pool10, then softmax
          data: u8[1x33x29x3] ~nothing
          relu1: f32[1x17x15x8] = Conv2D(data, conv1/pixel_weight[8x3x3x3], conv1/pixel_bias[8]) kernel=3x3 stride=2x2 padding=1 pad_value=123.68,116.779,103.939 relu "conv1"
            # conv1 + bn1 + relu1 [fold_batch_norm, fuse_relu, fold_normalisation]
          pool1: f32[1x8x7x8] = MaxPool2D(relu1) kernel=3x3 stride=2x2
            # pool1 []
          fire/squeeze1x1/relu: f32[1x8x7x2] = Conv2D(pool1, fire/squeeze1x1.weight[2x1x1x8], fire/squeeze1x1.bias[2]) relu "fire/squeeze1x1"
            # fire/squeeze1x1 + fire/squeeze1x1/relu [fuse_relu]
          fire/expand1x1/relu: f32[1x8x7x4] = Conv2D(fire/squeeze1x1/relu, fire/expand1x1.weight[4x1x1x2], fire/expand1x1.bias[4]) relu "fire/expand1x1"
            # fire/expand1x1 + fire/expand1x1/relu [fuse_relu]
          fire/expand3x3/relu: f32[1x8x7x4] = Conv2D(fire/squeeze1x1/relu, fire/expand3x3.weight[4x3x3x2], fire/expand3x3.bias[4]) kernel=3x3 padding=1 relu "fire/expand3x3"
            # fire/expand3x3 + fire/expand3x3/relu [fuse_relu]
          fire/concat: f32[1x8x7x8] = Concat(fire/expand1x1/relu, fire/expand3x3/relu) axis=3
            # fire/concat []
          pool10: f32[1x10] ~logits = ConvGlobalPool(fire/concat, conv10.weight[10x1x1x8], conv10.bias[10]) relu "conv10"
            # conv10 + relu10 + pool10 [fuse_relu, fuse_global_pool]
        """,
    )
    assert final.softmax
    check_numbers(graph, final, CAFFE)


def check_numbers(graph: Graph, final: Graph, preprocess: Preprocess) -> None:
    kind = graph.input_value.type
    images = np.random.default_rng(4).integers(
        0, 256, (1, kind.height, kind.width, kind.channels), np.uint8
    )
    assert_same_numbers(graph, final, images, preprocess.apply(images))
    assert final.input_value.type.dtype is DType.UINT8
    assert final.input_value.type.layout is Layout.NHWC
    assert final.output_value.type.shape == (1, graph.output_value.type.shape[1])


def test_bypass_around_concatenations_with_batch_norm() -> None:
    """A bypass variant of the Fire module, BatchNorm after both its concatenations."""
    build = GraphBuilder(15, 15, 3)
    x = build.relu(build.conv(build.input, 8, kernel=3, padding=1))
    for _ in range(2):
        squeezed = build.relu(build.conv(x, 2))
        both = build.concat(
            build.conv(squeezed, 4), build.conv(squeezed, 4, kernel=3, padding=1, bias=False)
        )
        x = build.relu(build.add(build.batch_norm(both), x))
    graph = build.finish(build.gap(build.maxpool(x)))
    final = run_passes(graph, CAFFE)
    assert {n.kind for n in final.nodes} == {
        "Conv2D", "Concat", "Add", "MaxPool2D", "GlobalAvgPool2D"
    }
    check_numbers(graph, final, CAFFE)


def test_the_image_itself_among_the_features() -> None:
    build = GraphBuilder(9, 9, 3)
    x = build.concat(build.conv(build.input, 4), build.input)
    x = build.concat(build.maxpool(x), build.maxpool(build.input))
    graph = build.finish(build.gap(build.conv(x, 5)))
    final = run_passes(graph, CAFFE)
    assert all(isinstance(n, ops.Conv2D | ops.MaxPool2D) for n in final.consumers(final.input))
    check_numbers(graph, final, CAFFE)


def test_a_model_that_ends_in_a_feature_map_is_refused() -> None:
    build = GraphBuilder(9, 9, 3)
    x = build.relu(build.conv(build.input, 4, name="conv9"), name="relu9")
    with pytest.raises(UnsupportedModelError, match=r"conv9 \+ relu9: .*feature map of shape"):
        run_passes(build.finish(x), CAFFE)


def test_preprocessing_is_checked_before_anything_else() -> None:
    build = GraphBuilder(9, 9, 1)
    x = build.conv(build.input, 4)
    with pytest.raises(UsageError, match="3 channels, the model's input has 1"):
        run_passes(build.finish(x), CAFFE)


def test_one_channel_without_preprocessing() -> None:
    build = GraphBuilder(9, 9, 1)
    graph = build.finish(build.gap(build.conv(build.input, 4)))
    assert run_passes(graph, PLAIN).input_value.type.shape == (1, 9, 9, 1)


def test_a_broken_graph_is_a_bug_of_the_pass_before() -> None:
    build = GraphBuilder(9, 9, 1)
    graph = build.finish(build.gap(build.conv(build.input, 4, name="conv")))
    broken = graph.with_changes(nodes=graph.nodes[::-1])

    @graph_pass(ensures=(free_of(ops.Conv2D),))
    def breaks_order(graph: Graph) -> Graph:
        return broken

    @graph_pass(ensures=(free_of(ops.Conv2D),))
    def breaks_promise(graph: Graph) -> Graph:
        return graph

    @graph_pass(requires=(Condition("nothing at all", lambda graph: "everything"),))
    def asks_too_much(graph: Graph) -> Graph:
        raise AssertionError("never reached")

    with pytest.raises(InternalError, match=r"gap1: after pass breaks_order: reads 'conv'"):
        breaks_order(graph)
    with pytest.raises(InternalError, match=r"before pass breaks_promise: reads 'conv'"):
        breaks_promise(broken)
    with pytest.raises(InternalError, match=r"Conv2D conv: after .*expected no Conv2D"):
        breaks_promise(graph)
    with pytest.raises(InternalError, match=r"everything: before .*expected nothing at all"):
        asks_too_much(graph)


def test_the_light_model_of_the_onnx_package() -> None:
    path = Path(onnx.__file__).parent / "backend/test/data/light/light_squeezenet.onnx"
    graph = read_onnx(load_onnx(path))
    final = run_passes(graph, Preprocess.named("torchvision"))
    assert len(final.nodes) == 26 + 8 + 3
    check_numbers(graph, final, Preprocess.named("torchvision"))


def test_the_compressed_squeezenet(shared_data: Path) -> None:
    graph = read_onnx(load_onnx(shared_data / "squeezenet1_0_deepcompression.onnx"))
    final = run_passes(graph, CAFFE)
    assert not final.softmax
    assert final.output_value.source == "logits"
    check_numbers(graph, final, CAFFE)
