"""How networks begin and end: the model's input, its output, and the way to logits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from squeeze2c.errors import ShapeError, UnsupportedModelError, UsageError
from squeeze2c.frontend import load_onnx, read_onnx
from tests.support.onnx_compare import (
    assert_equal_to_onnxruntime,
    assert_reads,
    normal_images,
    read,
)
from tests.support.onnx_models import OnnxBuilder, conv_chain, save

# --- how networks end ---------------------------------------------------------------------------


def ending(tail: str) -> onnx.ModelProto:
    """A network of 5 classes that ends as ``tail`` says."""
    opset = 18 if tail == "axes as input" else 13
    build = OnnxBuilder((1, 3, 9, 7), opset=opset)
    x = build.conv(build.input, 5)

    def integers(*values: int) -> str:
        return build.constant(build.fresh("integers"), np.array(values, np.int64))

    match tail:
        case "pool only":
            x = build.node("GlobalAveragePool", [x])
        case "average pool":
            x = build.node("AveragePool", [x], kernel_shape=[7, 5], strides=[7, 5])
        case "mean keeps axes":
            x = build.node("ReduceMean", [x], axes=[-1, -2], keepdims=1)
        case "mean drops axes":
            x = build.node("ReduceMean", [x], axes=[2, 3], keepdims=0)
        case "axes as input":
            x = build.node("ReduceMean", [x, integers(3, 2)], keepdims=0)
        case "softmax of map":
            x = build.node("Softmax", [build.node("GlobalAveragePool", [x])], axis=1)
        case "softmax then flatten":
            x = build.node("Softmax", [build.node("GlobalAveragePool", [x])], axis=-3)
            x = build.node("Flatten", [x])
        case "squeeze twice":
            x = build.node("GlobalAveragePool", [x])
            x = build.node("Squeeze", [x, integers(-1)])
            x = build.node("Squeeze", [x, integers(2)])
        case "reshape to itself":
            x = build.node("Reshape", [x, integers(1, 5, 7, 5)])
            x = build.node("GlobalAveragePool", [x])
            x = build.node("Reshape", [x, integers(0, -1)])
        case "nothing pads":
            x = build.node("Pad", [x, integers(*[0] * 8)])
            x = build.node("Flatten", [build.node("GlobalAveragePool", [x])], axis=-3)
    return build.finish(x, output_shape=(1, 5))


@pytest.mark.parametrize(
    "tail",
    [
        "pool only", "average pool", "mean keeps axes", "mean drops axes", "axes as input",
        "softmax of map", "softmax then flatten", "squeeze twice", "reshape to itself",
        "nothing pads",
    ],
)
def test_endings(tail: str) -> None:
    graph = assert_reads(ending(tail))
    assert sum(node.kind == "GlobalAvgPool2D" for node in graph.nodes) == 1


def test_mean_without_axes_becomes_two_nodes() -> None:
    graph = read(ending("mean drops axes"))
    pool, flatten = graph.nodes[-2:]
    assert (pool.name, flatten.name) == ("reducemean1/pool", "reducemean1")
    assert pool.provenance == flatten.provenance
    assert graph.values[pool.output].source == ""
    assert graph.values[flatten.output].source == "reducemean1"


@pytest.mark.parametrize("opset", [9, 13])
def test_shape_arithmetic_is_folded(opset: int) -> None:
    """``x.view(x.size(0), -1)`` as PyTorch exports it for a dynamic batch."""
    build = OnnxBuilder(("n", 3, 9, 9), opset=opset)
    x = build.node("GlobalAveragePool", [build.conv(build.input, 5)])
    shape = build.node("Shape", [x])
    index = build.node("Constant", [], value=numpy_helper.from_array(np.array(0, np.int64)))
    batch = build.node("Gather", [shape, index], axis=0)
    axes = build.constant("axes", np.array([0], np.int64))
    if opset < 13:
        batch = build.node("Unsqueeze", [batch], axes=[0])
    else:
        batch = build.node("Unsqueeze", [batch, axes])
    rest = build.node("Constant", [], value=numpy_helper.from_array(np.array([-1], np.int64)))
    target = build.node("Concat", [batch, rest], axis=0)
    x = build.node("Reshape", [x, target])
    model = build.finish(x, output_shape=("n", 5))
    graph = read(model, (1, 3, 9, 9))
    assert [n.kind for n in graph.nodes] == ["Conv2D", "Relu", "GlobalAvgPool2D", "Reshape"]
    assert_equal_to_onnxruntime(model, graph, normal_images(graph))


def test_output_that_is_a_map() -> None:
    build = OnnxBuilder((1, 3, 8, 8))
    model = build.finish(build.conv(build.input, 4))
    with pytest.raises(ShapeError, match=r"output 'conv1\.relu'.*\(1, 4, 6, 6\).*average pooling"):
        read(model)


def test_output_that_does_not_depend_on_the_input() -> None:
    build = OnnxBuilder((1, 3, 8, 8))
    x = build.node("Identity", [build.constant("c", np.ones((1, 3), np.float32))])
    with pytest.raises(UnsupportedModelError, match="is not computed from input 'input'"):
        read(build.finish(x))


# --- the input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (("n", 3, 16, 16), r"\(n, 3, 16, 16\) is not static.*--input-shape 1,3,16,16"),
        ((1, 3, "h", "w"), r"\(1, 3, h, w\) is not static.*--input-shape 1,3,224,224"),
        ((1, 3, None, 16), r"\(1, 3, \?, 16\) is not static.*--input-shape 1,3,224,16"),
    ],
)
def test_dynamic_input(declared: tuple[int | str | None, ...], words: str) -> None:
    build = OnnxBuilder(declared)
    model = build.finish(build.classifier(build.conv(build.input, 4), 3))
    with pytest.raises(ShapeError, match=words) as caught:
        read(model)
    assert "input 'input'" in str(caught.value)
    graph = read(model, (1, 3, 16, 16))
    assert graph.input_value.type.shape == (1, 3, 16, 16)
    assert_equal_to_onnxruntime(model, graph, normal_images(graph))


def test_input_without_a_shape(tmp_path: Path) -> None:
    model = conv_chain()
    path = save(model, tmp_path / "m.onnx")
    loaded = load_onnx(path)
    loaded.proto.graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises(ShapeError, match="--input-shape 1,3,224,224"):
        read_onnx(loaded)
    assert read_onnx(loaded, (1, 3, 16, 16)).input_value.type.shape == (1, 3, 16, 16)


def test_pinning_must_agree_with_the_file() -> None:
    model = conv_chain()
    sizes = np.array([1, 3, 16, 16])
    assert read(model, tuple(sizes)).input_value.type.shape == (1, 3, 16, 16)
    with pytest.raises(ShapeError, match=r"\(1, 3, 16, 16\), which does not agree with"):
        read(model, (1, 3, 16, 17))


@pytest.mark.parametrize("pinned", [(1, 3, 16), (1, 3, 16, 0), (1, 3, -1, 16), (1, 3, 16, 2.5)])
def test_pinning_needs_four_positive_numbers(pinned: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="four positive numbers"):
        read(conv_chain(), pinned)  # type: ignore[arg-type]


def test_batch_must_be_one() -> None:
    build = OnnxBuilder((8, 3, 16, 16))
    model = build.finish(build.classifier(build.conv(build.input, 4), 3))
    with pytest.raises(ShapeError, match="the batch is 8"):
        read(model)
    dynamic = OnnxBuilder(("n", 3, 16, 16))
    model = dynamic.finish(dynamic.classifier(dynamic.conv(dynamic.input, 4), 3))
    with pytest.raises(ShapeError, match="the batch is 4"):
        read(model, (4, 3, 16, 16))


@pytest.mark.parametrize("shape", [(1, 3, 16), (1, 3, 16, 16, 16), (1, 48)])
def test_input_rank(shape: tuple[int, ...]) -> None:
    build = OnnxBuilder(shape)
    with pytest.raises(ShapeError, match="NCHW"):
        read(build.finish(build.relu(build.input)))


def test_input_type() -> None:
    build = OnnxBuilder((1, 3, 8, 8), elem_type=TensorProto.UINT8)
    x = build.max_pool(build.input, 2)
    with pytest.raises(UnsupportedModelError, match=r"type UINT8 \(give the float model"):
        read(build.finish(x))


def test_several_inputs() -> None:
    model = conv_chain()
    del model.graph.initializer[0]
    shape = [8, 3, 3, 3]
    info = helper.make_tensor_value_info("conv1.weight", TensorProto.FLOAT, shape)
    model.graph.input.append(info)
    with pytest.raises(UnsupportedModelError, match=r"2 inputs: 'input', 'conv1\.weight'"):
        read(model)


def test_no_input() -> None:
    model = conv_chain()
    shape = (1, 3, 16, 16)
    model.graph.initializer.append(numpy_helper.from_array(np.ones(shape, np.float32), "input"))
    with pytest.raises(UnsupportedModelError, match="no input"):
        read(model)


def test_several_outputs() -> None:
    build = OnnxBuilder((1, 3, 8, 8))
    x = build.conv(build.input, 4)
    with pytest.raises(UnsupportedModelError, match="2 outputs"):
        read(build.finish(build.classifier(x, 3), x))
