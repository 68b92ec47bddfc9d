from squeeze2c.ir import GraphBuilder
from squeeze2c.passes.drop_identities import drop_identities
from tests.passes.checks import check_pass


def test_identities_in_a_row_and_at_the_end() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.identity(build.identity(build.input))
    x = build.conv(x, 3)
    graph = build.finish(build.identity(x, name="dropout"))
    check_pass(
        drop_identities,
        graph,
        """
        graph net (NCHW): image -> conv1
          image: f32[1x2x4x4]
          conv1: f32[1x3x4x4] = Conv2D(image, conv1.weight[3x2x1x1], conv1.bias[3])
        """,
    )


def test_concat_of_one() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.concat(build.conv(build.input, 3))
    graph = build.finish(build.add(x, build.identity(x)))
    check_pass(
        drop_identities,
        graph,
        """
        graph net (NCHW): image -> add1
          image: f32[1x2x4x4]
          conv1: f32[1x3x4x4] = Conv2D(image, conv1.weight[3x2x1x1], conv1.bias[3])
          add1: f32[1x3x4x4] = Add(conv1, conv1)
        """,
    )
