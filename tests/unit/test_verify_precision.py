"""Models of 16 and 64 bits are compared in the 32 bits in which they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from squeeze2c.frontend import Preprocess
from squeeze2c.verification import verify
from squeeze2c.verification.single_precision import in_float32
from tests.support.artifacts import compiled
from tests.support.tools import require_package, require_tool

require_package("onnxruntime")

KINDS = [TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE]
RNG = np.random.default_rng(0)
W1, W2 = RNG.normal(0, 0.01, (4, 3, 3, 3)), RNG.normal(0, 0.3, (5, 4, 1, 1))
IMAGES = RNG.integers(0, 256, (3, 9, 8, 3), np.uint8)


def tensor(name: str, array: np.ndarray, kind: int) -> onnx.TensorProto:
    return helper.make_tensor(name, kind, array.shape, array.ravel().tolist())


def model_of(kind: int) -> onnx.ModelProto:
    """A network in which one weight is an initialiser, one comes from Constant and Cast."""
    nodes = [
        helper.make_node("Constant", [], ["w2f"], value=tensor("", W2, TensorProto.FLOAT)),
        helper.make_node("Cast", ["w2f"], ["w2"], to=kind),
        helper.make_node("Conv", ["x", "w1"], ["conv1"], name="conv1"),
        helper.make_node("Relu", ["conv1"], ["relu1"]),
        helper.make_node("Conv", ["relu1", "w2"], ["conv2"], name="conv2"),
        helper.make_node("GlobalAveragePool", ["conv2"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", kind, (1, 3, 9, 8))],
        [helper.make_tensor_value_info("logits", kind, (1, 5, 1, 1))],
        [tensor("w1", W1, kind)],
        value_info=[helper.make_tensor_value_info("conv1", kind, (1, 4, 7, 6))],
    )  # fmt: skip
    opset = helper.make_opsetid("", 13)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8)


@pytest.mark.parametrize("reference", ["onnxruntime", "pytorch"])
@pytest.mark.parametrize("kind", KINDS, ids=TensorProto.DataType.Name)
def test_models_of_any_precision_are_verified(kind: int, reference: str, tmp_path: Path) -> None:
    require_tool("cc")
    if reference == "pytorch":
        require_package("torch")
    artifact = compiled(model_of(kind), tmp_path, IMAGES, Preprocess())
    report = verify(artifact, reference=reference, images=IMAGES, cache_dir=tmp_path)
    assert report.exact
    assert report.logit_sqnr_db > 30
    assert [layer.onnx_tensor for layer in report.layers] == ["relu1"]


@pytest.mark.parametrize("kind", KINDS, ids=TensorProto.DataType.Name)
def test_every_tensor_becomes_float32(kind: int) -> None:
    model = model_of(kind)
    before = model.SerializeToString(deterministic=True)
    result = in_float32(model)
    assert model.SerializeToString(deterministic=True) == before
    onnx.checker.check_model(result, full_check=True)
    weight = numpy_helper.to_array(result.graph.initializer[0])
    assert weight.dtype == np.float32
    np.testing.assert_allclose(weight, W1, rtol=1e-2)
    inferred = onnx.shape_inference.infer_shapes(result, strict_mode=True)
    types = {v.type.tensor_type.elem_type for v in inferred.graph.value_info}
    assert types == {TensorProto.FLOAT}


def test_integers_and_names_stay() -> None:
    shape = tensor("shape", np.array([1, 5]), TensorProto.INT64)
    model = model_of(TensorProto.DOUBLE)
    model.graph.initializer.append(shape)
    result = in_float32(model)
    assert result.graph.initializer[1] == shape
    assert [i.name for i in result.graph.initializer] == ["w1", "shape"]
