# ruff: noqa: E501 (printed graphs have long lines)
from squeeze2c.ir import GraphBuilder
from squeeze2c.passes.copy_concat_operands import copy_concat_operands
from tests.passes.checks import check_pass


def test_ordinary_and_nested_concatenations_stay() -> None:
    build = GraphBuilder(4, 4, 2)
    a, b, c = (build.conv(build.input, n) for n in (2, 3, 4))
    graph = build.finish(build.concat(build.concat(a, b), c))
    result = copy_concat_operands(graph)
    assert result.nodes == graph.nodes


def test_a_value_in_two_concatenations() -> None:
    build = GraphBuilder(4, 4, 2)
    a, b = build.conv(build.input, 2), build.conv(build.input, 3)
    graph = build.finish(build.concat(build.concat(a, b), a))
    check_pass(
        copy_concat_operands,
        graph,
        """
        graph net (NCHW): image -> concat2
          image: f32[1x2x4x4]
          conv1: f32[1x2x4x4] = Conv2D(image, conv1.weight[2x2x1x1], conv1.bias[2])
            # conv1 []
          conv2: f32[1x3x4x4] = Conv2D(image, conv2.weight[3x2x1x1], conv2.bias[3])
            # conv2 []
          concat1: f32[1x5x4x4] = Concat(conv1, conv2) axis=1
            # concat1 []
          conv1/copy: f32[1x2x4x4] ~conv1 = MaxPool2D(conv1) "concat2/copy"
            # concat2 [copy_concat_operands]
          concat2: f32[1x7x4x4] = Concat(concat1, conv1/copy) axis=1
            # concat2 [copy_concat_operands]
        """,
        provenance=True,
    )


def test_a_value_twice_in_one() -> None:
    build = GraphBuilder(4, 4, 2)
    a = build.conv(build.input, 2)
    check_pass(
        copy_concat_operands,
        build.finish(build.concat(a, a, a)),
        """
        graph net (NCHW): image -> concat1
          image: f32[1x2x4x4]
          conv1: f32[1x2x4x4] = Conv2D(image, conv1.weight[2x2x1x1], conv1.bias[2])
          conv1/copy: f32[1x2x4x4] ~conv1 = MaxPool2D(conv1) "concat1/copy"
          conv1/copy_2: f32[1x2x4x4] ~conv1 = MaxPool2D(conv1) "concat1/copy_2"
          concat1: f32[1x6x4x4] = Concat(conv1, conv1/copy, conv1/copy_2) axis=1
        """,
    )


def test_the_image_also_pooled() -> None:
    build = GraphBuilder(4, 4, 2)
    pooled = build.maxpool(build.input, stride=1, padding=1)
    graph = build.finish(build.concat(build.input, pooled, build.conv(build.input, 2)))
    check_pass(
        copy_concat_operands,
        graph,
        """
        graph net (NCHW): image -> concat1
          image: f32[1x2x4x4]
          maxpool1: f32[1x2x4x4] = MaxPool2D(image) kernel=3x3 padding=1
          conv1: f32[1x2x4x4] = Conv2D(image, conv1.weight[2x2x1x1], conv1.bias[2])
          image/copy: f32[1x2x4x4] ~image = Conv2D(image, concat1/image/weight[2x2x1x1], concat1/image/bias[2]) "concat1/image"
          maxpool1/copy: f32[1x2x4x4] ~maxpool1 = Conv2D(maxpool1, concat1/image_2/weight[2x2x1x1], concat1/image_2/bias[2]) "concat1/image_2"
          concat1: f32[1x6x4x4] = Concat(image/copy, maxpool1/copy, conv1) axis=1
        """,
    )
