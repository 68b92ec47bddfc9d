from squeeze2c.ir import GraphBuilder
from squeeze2c.passes.add_missing_bias import add_missing_bias
from tests.passes.checks import check_pass


def test_zeros_where_there_is_none() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.conv(build.conv(build.input, 3, bias=False), 2)
    graph = build.finish(build.conv(x, 5, bias=False, global_pool=True))
    result = check_pass(
        add_missing_bias,
        graph,
        """
        graph net (NCHW): image -> conv3
          image: f32[1x2x4x4]
          conv1: f32[1x3x4x4] = Conv2D(image, conv1.weight[3x2x1x1], conv1/bias[3])
          conv2: f32[1x2x4x4] = Conv2D(conv1, conv2.weight[2x3x1x1], conv2.bias[2])
          conv3: f32[1x5] = ConvGlobalPool(conv2, conv3.weight[5x2x1x1], conv3/bias[5])
        """,
    )
    assert not result.constants["conv1/bias"].any()
