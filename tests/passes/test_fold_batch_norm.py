# ruff: noqa: E501 (printed graphs have long lines)
import numpy as np
import pytest

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.ir import GraphBuilder
from squeeze2c.passes.fold_batch_norm import fold_batch_norm
from tests.passes.checks import check_pass


def test_after_a_convolution_without_bias() -> None:
    build = GraphBuilder(5, 4, 2)
    x = build.conv(build.input, 3, kernel=3, padding=1, bias=False)
    graph = build.finish(build.batch_norm(x, name="bn"))
    check_pass(
        fold_batch_norm,
        graph,
        """
        graph net (NCHW): image -> bn
          image: f32[1x2x5x4]
          bn: f32[1x3x5x4] = Conv2D(image, conv1/weight[3x2x3x3], conv1/bias[3]) kernel=3x3 padding=1 "conv1"
            # conv1 + bn [fold_batch_norm]
        """,
        provenance=True,
    )


def test_two_in_a_row() -> None:
    build = GraphBuilder(5, 4, 2)
    x = build.batch_norm(build.batch_norm(build.conv(build.input, 3)))
    check_pass(
        fold_batch_norm,
        build.finish(x),
        """
        graph net (NCHW): image -> batch_norm2
          image: f32[1x2x5x4]
          batch_norm2: f32[1x3x5x4] = Conv2D(image, conv1/weight_2[3x2x1x1], conv1/bias_2[3]) "conv1"
            # conv1 + batch_norm1 + batch_norm2 [fold_batch_norm]
        """,
        provenance=True,
    )


def test_others_keep_the_convolution_as_it_was() -> None:
    build = GraphBuilder(5, 4, 2)
    x = build.conv(build.input, 3)
    graph = build.finish(build.add(x, build.batch_norm(x)))
    check_pass(
        fold_batch_norm,
        graph,
        """
        graph net (NCHW): image -> add1
          image: f32[1x2x5x4]
          conv1: f32[1x3x5x4] = Conv2D(image, conv1.weight[3x2x1x1], conv1.bias[3])
          batch_norm1: f32[1x3x5x4] = Conv2D(image, batch_norm1/weight[3x2x1x1], batch_norm1/bias[3])
          add1: f32[1x3x5x4] = Add(conv1, batch_norm1)
        """,
    )


def test_convolutions_that_share_weights_stay_apart() -> None:
    build = GraphBuilder(5, 4, 2)
    weight = build.constant(np.ones((2, 2, 1, 1)), "shared")
    x = build.batch_norm(build.conv(build.input, weight=weight, bias=False))
    x = build.conv(x, weight=weight, bias=False)
    check_pass(
        fold_batch_norm,
        build.finish(x),
        """
        graph net (NCHW): image -> conv2
          image: f32[1x2x5x4]
          batch_norm1: f32[1x2x5x4] = Conv2D(image, conv1/weight[2x2x1x1], conv1/bias[2]) "conv1"
          conv2: f32[1x2x5x4] = Conv2D(batch_norm1, shared[2x2x1x1])
        """,
    )


def test_after_a_concatenation_it_is_divided() -> None:
    build = GraphBuilder(5, 4, 2)
    a, b = build.conv(build.input, 3), build.conv(build.input, 2, kernel=3, padding=1)
    graph = build.finish(build.batch_norm(build.concat(a, b), name="bn"))
    check_pass(
        fold_batch_norm,
        graph,
        """
        graph net (NCHW): image -> bn
          image: f32[1x2x5x4]
          bn/conv1: f32[1x3x5x4] ~nothing = Conv2D(image, conv1/weight[3x2x1x1], conv1/bias[3]) "conv1"
          bn/conv2: f32[1x2x5x4] ~nothing = Conv2D(image, conv2/weight[2x2x3x3], conv2/bias[2]) kernel=3x3 padding=1 "conv2"
          bn: f32[1x5x5x4] = Concat(bn/conv1, bn/conv2) axis=1 "concat1"
        """,
    )


