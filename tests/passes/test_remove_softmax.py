import pytest

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.ir import GraphBuilder
from squeeze2c.passes.remove_softmax import remove_softmax
from tests.passes.checks import check_pass


def test_softmax_before_flatten() -> None:
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.flatten(build.softmax(build.gap(build.input))))
    result = check_pass(
        remove_softmax,
        graph,
        """
        graph net (NCHW): image -> flatten1, then softmax
          image: f32[1x2x4x4]
          gap1: f32[1x2x1x1] = GlobalAvgPool2D(image)
          flatten1: f32[1x2] ~gap1 = Reshape(gap1) shape=1x2
        """,
    )
    assert result.softmax and not graph.softmax


def test_softmax_over_the_last_axis_of_a_vector() -> None:
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.softmax(build.flatten(build.gap(build.input)), axis=-1))
    check_pass(
        remove_softmax,
        graph,
        """
        graph net (NCHW): image -> flatten1, then softmax
          image: f32[1x2x4x4]
          gap1: f32[1x2x1x1] = GlobalAvgPool2D(image)
          flatten1: f32[1x2] = Reshape(gap1) shape=1x2
        """,
    )


def test_without_softmax_nothing_changes() -> None:
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.gap(build.input))
    assert not remove_softmax(graph).softmax


def test_softmax_within_the_network_is_refused() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.conv(build.softmax(build.conv(build.input, 3), name="attention"), 3, name="next")
    with pytest.raises(UnsupportedModelError, match=r"attention: .*only at the end.*\(next reads"):
        remove_softmax(build.finish(x))


def test_two_softmaxes_are_refused() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.softmax(build.softmax(build.gap(build.input), name="first"))
    with pytest.raises(UnsupportedModelError, match=r"first: .*only at the end"):
        remove_softmax(build.finish(x))


@pytest.mark.parametrize("axis", [2, 3, -1])
def test_softmax_over_pixels_is_refused(axis: int) -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.softmax(build.gap(build.input), axis=axis, name="strange")
    with pytest.raises(UnsupportedModelError, match=rf"strange: .*axis {axis} of a tensor") as info:
        remove_softmax(build.finish(x))
    assert info.value.attribute == "axis"


def test_softmax_of_a_feature_map_is_refused() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.softmax(build.conv(build.input, 3), name="segments")
    with pytest.raises(UnsupportedModelError, match=r"segments: .*not over all its elements"):
        remove_softmax(build.finish(x))
