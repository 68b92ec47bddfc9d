# ruff: noqa: E501 (printed graphs have long lines)
import pytest

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.ir import GraphBuilder
from squeeze2c.passes.fuse_relu import fuse_relu
from tests.passes.checks import check_pass


def test_into_convolution_and_addition() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.relu(build.conv(build.input, 2))
    graph = build.finish(build.relu(build.add(x, build.input)))
    check_pass(
        fuse_relu,
        graph,
        """
        graph net (NCHW): image -> relu2
          image: f32[1x2x4x4]
          relu1: f32[1x2x4x4] = Conv2D(image, conv1.weight[2x2x1x1], conv1.bias[2]) relu "conv1"
            # conv1 + relu1 [fuse_relu]
          relu2: f32[1x2x4x4] = Add(relu1, image) relu "add1"
            # add1 + relu2 [fuse_relu]
        """,
        provenance=True,
    )


def test_others_keep_the_value_without_relu() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.conv(build.input, 2, name="conv")
    graph = build.finish(build.add(build.relu(x, name="relu"), x))
    check_pass(
        fuse_relu,
        graph,
        """
        graph net (NCHW): image -> add1
          image: f32[1x2x4x4]
          conv: f32[1x2x4x4] = Conv2D(image, conv.weight[2x2x1x1], conv.bias[2])
          relu: f32[1x2x4x4] = Conv2D(image, conv.weight[2x2x1x1], conv.bias[2]) relu
          add1: f32[1x2x4x4] = Add(relu, conv)
        """,
    )


def test_the_output_keeps_the_value_without_relu() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.conv(build.input, 2)
    build.relu(x)
    check_pass(
        fuse_relu,
        build.finish(x),
        """
        graph net (NCHW): image -> conv1
          image: f32[1x2x4x4]
          conv1: f32[1x2x4x4] = Conv2D(image, conv1.weight[2x2x1x1], conv1.bias[2])
        """,
    )


def test_twins_are_one() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.conv(build.input, 2)
    graph = build.finish(build.add(build.relu(x), build.relu(x)))
    check_pass(
        fuse_relu,
        graph,
        """
        graph net (NCHW): image -> add1
          image: f32[1x2x4x4]
          relu2: f32[1x2x4x4] = Conv2D(image, conv1.weight[2x2x1x1], conv1.bias[2]) relu "conv1"
          add1: f32[1x2x4x4] = Add(relu2, relu2)
        """,
    )


def test_after_concatenation_it_moves_into_the_inputs() -> None:
    build = GraphBuilder(4, 4, 2)
    a, b = build.conv(build.input, 3), build.relu(build.conv(build.input, 2))
    graph = build.finish(build.relu(build.concat(a, b)))
    check_pass(
        fuse_relu,
        graph,
        """
        graph net (NCHW): image -> relu2
          image: f32[1x2x4x4]
          conv1/relu: f32[1x3x4x4] ~nothing = Conv2D(image, conv1.weight[3x2x1x1], conv1.bias[3]) relu "conv1"
            # conv1 + relu2 [fuse_relu]
          relu1: f32[1x2x4x4] = Conv2D(image, conv2.weight[2x2x1x1], conv2.bias[2]) relu "conv2"
            # conv2 + relu1 [fuse_relu]
          relu2: f32[1x5x4x4] = Concat(conv1/relu, relu1) axis=1 "concat1"
            # concat1 + relu2 [fuse_relu]
        """,
        provenance=True,
    )


def test_moving_meets_a_relu_that_is_there_before_and_after() -> None:
    """Both orders of the two Relus of ``a`` end in one convolution."""
    for early in (True, False):
        build = GraphBuilder(4, 4, 2)
        a, b = build.conv(build.input, 2, name="a"), build.conv(build.input, 2, name="b")
        if early:
            rectified = build.relu(a, name="relu_a")
        joined = build.relu(build.concat(a, b, name="joined"), name="relu_joined")
        if not early:
            rectified = build.relu(a, name="relu_a")
        x = build.concat(rectified, build.conv(joined, 2, name="c"), name="end")
        result = fuse_relu(build.finish(x))
        assert sorted(n.name for n in result.nodes) == ["a", "b", "c", "end", "joined"]


def test_after_max_pool_it_moves_before() -> None:
    build = GraphBuilder(7, 7, 2)
    graph = build.finish(build.relu(build.maxpool(build.conv(build.input, 2), padding=1)))
    check_pass(
        fuse_relu,
        graph,
        """
        graph net (NCHW): image -> relu1
          image: f32[1x2x7x7]
          conv1/relu: f32[1x2x7x7] ~nothing = Conv2D(image, conv1.weight[2x2x1x1], conv1.bias[2]) relu "conv1"
          relu1: f32[1x2x4x4] = MaxPool2D(conv1/relu) kernel=3x3 stride=2x2 padding=1 "maxpool1"
        """,
    )


def test_others_keep_the_max_pool_without_relu() -> None:
    build = GraphBuilder(7, 7, 2)
    x = build.maxpool(build.conv(build.input, 2))
    graph = build.finish(build.add(x, build.relu(x)))
    check_pass(
        fuse_relu,
        graph,
        """
        graph net (NCHW): image -> add1
          image: f32[1x2x7x7]
          conv1: f32[1x2x7x7] = Conv2D(image, conv1.weight[2x2x1x1], conv1.bias[2])
          conv1/relu: f32[1x2x7x7] ~nothing = Conv2D(image, conv1.weight[2x2x1x1], conv1.bias[2]) relu
          maxpool1: f32[1x2x3x3] = MaxPool2D(conv1) kernel=3x3 stride=2x2
          relu1: f32[1x2x3x3] = MaxPool2D(conv1/relu) kernel=3x3 stride=2x2
          add1: f32[1x2x3x3] = Add(maxpool1, relu1)
        """,
    )


def test_of_values_that_are_not_negative_it_vanishes() -> None:
    build = GraphBuilder(7, 7, 2)
    x = build.relu(build.conv(build.input, 2, name="conv"), name="relu")
    x = build.relu(build.maxpool(x, name="pool"), name="gone1")
    x = build.relu(build.concat(x, build.add(x, x, name="sum"), name="both"), name="gone2")
    graph = build.finish(build.relu(build.gap(x, name="gap"), name="gone3"))
    check_pass(
        fuse_relu,
        graph,
        """
        graph net (NCHW): image -> gap
          image: f32[1x2x7x7]
          relu: f32[1x2x7x7] = Conv2D(image, conv.weight[2x2x1x1], conv.bias[2]) relu "conv"
          pool: f32[1x2x3x3] = MaxPool2D(relu) kernel=3x3 stride=2x2
          sum: f32[1x2x3x3] = Add(pool, pool)
          both: f32[1x4x3x3] = Concat(pool, sum) axis=1
          gap: f32[1x4x1x1] = GlobalAvgPool2D(both)
        """,
    )


def test_of_the_image_it_is_refused() -> None:
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.relu(build.input, name="early"))
    with pytest.raises(UnsupportedModelError, match=r"early: a Relu after the network's input"):
        fuse_relu(graph)


def test_of_pooled_logits_it_is_refused() -> None:
    build = GraphBuilder(4, 4, 2)
    pooled = build.gap(build.conv(build.input, 3), name="pool")
    with pytest.raises(UnsupportedModelError, match=r"late: a Relu after GlobalAvgPool2D pool"):
        fuse_relu(build.finish(build.relu(pooled, name="late")))
