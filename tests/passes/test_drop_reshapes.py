import pytest

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.ir import GraphBuilder
from squeeze2c.passes.drop_reshapes import drop_reshapes
from tests.passes.checks import check_pass


def test_flatten_after_pooling_names_the_logits() -> None:
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.flatten(build.gap(build.input), name="logits"))
    check_pass(
        drop_reshapes,
        graph,
        """
        graph net (NCHW): image -> gap1
          image: f32[1x2x4x4]
          gap1: f32[1x2x1x1] ~logits = GlobalAvgPool2D(image)
        """,
    )


def test_there_and_back_again() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.reshape(build.gap(build.input), (1, 2, 1), name="squeezed")
    x = build.reshape(x, (1, 2, 1, 1), name="unsqueezed")
    graph = build.finish(build.relu(build.flatten(x)))
    check_pass(
        drop_reshapes,
        graph,
        """
        graph net (NCHW): image -> relu1
          image: f32[1x2x4x4]
          gap1: f32[1x2x1x1] ~flatten1 = GlobalAvgPool2D(image)
          relu1: f32[1x2x1x1] = Relu(gap1)
        """,
    )


def test_reshape_to_the_same_shape_anywhere() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.reshape(build.conv(build.input, 3), (1, 3, 4, 4))
    check_pass(
        drop_reshapes,
        build.finish(build.relu(x)),
        """
        graph net (NCHW): image -> relu1
          image: f32[1x2x4x4]
          conv1: f32[1x3x4x4] = Conv2D(image, conv1.weight[3x2x1x1], conv1.bias[3])
          relu1: f32[1x3x4x4] = Relu(conv1)
        """,
    )


@pytest.mark.parametrize("shape", [(1, 32), (1, 8, 2, 2), (1, 4, 4, 2)])
def test_reshapes_that_move_pixels_are_refused(shape: tuple[int, ...]) -> None:
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.reshape(build.input, shape, name="mix"))
    with pytest.raises(UnsupportedModelError, match=r"mix: .*\(1, 2, 4, 4\) is reshaped to"):
        drop_reshapes(graph)


def test_vector_to_pixels_is_refused() -> None:
    build = GraphBuilder(4, 4, 8)
    graph = build.finish(build.reshape(build.gap(build.input), (1, 2, 2, 2), name="unfold"))
    with pytest.raises(UnsupportedModelError, match=r"unfold: "):
        drop_reshapes(graph)
