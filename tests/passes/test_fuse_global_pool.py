# ruff: noqa: E501 (printed graphs have long lines)
from squeeze2c.ir import GraphBuilder
from squeeze2c.passes.fuse_global_pool import fuse_global_pool
from tests.passes.checks import check_pass


def test_convolution_and_pooling_become_one() -> None:
    build = GraphBuilder(5, 4, 2)
    x = build.conv(build.input, 3, kernel=3, padding=(1, 0, 2, 1), relu=True)
    check_pass(
        fuse_global_pool,
        build.finish(build.gap(x)),
        """
        graph net (NCHW): image -> gap1
          image: f32[1x2x5x4]
          gap1: f32[1x3] = ConvGlobalPool(image, conv1.weight[3x2x3x3], conv1.bias[3]) kernel=3x3 padding=1,0,2,1 relu "conv1"
            # conv1 + gap1 [fuse_global_pool]
        """,
        provenance=True,
    )


def test_pooling_of_anything_else_stays() -> None:
    build = GraphBuilder(4, 4, 2)
    joined = build.concat(build.conv(build.input, 3), build.conv(build.input, 2))
    graph = build.finish(build.gap(joined))
    assert [n.kind for n in fuse_global_pool(graph).nodes] == [
        "Conv2D", "Conv2D", "Concat", "GlobalAvgPool2D"
    ]


def test_a_convolution_with_other_readers_stays() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.conv(build.input, 3)
    logits = build.gap(x)
    graph = build.finish(build.add(logits, build.gap(build.maxpool(x))))
    assert fuse_global_pool(graph).nodes == graph.nodes


def test_pooling_before_the_end_stays() -> None:
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.conv(build.gap(build.conv(build.input, 3)), 5))
    assert fuse_global_pool(graph).nodes == graph.nodes
