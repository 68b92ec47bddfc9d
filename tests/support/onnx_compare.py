"""A graph of squeeze2c beside ONNX Runtime, tensor by tensor."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx

from squeeze2c.frontend import load_onnx, read_onnx
from squeeze2c.ir import Graph
from squeeze2c.reference import evaluate_float
from tests.support.onnx_models import run_onnxruntime, save

TOLERANCE = 1e-5


def assert_equal_to_onnxruntime(model: onnx.ModelProto, graph: Graph, batch: np.ndarray) -> None:
    """Every value of the float ``graph`` that names an ONNX tensor of ``model`` equals it.

    ``batch`` holds images (N, C, H, W). Equal means: within 1e-5 of the tensor's largest
    number, since the order of summation differs.
    """
    expected = run_onnxruntime(model, batch, every_tensor=True)
    values = evaluate_float(graph, batch)
    compared = 0
    for value in graph.values.values():
        if value.source not in expected:
            continue
        tensor = expected[value.source]
        if tensor.ndim == 3:
            tensor = tensor[:, :, 0]  # (N, C, 1), on the way from a map to a vector
        assert values[value.name].shape == tensor.shape, value.name
        assert value.type.shape == (1, *tensor.shape[1:])
        tolerance = TOLERANCE * (1 + np.abs(tensor).max())
        np.testing.assert_allclose(values[value.name], tensor, atol=tolerance, rtol=0)
        compared += 1
    assert graph.output in expected
    assert compared >= len(graph.nodes) - 1, "only the first half of a mean equals no tensor"


def read(model: onnx.ModelProto, input_shape: tuple[int, int, int, int] | None = None) -> Graph:
    """``model`` by way of a file."""
    with tempfile.TemporaryDirectory() as folder:
        return read_onnx(load_onnx(save(model, Path(folder) / "model.onnx")), input_shape)


def normal_images(graph: Graph, count: int = 2, deviation: float = 40.0) -> np.ndarray:
    """float32 (count, C, H, W) for the input of ``graph``: normally distributed numbers."""
    shape = (count, *graph.input_value.type.shape[1:])
    return np.random.default_rng(5).normal(0, deviation, shape).astype(np.float32)


def assert_reads(model: onnx.ModelProto) -> Graph:
    """The graph that ``model`` is read as; each of its values equals ONNX Runtime's tensor."""
    graph = read(model)
    assert_equal_to_onnxruntime(model, graph, normal_images(graph))
    return graph
