# ruff: noqa: E501 (printed graphs have long lines)
import numpy as np

from squeeze2c.ir import GraphBuilder, format_graph
from squeeze2c.passes.to_nhwc import to_nhwc
from tests.passes.checks import assert_printed, assert_same_numbers


def test_weights_axes_and_vectors() -> None:
    build = GraphBuilder(9, 7, 3)
    shared = build.constant(np.random.default_rng(1).normal(size=(4, 4, 3, 2)), "shared")
    x = build.conv(build.input, 4, kernel=(3, 2), stride=(2, 1), padding=(1, 0, 2, 1))
    x = build.conv(build.maxpool(x), weight=shared, padding=1)
    x = build.conv(x, weight=shared, padding=1)
    graph = build.finish(build.gap(build.concat(x, x)))
    result = to_nhwc(graph)
    assert_printed(format_graph(result), """
    graph net (NHWC): image -> gap1
      image: f32[1x9x7x3]
      conv1: f32[1x5x7x4] = Conv2D(image, conv1.weight[4x3x2x3], conv1.bias[4]) kernel=3x2 stride=2x1 padding=1,0,2,1
      maxpool1: f32[1x2x3x4] = MaxPool2D(conv1) kernel=3x3 stride=2x2
      conv2: f32[1x2x4x4] = Conv2D(maxpool1, shared[4x3x2x4], conv2.bias[4]) kernel=3x2 padding=1
      conv3: f32[1x2x5x4] = Conv2D(conv2, shared[4x3x2x4], conv3.bias[4]) kernel=3x2 padding=1
      concat1: f32[1x2x5x8] = Concat(conv3, conv3) axis=3
      gap1: f32[1x8] = GlobalAvgPool2D(concat1)
    """)
    assert_same_numbers(graph, result)
    np.testing.assert_array_equal(
        result.constants["shared"], graph.constants["shared"].transpose(0, 2, 3, 1)
    )


def test_convolution_that_pools() -> None:
    build = GraphBuilder(9, 7, 3)
    graph = build.finish(build.conv(build.input, 4, kernel=3, relu=True, global_pool=True))
    assert_same_numbers(graph, to_nhwc(graph))