def test_others_keep_the_concatenation_as_it_was() -> None:
    build = GraphBuilder(5, 4, 2)
    both = build.concat(build.conv(build.input, 3), build.conv(build.input, 2))
    graph = build.finish(build.add(both, build.batch_norm(both)))
    check_pass(
        fold_batch_norm,
        graph,
        """
        graph net (NCHW): image -> add1
          image: f32[1x2x5x4]
          conv1: f32[1x3x5x4] = Conv2D(image, conv1.weight[3x2x1x1], conv1.bias[3])
          batch_norm1/conv1: f32[1x3x5x4] ~nothing = Conv2D(image, batch_norm1/conv1/weight[3x2x1x1], batch_norm1/conv1/bias_2[3])
          conv2: f32[1x2x5x4] = Conv2D(image, conv2.weight[2x2x1x1], conv2.bias[2])
          batch_norm1/conv2: f32[1x2x5x4] ~nothing = Conv2D(image, batch_norm1/conv2/weight[2x2x1x1], batch_norm1/conv2/bias_2[2])
          concat1: f32[1x5x5x4] = Concat(conv1, conv2) axis=1
          batch_norm1: f32[1x5x5x4] = Concat(batch_norm1/conv1, batch_norm1/conv2) axis=1
          add1: f32[1x5x5x4] = Add(concat1, batch_norm1)
        """,
    )


def test_rising_functions_move_before_a_max_pool() -> None:
    build = GraphBuilder(7, 7, 2)
    x = build.maxpool(build.conv(build.input, 3), padding=1)
    graph = build.finish(build.batch_norm(x, scale=[0.5, 2.0, 0.0], name="bn"))
    check_pass(
        fold_batch_norm,
        graph,
        """
        graph net (NCHW): image -> bn
          image: f32[1x2x7x7]
          bn/conv1: f32[1x3x7x7] ~nothing = Conv2D(image, conv1/weight[3x2x1x1], conv1/bias[3]) "conv1"
          bn: f32[1x3x4x4] = MaxPool2D(bn/conv1) kernel=3x3 stride=2x2 padding=1 "maxpool1"
        """,
    )


def test_falling_functions_do_not_pass_a_max_pool() -> None:
    build = GraphBuilder(7, 7, 2)
    x = build.maxpool(build.conv(build.input, 2), name="pool")
    graph = build.finish(build.batch_norm(x, scale=[0.5, -1.0], name="bn"))
    with pytest.raises(UnsupportedModelError, match=r"bn: .*MaxPool2D pool.*not all positive"):
        fold_batch_norm(graph)


def test_after_relu_it_is_refused() -> None:
    build = GraphBuilder(5, 4, 2)
    x = build.relu(build.conv(build.input, 3), name="activation")
    with pytest.raises(UnsupportedModelError, match=r"bn: .*it follows Relu activation") as info:
        fold_batch_norm(build.finish(build.batch_norm(x, name="bn")))
    assert info.value.op == "BatchNormalization"


def test_on_the_image_it_is_refused() -> None:
    build = GraphBuilder(5, 4, 2)
    with pytest.raises(UnsupportedModelError, match=r"bn: .*it follows the network's input"):
        fold_batch_norm(build.finish(build.batch_norm(build.input, name="bn")))


def test_a_part_that_cannot_be_folded_names_the_whole() -> None:
    build = GraphBuilder(5, 4, 2)
    both = build.concat(build.conv(build.input, 3), build.input)
    with pytest.raises(UnsupportedModelError, match=r"bn: .*it follows the network's input"):
        fold_batch_norm(build.finish(build.batch_norm(both, name="bn")))


@pytest.mark.parametrize("variance", [-1.0, np.nan])
def test_impossible_statistics_are_refused(variance: float) -> None:
    build = GraphBuilder(5, 4, 2)
    x = build.conv(build.input, 2)
    graph = build.finish(build.batch_norm(x, variance=[1.0, variance], name="bn"))
    with pytest.raises(UnsupportedModelError, match=r"bn: .*no finite numbers"):
        fold_batch_norm(graph)
