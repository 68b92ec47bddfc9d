import pytest

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.ir import GraphBuilder
from squeeze2c.passes.check_ending import check_ending


def test_logits_from_pooling_pass() -> None:
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.gap(build.conv(build.input, 3)))
    assert check_ending(graph) is graph
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.conv(build.input, 3, global_pool=True))
    assert check_ending(graph) is graph


def test_feature_map_is_refused() -> None:
    build = GraphBuilder(4, 4, 2)
    graph = build.finish(build.conv(build.input, 3, name="segments"))
    with pytest.raises(UnsupportedModelError, match=r"segments: .*feature map.*global average"):
        check_ending(graph)


def test_layers_after_pooling_are_refused() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.conv(build.gap(build.conv(build.input, 3), name="pool"), 10, name="dense")
    with pytest.raises(UnsupportedModelError, match=r"pool: .*followed by dense"):
        check_ending(build.finish(x))


def test_pooling_twice_is_refused() -> None:
    build = GraphBuilder(4, 4, 2)
    x = build.gap(build.gap(build.input, name="first"), name="second")
    with pytest.raises(UnsupportedModelError, match=r"first: .*followed by second"):
        check_ending(build.finish(x))


def test_no_layers_at_all() -> None:
    build = GraphBuilder(4, 4, 2, name="empty")
    with pytest.raises(UnsupportedModelError, match=r"empty: the network has no layers"):
        check_ending(build.finish(build.input))
