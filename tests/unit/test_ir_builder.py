"""The graph builder and the shape inference beneath it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from squeeze2c.errors import InternalError, ShapeError
from squeeze2c.ir import DType, Graph, GraphBuilder, Layout, Padding, dump_graph, infer_type, ops
from squeeze2c.reference import evaluate_float


def small(layout: Layout = Layout.NCHW, seed: int = 0) -> Graph:
    build = GraphBuilder(11, 9, 3, layout=layout, seed=seed)
    x = build.conv(build.input, 4, kernel=(3, 2), stride=(2, 1), padding=(1, 0, 0, 2))
    x = build.maxpool(build.relu(build.batch_norm(x)), kernel=2, padding=1)
    x = build.add(build.concat(x, build.identity(x)), build.fire(x, 2, 4), relu=True)
    return build.finish(build.gap(build.conv(x, 5, bias=False)))


@pytest.mark.parametrize("layout", [Layout.NCHW, Layout.NHWC])
def test_inferred_shapes_are_those_of_the_evaluation(layout: Layout) -> None:
    graph = small(layout)
    kind = graph.input_value.type
    batch = np.zeros((2, *kind.shape[1:]), np.float32)
    for name, array in evaluate_float(graph, batch).items():
        assert array.shape[1:] == graph.values[name].type.shape[1:], name


def test_layouts_differ_in_shapes_only() -> None:
    nchw, nhwc = small(Layout.NCHW), small(Layout.NHWC)
    batch = np.random.default_rng(0).normal(size=(1, 3, 11, 9)).astype(np.float32)
    first = evaluate_float(nchw, batch)[nchw.output]
    second = evaluate_float(nhwc, batch.transpose(0, 2, 3, 1))[nhwc.output]
    np.testing.assert_allclose(first.ravel(), second.ravel(), rtol=1e-4, atol=1e-5)
    assert nhwc.output_value.type.layout is Layout.FLAT


def test_a_seed_gives_one_graph() -> None:
    assert dump_graph(small(seed=1)) == dump_graph(small(seed=1))
    assert dump_graph(small(seed=1)) != dump_graph(small(seed=2))


def test_given_weights_and_names() -> None:
    build = GraphBuilder(4, 4, 2, input_name="data", dtype=DType.UINT8)
    weight = np.arange(24, dtype=np.float64).reshape(3, 2, 2, 2)
    bias = build.constant([1, 2.5, 3], "shared_bias")
    x = build.conv(build.input, weight=weight, bias=bias, padding=Padding(1, 0, 0, 0), name="c")
    graph = build.finish(x)
    node = graph.node("c")
    assert isinstance(node, ops.Conv2D)
    assert node.window.kernel == (2, 2)
    assert node.inputs == ("data", "c.weight", "shared_bias")
    assert graph.constants["c.weight"].dtype == np.float32
    assert graph.values["c"].source == "c"
    assert node.provenance.onnx_nodes == ("c",)
    assert graph.values["c"].type.shape == (1, 3, 4, 3)
    assert graph.input_value.type.dtype is DType.UINT8


def test_activations_keep_their_magnitude() -> None:
    build = GraphBuilder(16, 16, 3)
    x = build.input
    for _ in range(10):
        x = build.relu(build.conv(x, 16, kernel=3, padding=1))
    batch = np.random.default_rng(0).normal(size=(1, 3, 16, 16))
    graph = build.finish(x)
    assert 0.05 < evaluate_float(graph, batch)[x].std() < 20


def test_names_are_unique_and_known() -> None:
    build = GraphBuilder(4, 4, 2)
    build.relu(build.input, name="a")
    with pytest.raises(InternalError, match="'a' is taken"):
        build.relu(build.input, name="a")
    with pytest.raises(InternalError, match="'image' is taken"):
        build.constant([1.0], "image")
    with pytest.raises(InternalError, match="nothing is called 'b'"):
        build.relu("b")
    with pytest.raises(InternalError, match="number of channels"):
        build.conv(build.input)


MISFITS: list[tuple[Callable[[GraphBuilder], str], str]] = [
    (lambda b: b.conv(b.input, 2, kernel=6), "does not fit a feature map of 5x4"),
    (lambda b: b.conv(b.input, weight=np.zeros((2, 4, 1, 1))), "do not fit 3 input channels"),
    (lambda b: b.conv(b.input, weight=np.zeros((2, 3, 1, 1)), bias=[1.0]), "expected 2 constants"),
    (lambda b: b.conv(b.flatten(b.input), weight=np.zeros((2, 3, 1, 1))), "needs a feature map"),
    (lambda b: b.conv(b.input, 2, stride=0), "must be positive"),
    (lambda b: b.conv(b.input, 2, padding=(0, -1, 0, 0)), "must be positive"),
    (lambda b: b.maxpool(b.input, kernel=2, padding=2), "smaller than the kernel"),
    (lambda b: b.maxpool(b.input, kernel=(2, 5)), "does not fit"),
    (lambda b: b.concat(b.input, b.maxpool(b.input)), "cannot concatenate"),
    (lambda b: b.concat(), "has no inputs"),
    (lambda b: b.concat(b.constant(np.zeros((1, 3, 5, 4))), b.input), "must not be a constant"),
    (lambda b: b.add(b.input, b.conv(b.input, 2)), "shapes differ"),
    (lambda b: b.batch_norm(b.input, mean=[1.0]), "expected 3 statistics"),
    (lambda b: b.reshape(b.input, (1, 59)), "cannot reshape 1x3x5x4 to 1x59"),
    (lambda b: b.softmax(b.input, axis=4), "axis 4 is out of range"),
]


@pytest.mark.parametrize(("make", "message"), MISFITS, ids=[m for _, m in MISFITS])
def test_operands_that_do_not_fit(make: Callable[[GraphBuilder], str], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        make(GraphBuilder(5, 4, 3))


def test_only_the_channel_axis_is_concatenated() -> None:
    kind = GraphBuilder(5, 4, 3).type("image")
    node = ops.Concat(name="rows", inputs=("a", "b"), output="c", axis=2)
    with pytest.raises(ShapeError, match="only the channel axis 1"):
        infer_type(node, [kind, kind])


def test_unknown_operators_and_missing_operands() -> None:
    node = ops.Node(name="n", inputs=(), output="o")
    with pytest.raises(ShapeError, match="no shape inference for Node"):
        infer_type(node, [])
    with pytest.raises(ShapeError, match="has 0 inputs, expected 1"):
        infer_type(ops.Relu(name="r", inputs=(), output="o"), [])
    with pytest.raises(ShapeError, match="operand 0 is missing"):
        infer_type(ops.GlobalAvgPool2D(name="r", inputs=(), output="o"), [])
