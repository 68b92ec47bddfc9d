"""Whatever the network, its integers stay near its floats, and keep what was promised."""

from __future__ import annotations

import warnings

import numpy as np
from hypothesis import given, settings

from squeeze2c.ir import dump_graph, format_graph, verify_graph
from squeeze2c.passes import run_passes
from squeeze2c.quantize import quantize
from squeeze2c.reference import evaluate_float, evaluate_int
from tests.property.random_graphs import Case, networks

SQNR_DB = 20.0
FEATURES_FLOOR = 0.01
"""However small the logits, they are as precise as 8 bits of the features they come from."""


def rms(array: np.ndarray) -> float:
    return float(np.sqrt(np.square(array, dtype=np.float64).mean()))


@given(networks())
@settings(max_examples=40)
def test_integer_logits_are_near_the_float_ones(case: Case) -> None:
    graph = run_passes(case.graph, case.preprocess)
    kind = graph.input_value.type
    shape = (8, kind.height, kind.width, kind.channels)
    images = np.random.default_rng(9).integers(0, 256, shape, np.uint8)
    before = dump_graph(graph)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quantised = quantize(graph, images)
    verify_graph(quantised)
    assert dump_graph(graph) == before
    real = evaluate_float(graph, images)
    quant = quantised.output_value.quant
    assert quant is not None
    noise = quant.dequantise(evaluate_int(quantised, images)[graph.output]) - real[graph.output]
    last = graph.producer(graph.output)
    assert last is not None
    floor = FEATURES_FLOOR * float(np.abs(real[last.inputs[0]]).max())
    limit = 10 ** (-SQNR_DB / 20) * rms(real[graph.output]) + floor
    assert rms(noise) <= limit, format_graph(graph)
