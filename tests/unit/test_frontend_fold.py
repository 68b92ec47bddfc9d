"""Operators on constants against the reference implementation of ONNX."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.frontend.fold import ELEMENT_LIMIT, FOLDED, fold
from squeeze2c.frontend.node import OnnxNode, Scope

CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
SIZES = np.array([1, 10, 7, 5], np.int64)


@dataclass(frozen=True)
class Case:
    op: str
    inputs: tuple[Any, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    opset: int = 13

    def __str__(self) -> str:
        return "-".join([self.op, str(self.opset), *self.attributes])


def integers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


TENSOR = numpy_helper.from_array(CUBE)
CASES = [
    Case("Constant", attributes={"value": TENSOR}),
    Case("Constant", attributes={"value_int": 7}),
    Case("Constant", attributes={"value_ints": [1, -2]}),
    Case("Constant", attributes={"value_float": 0.5}),
    Case("Constant", attributes={"value_floats": [0.5, 1.5]}),
    Case("ConstantOfShape", (integers(2, 3),)),
    Case(
        "ConstantOfShape",
        (integers(4),),
        {"value": numpy_helper.from_array(np.array([9], np.int64))},
    ),
    Case("ConstantOfShape", (np.zeros(0, np.int64),)),
    Case("Shape", (CUBE,)),
    Case("Shape", (CUBE,), {"start": -2}, 15),
    Case("Shape", (CUBE,), {"start": 1, "end": 9}, 15),
    Case("Size", (CUBE,)),
    Case("Gather", (SIZES, np.array(1, np.int64))),
    Case("Gather", (CUBE, integers(2, 0, -1)), {"axis": 1}),
    Case("Slice", (SIZES, integers(1), integers(3))),
    Case("Slice", (CUBE, integers(0, -3), integers(9, -1), integers(0, 2), integers(1, 2))),
    Case("Slice", (CUBE, integers(-1), integers(-(2**63)), integers(2), integers(-1))),
    Case("Slice", (CUBE,), {"starts": [1], "ends": [2]}, 9),
    Case("Slice", (CUBE,), {"starts": [1, 0], "ends": [9, -1], "axes": [2, 1]}, 9),
    Case("Concat", (integers(1), integers(-1, 3)), {"axis": 0}),
    Case("Concat", (CUBE, CUBE), {"axis": -1}),
    Case("Unsqueeze", (CUBE,), {"axes": [0, 3]}, 11),
    Case("Unsqueeze", (CUBE, integers(-1, 0))),
    Case("Unsqueeze", (np.array(3, np.int64), integers(0))),
    Case("Squeeze", (CUBE[:1],)),
    Case("Squeeze", (CUBE[:1],), {"axes": [0]}, 11),
    Case("Squeeze", (CUBE[:, :1], integers(-2))),
    Case("Reshape", (CUBE, integers(0, -1))),
    Case("Reshape", (CUBE, integers(24))),
    Case("Transpose", (CUBE,)),
    Case("Transpose", (CUBE,), {"perm": [1, 2, 0]}),
    Case("Identity", (CUBE,)),
    Case("Cast", (CUBE,), {"to": TensorProto.INT64}),
    Case("Cast", (CUBE,), {"to": TensorProto.FLOAT16}),
    Case("Cast", (SIZES,), {"to": TensorProto.FLOAT}),
    Case("Add", (SIZES, integers(3))),
    Case("Sub", (CUBE, CUBE[0])),
    Case("Mul", (CUBE, np.array(0.5, np.float32))),
    Case("Div", (CUBE, np.array(3, np.float32))),
    Case("Div", (integers(7, 8, 9), integers(2, 3, 3))),
]


def node_of(case: Case) -> OnnxNode:
    """The node of ``case`` among constants."""
    names = [f"in{i}" for i in range(len(case.inputs))]
    proto = helper.make_node(case.op, names, ["out"], **case.attributes)
    tensors = {n: numpy_helper.from_array(a, n) for n, a in zip(names, case.inputs, strict=True)}
    scope = Scope("m.onnx", case.opset, "out", tensors, {})
    return OnnxNode(proto, "it", scope)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_value_is_that_of_onnx(case: Case) -> None:
    node = node_of(case)
    graph = helper.make_graph(
        [node.proto],
        "g",
        [],
        [onnx.ValueInfoProto(name="out")],
        list(node.scope.initializers.values()),
    )
    opset = helper.make_opsetid("", case.opset)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    (expected,) = ReferenceEvaluator(model).run(None, {})
    result = fold(node)
    assert result is not None
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)
    assert result.shape == np.shape(expected)


def test_every_operator_has_a_case() -> None:
    assert {case.op for case in CASES} == set(FOLDED)


def test_integers_are_divided_towards_zero() -> None:
    result = fold(node_of(Case("Div", (integers(-7, 7, -7), integers(2, -2, -2)))))
    assert result is not None
    assert result.tolist() == [-3, -3, 3]


def test_shape_and_size_of_a_feature_map_are_constant() -> None:
    for op, expected in (("Shape", [1, 3, 8, 9]), ("Size", 216)):
        node = OnnxNode(
            helper.make_node(op, ["x"], ["out"]),
            "it",
            Scope("m", 13, "out", {}, {}, {"x": (1, 3, 8, 9)}),
        )
        result = fold(node)
        assert result is not None
        assert result.tolist() == expected


def test_what_depends_on_the_input_is_not_folded() -> None:
    scope = Scope("m", 13, "out", {}, {}, {"x": (1, 3, 8, 9)}, {"c": CUBE})
    for op, inputs in (("Add", ["x", "c"]), ("Identity", ["x"]), ("Sigmoid", ["c"])):
        assert fold(OnnxNode(helper.make_node(op, inputs, ["out"]), "it", scope)) is None


def test_operators_of_other_domains_are_not_folded() -> None:
    node = node_of(Case("Add", (CUBE, CUBE), {"domain": "com.example"}))
    assert fold(node) is None


@pytest.mark.parametrize(
    "case",
    [
        Case("Constant", attributes={"value_string": "text"}),
        Case("ConstantOfShape", (integers(-1),)),
        Case("ConstantOfShape", (integers(ELEMENT_LIMIT, 2),)),
        Case("ConstantOfShape", (np.ones(2, np.float32),)),
        Case("Gather", (SIZES, integers(4))),
        Case("Gather", (SIZES, integers(0)), {"axis": 1}),
        Case("Slice", (CUBE, integers(0), integers(1), integers(5))),
        Case("Slice", (CUBE, integers(0), integers(1), integers(0), integers(0))),
        Case("Slice", (CUBE, integers(0, 1), integers(1))),
        Case("Concat", (CUBE, SIZES), {"axis": 0}),
        Case("Unsqueeze", (CUBE, integers(9))),
        Case("Squeeze", (CUBE, integers(1))),
        Case("Reshape", (CUBE, integers(5, -1))),
        Case("Transpose", (CUBE,), {"perm": [0, 1]}),
        Case("Cast", (CUBE,), {"to": 99}),
        Case("Add", (CUBE, np.ones(5, np.float32))),
        Case("Mul", (np.ones((1 << 15, 1), np.float32), np.ones(1 << 14, np.float32))),
        Case("Div", (SIZES, integers(0))),
    ],
    ids=str,
)
def test_impossible_constants_name_the_node(case: Case) -> None:
    with pytest.raises(UnsupportedModelError, match="cannot compute this constant") as caught:
        fold(node_of(case))
    assert caught.value.where == f"it ({case.op} without a name, output 'out')"
    assert caught.value.op == case.op
    assert "\n" not in str(caught.value)
