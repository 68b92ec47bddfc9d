"""Quantised addition: accurate to one step, within 32 bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squeeze2c.errors import QuantizationError
from squeeze2c.ir import DType, Graph, Layout, Provenance, QuantParams, TensorType, Value, ops
from squeeze2c.quantize.add import quantise_add
from squeeze2c.reference.int_eval import evaluate_qnode

INT32_MAX = 2**31 - 1


def node(relu: bool = False) -> ops.Add:
    return ops.Add(
        name="sum", inputs=("a", "b"), output="y", relu=relu, provenance=Provenance(("Add_7",))
    )


def evaluate(qnode: ops.QAdd, params: dict[str, QuantParams], a: np.ndarray, b: np.ndarray
             ) -> np.ndarray:
    kind = TensorType(DType.UINT8, (1, *a.shape[1:]), Layout.NHWC)
    values = {name: Value(name, kind, quant=quant) for name, quant in params.items()}
    return evaluate_qnode(Graph("g", (qnode,), values, {}, "a", "y"), qnode, [a, b])


SCALES = st.floats(1e-4, 1e4)
POINTS = st.integers(0, 255)


@given(SCALES, SCALES, SCALES)
def test_the_sum_fits_32_bits(a: float, b: float, out: float) -> None:
    try:
        found = quantise_add(node(), QuantParams(a), QuantParams(b), QuantParams(out))
    except QuantizationError:
        assert (a + b) / out > 2**21
        return
    assert 1 <= found.shift <= 30
    assert found.multiplier_a >= 0 <= found.multiplier_b
    largest = 255 * (found.multiplier_a + found.multiplier_b)
    assert largest + (1 << (found.shift - 1)) <= INT32_MAX


@given(st.floats(0.1, 10), st.floats(0.1, 10), POINTS, POINTS, POINTS, st.booleans())
def test_it_adds(a: float, b: float, za: int, zb: int, zy: int, relu: bool) -> None:
    """Within a step of the exact sum, clamped to the range, for every pair of inputs tried."""
    params = {"a": QuantParams(a, za), "b": QuantParams(b, zb), "y": QuantParams(a + b, zy)}
    found = quantise_add(node(relu), *params.values())
    levels = np.array([0, 1, za, zb, 127, 254, 255], np.uint8)
    left, right = (m.reshape(1, 1, -1, 1) for m in np.meshgrid(levels, levels))
    got = evaluate(found, params, left, right)
    exact = (a * (left.astype(float) - za) + b * (right.astype(float) - zb)) / (a + b) + zy
    ideal = np.clip(exact, zy if relu else 0, 255)
    assert np.abs(got - ideal).max() <= 0.5 + 1e-3
    assert found.relu is relu
    assert found.clamp_min == (zy if relu else 0)


def test_names_and_provenance_are_kept() -> None:
    found = quantise_add(node(), QuantParams(1.0), QuantParams(2.0), QuantParams(3.0))
    assert (found.name, found.inputs, found.output) == ("sum", ("a", "b"), "y")
    assert found.provenance.onnx_nodes == ("Add_7",)


def test_inputs_too_loud_for_the_output_are_refused() -> None:
    loud, quiet = QuantParams(1e7), QuantParams(1.0)
    with pytest.raises(QuantizationError, match="too large for its output") as caught:
        quantise_add(node(), loud, quiet, quiet)
    assert caught.value.where == "Add_7"
