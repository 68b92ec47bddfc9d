"""Every rule of the constraint table refuses what it should, in words that help."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import helper

from squeeze2c.errors import ShapeError, Squeeze2cError, UnsupportedModelError
from squeeze2c.frontend import load_onnx, read_onnx
from squeeze2c.frontend.constraints import ALTERNATIVES, OPERATORS
from tests.support.node_recipes import COMPUTED, Case, pooled
from tests.support.onnx_models import OnnxBuilder, save
from tests.support.refused_nodes import CASES, MINIMAL


def read(case: Case, folder: Path) -> None:
    build = OnnxBuilder((1, 3, 8, 9), opset=case.opset)
    x = build.conv(build.input, 4, 1, relu=False, name="map")
    output = case.recipe(build, x)
    model = build.finish(output, output_shape=(1, 4), check=False)
    # A shape that ONNX infers, even a wrong one, must not matter; the node's checks must.
    read_onnx(load_onnx(save(model, folder / "m.onnx")))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_broken_rule_is_named(case: Case, tmp_path: Path) -> None:
    rule = next(r for r in OPERATORS[case.op].rules if r.text == case.rule)
    with pytest.raises(Squeeze2cError) as caught:
        read(case, tmp_path)
    error = caught.value
    assert case.words in error.message
    assert error.where == f"it ({case.op})"
    assert error.hint == f"squeeze2c reads {case.op} where {case.rule}"
    assert "\n" not in str(error)
    assert error.exit_code == 2
    if rule.shape:
        assert type(error) is ShapeError
    else:
        assert isinstance(error, UnsupportedModelError)
        assert error.op == case.op
        assert error.attribute == (rule.attribute or None)


# Where all inputs are constant, so is an Identity, and it is computed while the model is read.
_UNREACHABLE = {("Identity", COMPUTED)}


def test_every_rule_has_a_case() -> None:
    rules = {(op.name, rule.text) for op in OPERATORS.values() for rule in op.rules}
    assert rules - {(case.op, case.rule) for case in CASES} == _UNREACHABLE


@pytest.mark.parametrize("op", sorted(MINIMAL))
def test_minimal_nodes_are_supported(op: str, tmp_path: Path) -> None:
    """The cases above fail for the reason they name: without it the node is read."""
    build = OnnxBuilder((1, 3, 8, 9))
    x = build.conv(build.input, 4, 1, relu=False, name="map")
    if op in ("Flatten", "Softmax"):
        x = pooled(build, x)
    x = MINIMAL[op](build, x)
    if op in ("Relu", "Clip", "MaxPool", "Conv", "BatchNormalization", "Pad", "Dropout"):
        x = pooled(build, x)
    model = build.finish(x, output_shape=(1, 4))
    graph = read_onnx(load_onnx(save(model, tmp_path / "m.onnx")))
    node_ = next(n for n in graph.nodes if n.output == "it")
    assert node_.kind in OPERATORS[op].becomes


# --- operators that are not in the table ---------------------------------------------------


def test_unsupported_operator(tmp_path: Path) -> None:
    build = OnnxBuilder((1, 3, 8, 8))
    x = build.node("Sigmoid", [build.input], name="gate")
    with pytest.raises(UnsupportedModelError, match="operator Sigmoid is not supported") as caught:
        read_onnx(load_onnx(save(build.finish(x), tmp_path / "m.onnx")))
    assert caught.value.op == "Sigmoid"
    assert caught.value.where == "gate (Sigmoid)"
    assert "AveragePool, BatchNormalization" in str(caught.value)


def test_unsupported_operator_with_advice(tmp_path: Path) -> None:
    build = OnnxBuilder((1, 3, 8, 8))
    x = build.node("Transpose", [build.input], name="t", perm=[0, 2, 3, 1])
    with pytest.raises(UnsupportedModelError) as caught:
        read_onnx(load_onnx(save(build.finish(x), tmp_path / "m.onnx")))
    assert caught.value.hint == ALTERNATIVES["Transpose"]


def test_unnamed_node_is_told_by_its_output(tmp_path: Path) -> None:
    build = OnnxBuilder((1, 3, 8, 8))
    x = build.relu(build.input)
    x = build.node("Sigmoid", [x], name="", outputs=["gated"])
    with pytest.raises(UnsupportedModelError) as caught:
        read_onnx(load_onnx(save(build.finish(x), tmp_path / "m.onnx")))
    assert caught.value.where == "Sigmoid_1 (Sigmoid without a name, output 'gated')"


def test_operator_of_another_domain(tmp_path: Path) -> None:
    build = OnnxBuilder((1, 3, 8, 8))
    model = build.finish(build.relu(build.input))
    model.graph.node[0].domain = "com.example"
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    with pytest.raises(UnsupportedModelError, match=r"Relu of domain 'com\.example'"):
        read_onnx(load_onnx(save(model, tmp_path / "m.onnx")))


def test_standard_domain_by_its_long_name(tmp_path: Path) -> None:
    build = OnnxBuilder((1, 3, 8, 8))
    x = pooled(build, build.relu(build.input))
    model = build.finish(x)
    for item in (*model.graph.node, *model.opset_import):
        item.domain = "ai.onnx"
    assert len(read_onnx(load_onnx(save(model, tmp_path / "m.onnx"))).nodes) == 2
