"""Files that are, and are not, ONNX models."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from squeeze2c.errors import ModelLoadError
from squeeze2c.frontend import LoadedModel, load_onnx, read_onnx
from squeeze2c.frontend.model_rules import NEWEST_OPSET, OLDEST_OPSET
from squeeze2c.reference import evaluate_float
from tests.support.onnx_models import conv_chain, fire_net, run_onnxruntime, save


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    return save(conv_chain(), tmp_path / "model.onnx")


def refused(path: Path, words: str) -> ModelLoadError:
    """The one-line error that loading ``path`` gives."""
    with pytest.raises(ModelLoadError) as caught:
        load_onnx(path)
    text = str(caught.value)
    assert words in text
    assert "\n" not in text
    assert str(path) in text
    assert caught.value.exit_code == 2
    return caught.value


def test_loads_path_or_text(model_file: Path) -> None:
    for path in (model_file, str(model_file)):
        loaded = load_onnx(path)
        assert isinstance(loaded, LoadedModel)
        assert loaded.path == model_file
        assert loaded.sha256 == hashlib.sha256(model_file.read_bytes()).hexdigest()
        assert loaded.proto == onnx.load_model(model_file)
        assert loaded.opset == 13


def test_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "none.onnx", "no such file")


def test_folder(tmp_path: Path) -> None:
    refused(tmp_path, "folder")


def test_name_that_no_file_can_have(tmp_path: Path) -> None:
    refused(tmp_path / "a\0b.onnx", "cannot read this file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission(model_file: Path) -> None:
    model_file.chmod(0)
    refused(model_file, "cannot read this file")


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.onnx"
    path.touch()
    refused(path, "empty")


@pytest.mark.parametrize("part", [1, 10, 50, 90, 99])
def test_truncated_file(model_file: Path, part: int) -> None:
    data = model_file.read_bytes()
    model_file.write_bytes(data[: len(data) * part // 100])
    refused(model_file, "ONNX")


@pytest.mark.parametrize(
    "data",
    [
        b"hello, this is no model\n",
        b"PK\x03\x04" + bytes(100),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        bytes(1000),
        b'{"a": 1}',
        b"\x80\x02}q\x00.",
    ],
)
def test_other_kinds_of_file(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(data)
    refused(path, "not an ONNX")


def test_tensor_file_is_not_a_model(tmp_path: Path) -> None:
    path = tmp_path / "tensor.pb"
    path.write_bytes(onnx.numpy_helper.from_array(np.ones(3), "x").SerializeToString())
    refused(path, "ONNX")


def test_name_that_is_not_text(model_file: Path) -> None:
    data = model_file.read_bytes()
    model_file.write_bytes(data.replace(b"conv1.weight", b"conv1.w\xff\xfeght"))
    refused(model_file, "a name is not text")


@pytest.mark.parametrize("opset", [1, OLDEST_OPSET - 1, NEWEST_OPSET + 1, 999])
def test_opset_out_of_range(tmp_path: Path, opset: int) -> None:
    model = conv_chain()
    model.opset_import[0].version = opset
    error = refused(save(model, tmp_path / "m.onnx"), f"opset {opset}")
    assert f"{OLDEST_OPSET} to {NEWEST_OPSET}" in str(error)


def test_no_opset(tmp_path: Path) -> None:
    model = conv_chain()
    model.opset_import[0].domain = "ai.onnx.ml"
    refused(save(model, tmp_path / "m.onnx"), "which version of the ONNX operators")


@pytest.mark.parametrize(("version", "words"), [(0, "version 0"), (1, "version 1"), (99, "newer")])
def test_ir_version_out_of_range(tmp_path: Path, version: int, words: str) -> None:
    model = conv_chain()
    model.ir_version = version
    refused(save(model, tmp_path / "m.onnx"), words)


def test_checker_failure_is_one_line(tmp_path: Path) -> None:
    model = conv_chain()
    model.graph.node[0].input[0] = "nowhere"
    refused(save(model, tmp_path / "m.onnx"), "'nowhere'")


def test_unknown_operator(tmp_path: Path) -> None:
    model = conv_chain()
    model.graph.node[1].op_type = "Frobnicate"
    refused(save(model, tmp_path / "m.onnx"), "Frobnicate")


# --- external data --------------------------------------------------------------------


@pytest.fixture
def external(tmp_path: Path) -> Path:
    """A model whose weights lie in ``weights.bin`` beside it."""
    path = tmp_path / "folder" / "model.onnx"
    path.parent.mkdir()
    onnx.save_model(
        fire_net(batch_norm=True),
        path,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    return path


def test_external_data_is_inlined(
    external: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = load_onnx(Path("folder") / "model.onnx")
    assert loaded.sha256 == hashlib.sha256(external.read_bytes()).hexdigest()
    (external.parent / "weights.bin").unlink()
    graph = read_onnx(loaded)
    x = np.random.default_rng(0).normal(0, 64, graph.input_value.type.shape).astype(np.float32)
    expected = run_onnxruntime(fire_net(batch_norm=True), x)[graph.output]
    np.testing.assert_allclose(evaluate_float(graph, x)[graph.output], expected, atol=1e-4)
    # The inlined model stands on its own.
    alone = onnx.ModelProto.FromString(loaded.proto.SerializeToString())
    onnx.checker.check_model(alone)
    assert all(t.data_location == onnx.TensorProto.DEFAULT for t in alone.graph.initializer)


def test_external_data_missing(external: Path) -> None:
    (external.parent / "weights.bin").unlink()
    refused(external, "the file 'weights.bin' with its external data is missing")


def test_external_data_truncated(external: Path) -> None:
    weights = external.parent / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:100])
    refused(external, "external data")


def test_external_data_outside_the_folder(external: Path) -> None:
    (external.parent / "weights.bin").rename(external.parent.parent / "weights.bin")
    model = onnx.load_model(external, load_external_data=False)
    for tensor in model.graph.initializer:
        tensor.external_data[0].value = "../weights.bin"
    external.write_bytes(model.SerializeToString())
    refused(external, "external data")


# --- local functions ----------------------------------------------------------------------


def test_local_functions_are_inlined(tmp_path: Path) -> None:
    model = conv_chain()
    opset = helper.make_opsetid("", 13)
    body = [helper.make_node("Relu", ["a"], ["b"])]
    model.functions.append(helper.make_function("local", "Rectify", ["a"], ["b"], body, [opset]))
    model.opset_import.append(helper.make_opsetid("local", 1))
    relu = model.graph.node[1]
    assert relu.op_type == "Relu"
    relu.op_type, relu.domain = "Rectify", "local"
    loaded = load_onnx(save(model, tmp_path / "m.onnx"))
    assert not loaded.proto.functions
    graph = read_onnx(loaded)
    assert [n.kind for n in graph.nodes[:2]] == ["Conv2D", "Relu"]
