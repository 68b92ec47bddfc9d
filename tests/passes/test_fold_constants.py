import pytest

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.ir import GraphBuilder
from squeeze2c.passes.fold_constants import fold_constants
from tests.passes.checks import check_pass


def test_filled_weights_become_constants() -> None:
    build = GraphBuilder(4, 4, 2)
    weight = build.identity(build.fill((3, 2, 1, 1), 0.5))
    bias = build.relu(build.reshape(build.constant([[-1.0, 2.0, 3.0]], "b"), (3,)))
    graph = build.finish(build.conv(build.input, weight=weight, bias=bias))
    result = check_pass(
        fold_constants,
        graph,
        """
        graph net (NCHW): image -> conv1
          image: f32[1x2x4x4]
          conv1: f32[1x3x4x4] = Conv2D(image, identity1[3x2x1x1], relu1[3])
        """,
    )
    assert result.constants["identity1"].tolist() == [[[[0.5]], [[0.5]]]] * 3
    assert result.constants["relu1"].tolist() == [0.0, 2.0, 3.0]


def test_sum_of_constants() -> None:
    build = GraphBuilder(4, 4, 1)
    bias = build.add(build.fill((2,), 1.5), build.constant([1.0, -4.0]))
    result = fold_constants(build.finish(build.conv(build.input, 2, bias=bias)))
    assert result.constants["add1"].tolist() == [2.5, -2.5]


def test_unused_nodes_are_dropped() -> None:
    build = GraphBuilder(4, 4, 1)
    kept = build.conv(build.input, 2)
    build.softmax(build.relu(kept))
    check_pass(
        fold_constants,
        build.finish(kept),
        """
        graph net (NCHW): image -> conv1
          image: f32[1x1x4x4]
          conv1: f32[1x2x4x4] = Conv2D(image, conv1.weight[2x1x1x1], conv1.bias[2])
        """,
    )


def test_constant_output_is_refused() -> None:
    build = GraphBuilder(4, 4, 1)
    with pytest.raises(UnsupportedModelError, match=r"fill1: .*does not depend on its input"):
        fold_constants(build.finish(build.fill((1, 10))))


def test_computed_constants_beyond_the_simple_are_refused() -> None:
    build = GraphBuilder(4, 4, 1)
    weight = build.softmax(build.fill((3, 1, 1, 1)))
    with pytest.raises(UnsupportedModelError, match=r"softmax1: Softmax computes a constant"):
        fold_constants(build.finish(build.conv(build.input, weight=weight)))


def test_weights_computed_from_the_image_are_refused() -> None:
    build = GraphBuilder(1, 1, 1)
    weight = build.relu(build.input)
    graph = build.finish(build.conv(build.input, weight=weight, name="dynamic"))
    with pytest.raises(UnsupportedModelError, match=r"dynamic: Conv2D: input 1 \(relu1\)"):
        fold_constants(graph)


def test_constant_feature_maps_are_refused() -> None:
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.add(build.input, build.fill((1, 2, 4, 4), 1.0), name="sum"))
    with pytest.raises(UnsupportedModelError, match=r"sum: Add: input 1 \(fill1\) is constant"):
        fold_constants(graph)
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.concat(build.fill((1, 2, 4, 4), 1.0), build.input, name="join"))
    with pytest.raises(UnsupportedModelError, match=r"join: Concat: input 0 \(fill1\)"):
        fold_constants(graph)
