"""Whatever the network, the passes keep its numbers and their promises."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from squeeze2c.ir import DType, Graph, Layout, dump_graph, ops
from squeeze2c.passes import PASSES, run_passes
from squeeze2c.passes.fold_normalisation import fold_normalisation
from tests.passes.checks import assert_same_numbers
from tests.property.random_graphs import Case, networks


def images_for(graph: Graph) -> np.ndarray:
    shape = graph.input_value.type
    return np.random.default_rng(3).integers(
        0, 256, (2, shape.height, shape.width, shape.channels), np.uint8
    )


@given(networks())
def test_the_whole_keeps_the_numbers(case: Case) -> None:
    before = dump_graph(case.graph)
    images = images_for(case.graph)
    final = run_passes(case.graph, case.preprocess)
    assert_same_numbers(case.graph, final, images, case.preprocess.apply(images))
    assert dump_graph(case.graph) == before


@given(networks())
@settings(max_examples=30)
def test_each_pass_keeps_the_numbers_and_is_idempotent(case: Case) -> None:
    images = images_for(case.graph)
    real = case.preprocess.apply(images)
    graph = case.graph
    for transform in PASSES:
        result = transform(graph)
        batch = real
        if result.input_value.type.layout is Layout.NHWC:
            batch = real.transpose(0, 2, 3, 1)
        assert_same_numbers(case.graph, result, batch, real)
        if transform.name != "to_nhwc":
            assert dump_graph(transform(result)) == dump_graph(result), transform.name
        graph = result
    assert_same_numbers(case.graph, fold_normalisation(graph, case.preprocess), images, real)


@given(networks())
def test_the_final_form(case: Case) -> None:
    final = run_passes(case.graph, case.preprocess)
    last = final.producer(final.output)
    assert isinstance(last, ops.ConvGlobalPool | ops.GlobalAvgPool2D)
    assert final.output_value.type.layout is Layout.FLAT
    assert final.input_value.type.dtype is DType.UINT8
    assert final.softmax == any(isinstance(n, ops.Softmax) for n in case.graph.nodes)
    known = {n.name for n in case.graph.nodes}
    for node in final.nodes:
        assert node.provenance.onnx_nodes, node
        assert set(node.provenance.onnx_nodes) <= known
    placed: set[str] = {final.input}
    for node in final.nodes:
        if isinstance(node, ops.Concat):
            for operand in node.inputs:
                assert operand not in placed
                placed.add(operand)
