"""What the graph that is read looks like, and that it computes what the model does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from squeeze2c.errors import ModelLoadError, UnsupportedModelError
from squeeze2c.frontend import load_onnx, read_onnx
from squeeze2c.ir import DType, Layout, Padding, verify_graph
from squeeze2c.reference import evaluate_float
from tests.support.onnx_compare import (
    assert_equal_to_onnxruntime,
    assert_reads,
    normal_images,
    read,
)
from tests.support.onnx_models import (
    OnnxBuilder,
    conv_chain,
    fire_net,
    odd_pads_net,
    squeezenet,
)

# --- whole networks ----------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("bypass", [False, True])
@pytest.mark.parametrize("softmax", [False, True])
def test_squeezenet(version: str, bypass: bool, softmax: bool) -> None:
    model = squeezenet(version, input_size=(65, 50), classes=9, bypass=bypass, softmax=softmax)
    graph = assert_reads(model)
    kinds = [node.kind for node in graph.nodes]
    assert kinds.count("Conv2D") == 26
    assert kinds.count("MaxPool2D") == 3
    assert kinds.count("Concat") == 8
    assert kinds.count("Add") == (4 if bypass else 0)
    assert kinds[-1] == ("Softmax" if softmax else "Reshape")
    assert not graph.softmax, "the passes remove the Softmax, not the reader"


@pytest.mark.parametrize(
    "model",
    [
        conv_chain(),
        conv_chain((4, 5, 6), input_size=(17, 23), input_channels=1, kernel=2, stride=3, pads=2),
        fire_net(bypass=True, batch_norm=True, softmax=True),
        fire_net(input_size=(31, 22), fires=3, ceil_mode=False),
        odd_pads_net(),
        odd_pads_net(input_size=(12, 31), classes=1),
    ],
)
def test_small_networks(model: onnx.ModelProto) -> None:
    assert_reads(model)


@pytest.mark.parametrize("opset", [7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 20, 21, 22, 23, 24, 25])
def test_opsets(opset: int) -> None:
    if opset > onnx.defs.onnx_opset_version():
        pytest.skip(f"this version of onnx does not know opset {opset}")
    build = OnnxBuilder((1, 3, 12, 12), opset=opset)
    x = build.relu(build.batch_norm(build.conv(build.input, 6, stride=2, relu=False)))
    x = build.max_pool(x, ceil_mode=True if opset >= 10 else None)
    x = build.dropout(build.fire(x, 3, 3, bypass=True))
    assert_reads(build.finish(build.classifier(x, 4, softmax=True)))


def test_light_squeezenet() -> None:
    """The model of the ONNX package: IR version 3, all weights from ConstantOfShape."""
    folder = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
    loaded = load_onnx(folder / "light_squeezenet.onnx")
    graph = read_onnx(loaded)
    assert graph.output_value.type.shape == (1, 1000, 1, 1)
    assert all(node.kind != "Fill" for node in graph.nodes)
    assert graph.nodes[0].name == "n0"
    assert graph.constants["conv10_w_0"].shape == (1000, 512, 1, 1)
    expected = numpy_helper.to_array(
        TensorProto.FromString((folder / "light_squeezenet_output_0.pb").read_bytes())
    )
    x = np.zeros(graph.input_value.type.shape, np.float32)
    result = evaluate_float(graph, x, keep=[graph.output])[graph.output]
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_deep_compression(shared_data: Path) -> None:
    loaded = load_onnx(shared_data / "squeezenet1_0_deepcompression.onnx")
    graph = read_onnx(loaded)
    assert graph.output_value.type.shape == (1, 1000)
    assert_equal_to_onnxruntime(loaded.proto, graph, normal_images(graph, count=1))


# --- the graph ------------------------------------------------------------------------------


def test_types_names_and_provenance() -> None:
    model = fire_net(softmax=True)
    graph = read(model)
    verify_graph(graph)
    assert graph.name == "model"
    assert graph.input == "input"
    assert graph.output == "prob"
    assert graph.input_value.type.layout is Layout.NCHW
    assert graph.input_value.type.shape == (1, 3, 24, 24)
    assert graph.output_value.type.layout is Layout.FLAT
    assert graph.output_value.type.shape == (1, 7)
    onnx_names = [node.name for node in model.graph.node]
    assert [node.name for node in graph.nodes] == onnx_names
    assert [node.provenance.onnx_nodes for node in graph.nodes] == [(n,) for n in onnx_names]
    assert all(node.provenance.passes == () for node in graph.nodes)
    for name, value in graph.values.items():
        assert value.name == value.source == name
        assert value.type.dtype is DType.FLOAT32
        assert value.quant is None
    weights = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    assert graph.constants.keys() == weights.keys()
    for name, array in graph.constants.items():
        assert array.dtype == np.float32
        assert not array.flags.writeable
        np.testing.assert_array_equal(array, weights[name])


def test_unnamed_and_equally_named_nodes() -> None:
    build = OnnxBuilder((1, 3, 8, 8))
    x = build.conv(build.input, 4, name="conv", relu=False)
    for name, output in (("", "a"), ("relu", "b"), ("relu", "c"), ("Relu_1", "d"), ("", "e")):
        x = build.node("Relu", [x], name=name, outputs=[output])
    graph = read(build.finish(build.classifier(x, 3)))
    names = ["conv", "Relu_1_2", "relu", "relu_2", "Relu_1", "Relu_5"]
    assert [node.name for node in graph.nodes[:6]] == names
    assert [node.provenance.onnx_nodes for node in graph.nodes[:6]] == [(n,) for n in names]
    assert {"a", "b", "c", "d", "e"} <= graph.values.keys()


def test_nodes_that_do_not_matter_are_left_out() -> None:
    build = OnnxBuilder((1, 3, 8, 8))
    x = build.conv(build.input, 4, name="conv")
    build.node("Sigmoid", [x], name="unsupported but unused")
    build.constant("unused weight", np.full(3, np.nan, np.float32))
    graph = assert_reads(build.finish(build.classifier(x, 3)))
    assert "unused weight" not in graph.constants
    assert all(node.name != "unsupported but unused" for node in graph.nodes)


def test_graph_without_a_name() -> None:
    model = conv_chain()
    model.graph.name = ""
    with pytest.raises(ModelLoadError):
        read(model)


def test_ceil_mode_becomes_padding() -> None:
    build = OnnxBuilder((1, 3, 8, 9))
    x = build.max_pool(build.input, 3, ceil_mode=True, name="pool")
    graph = assert_reads(build.finish(build.classifier(x, 2)))
    assert graph.node("pool").window.padding == Padding(0, 0, 1, 0)  # type: ignore[attr-defined]


# --- weights ----------------------------------------------------------------------------------


def test_weights_listed_as_inputs() -> None:
    build = OnnxBuilder((1, 3, 8, 8), opset=8)
    x = build.batch_norm(build.conv(build.input, 4))
    model = build.finish(build.classifier(x, 3), weights_as_inputs=True, ir_version=3)
    assert len(model.graph.input) > 5
    assert_reads(model)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_other_floating_point_types(kind: int) -> None:
    build = OnnxBuilder((1, 3, 10, 10), elem_type=kind, seed=4)
    x = build.batch_norm(build.conv(build.input, 4))
    model = build.finish(build.classifier(build.max_pool(x, ceil_mode=True), 3))
    graph = read(model)
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        assert array.dtype != np.float32
        assert graph.constants[tensor.name].dtype == np.float32
        np.testing.assert_array_equal(graph.constants[tensor.name], array.astype(np.float32))
    assert graph.input_value.type.dtype is DType.FLOAT32

    same = OnnxBuilder((1, 3, 10, 10), seed=4)
    y = same.batch_norm(same.conv(same.input, 4))
    as_float = read(same.finish(same.classifier(same.max_pool(y, ceil_mode=True), 3)))
    x_values = normal_images(graph, deviation=1.0)
    np.testing.assert_allclose(
        evaluate_float(graph, x_values)[graph.output],
        evaluate_float(as_float, x_values)[as_float.output],
        atol=1e-2 if kind == TensorProto.FLOAT16 else 1e-5,
    )


def test_weights_through_operators_on_constants() -> None:
    """Half-precision weights behind Cast, others behind Transpose, Identity, Reshape, Mul."""
    build = OnnxBuilder((1, 3, 9, 9))
    rng = build.rng
    half = build.constant("half", rng.normal(size=(4, 3, 3, 3)).astype(np.float16))
    weight = build.node("Cast", [half], name="cast", to=TensorProto.FLOAT)
    flat = build.constant("flat", rng.normal(size=(2, 2)).astype(np.float32))
    shape = build.constant("shape", np.array([-1], np.int64))
    bias = build.node("Reshape", [flat, shape], name="bias")
    x = build.node("Conv", [build.input, weight, bias], name="conv1")
    hwio = build.constant("hwio", rng.normal(size=(3, 3, 4, 5)).astype(np.float32))
    oihw = build.node("Transpose", [hwio], name="oihw", perm=[3, 2, 0, 1])
    factor = build.constant("factor", np.array(0.25, np.float32))
    scaled = build.node("Mul", [build.node("Identity", [oihw], name="copy"), factor], name="scaled")
    x = build.node("Conv", [x, scaled], name="conv2")
    build.channels[x] = 5
    graph = assert_reads(build.finish(build.classifier(x, 3)))
    assert [node.kind for node in graph.nodes[:2]] == ["Conv2D", "Conv2D"]
    assert set(graph.constants) == {"cast", "bias", "scaled", "conv10.weight", "conv10.bias"}


def test_shared_weights() -> None:
    build = OnnxBuilder((1, 4, 9, 9))
    weight = build.constant("w", build.rng.normal(size=(4, 4, 1, 1)).astype(np.float32))
    x = build.node("Conv", [build.node("Conv", [build.input, weight], name="a"), weight], name="b")
    assert_reads(build.finish(build.classifier(x, 3)))


def test_damaged_weight_names_the_tensor() -> None:
    model = conv_chain()
    model.graph.initializer[0].dims[0] = 7
    with pytest.raises(ModelLoadError, match=r"conv1\.weight"):
        read(model)


def test_sparse_initialisers() -> None:
    model = conv_chain()
    values = helper.make_tensor("sparse", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("indices", TensorProto.INT64, [1], [3])
    sparse = helper.make_sparse_tensor(values, indices, [8])
    model.graph.sparse_initializer.append(sparse)
    with pytest.raises(UnsupportedModelError, match="sparse"):
        read(model)
