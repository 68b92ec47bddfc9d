"""What holds for every pass: checked in one place, used by the tests of each."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import Any

import numpy as np

from squeeze2c.ir import Graph, Layout, dump_graph, format_graph
from squeeze2c.reference import evaluate_float


def check_pass(
    transform: Callable[..., Graph],
    graph: Graph,
    expected: str,
    *args: Any,
    provenance: bool = False,
) -> Graph:
    """The result of ``transform(graph, *args)``, which must print as ``expected``.

    The input must be unchanged, a second run must change nothing, and both graphs must
    compute the same numbers.
    """
    before = dump_graph(graph)
    result = transform(graph, *args)
    assert_printed(format_graph(result, provenance=provenance), expected)
    assert dump_graph(graph) == before
    assert dump_graph(transform(result, *args)) == dump_graph(result)
    assert_same_numbers(graph, result)
    return result


def assert_printed(text: str, expected: str) -> None:
    """``text`` is ``expected`` without its indentation."""
    assert text == dedent(expected).lstrip("\n"), text


def assert_same_numbers(
    original: Graph, result: Graph, images: np.ndarray | None = None, real: np.ndarray | None = None
) -> None:
    """Every value of ``result`` equals the tensor of ``original`` that its source names.

    ``images`` is what ``result`` reads and ``real`` what ``original`` reads; random if None.
    """
    if images is None:
        shape = original.input_value.type.shape[1:]
        images = real = np.random.default_rng(5).normal(0, 1, (2, *shape)).astype(np.float32)
        if result.input_value.type.layout is not original.input_value.type.layout:
            images = real.transpose(0, 2, 3, 1)
    assert real is not None
    wanted = {v.source: evaluated for v, evaluated in _evaluated(original, real)}
    compared = 0
    for value, evaluated in _evaluated(result, images):
        if value.source:
            assert_close(evaluated, wanted[value.source], original, value.name)
            compared += 1
    assert result.output_value.source, "the output must say which tensor it is"
    assert compared >= 1


def _evaluated(graph: Graph, batch: np.ndarray) -> list[tuple[Any, np.ndarray]]:
    """(value, array with the channels last) of each value."""
    pairs = []
    for name, array in evaluate_float(graph, batch).items():
        value = graph.values[name]
        if value.type.layout is Layout.NCHW and array.ndim == 4:
            array = array.transpose(0, 2, 3, 1)
        pairs.append((value, array))
    return pairs


def assert_close(actual: np.ndarray, expected: np.ndarray, graph: Graph, name: str) -> None:
    """Equal up to float32 rounding of sums, relative to the tensor's largest element."""
    expected = expected.reshape(actual.shape)
    tolerance = 2e-5 * max(1.0, float(np.abs(expected).max()))
    error = float(np.abs(actual - expected).max())
    assert error <= tolerance, f"{name} is off by {error}\n{format_graph(graph)}"
