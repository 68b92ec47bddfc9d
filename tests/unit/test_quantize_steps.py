"""One rounding step for all weights of some convolutions, 8 bits per channel for the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from squeeze2c.frontend import Preprocess
from squeeze2c.ir import Graph, GraphBuilder, ops
from squeeze2c.passes import run_passes
from squeeze2c.quantize import QuantizeOptions
from squeeze2c.quantize.apply import MULTIPLIER_LEVELS, quantize, quantize_watched
from squeeze2c.reference import evaluate_float, evaluate_int

OPTIONS = QuantizeOptions(bias_bits=8)
STEP = 0.05


@pytest.fixture(scope="module")
def graph() -> Graph:
    build = GraphBuilder(12, 12, 3, seed=3)
    x = build.relu(build.conv(build.input, 24, kernel=3, name="first"))
    x = build.relu(build.conv(x, 40, kernel=3, name="second"))
    x = build.relu(build.conv(x, 30, kernel=1, name="third"))
    return run_passes(build.finish(build.gap(x)), Preprocess(mean=(127.5,) * 3, std=(64.0,) * 3))


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (9, 12, 12, 3), np.uint8)


def convolutions(graph: Graph) -> list[str]:
    kinds = (ops.Conv2D, ops.ConvGlobalPool, ops.QConv2D, ops.QConvGlobalPool)
    return [node.name for node in graph.nodes if isinstance(node, kinds)]


def constants(graph: Graph, name: str) -> list[np.ndarray]:
    """Weight, bias, multiplier."""
    return [graph.constants[i] for i in graph.node(name).inputs[1:4]]


def test_only_the_named_layers_are_coarse(graph: Graph, images: np.ndarray) -> None:
    names = convolutions(graph)
    coarse = names[1]
    integer = quantize(graph, images, replace(OPTIONS, weight_steps={coarse: STEP}))
    for name in names:
        weight, bias, multiplier = constants(integer, name)
        largest = np.abs(weight.reshape(len(weight), -1)).max(axis=1)
        common = np.bitwise_or.reduce(bias.astype(np.int64))
        trailing = int(common & -common)
        short = bool((np.abs(bias) // trailing <= 128).all())
        if name == coarse:
            assert len(np.unique(multiplier)) <= MULTIPLIER_LEVELS
            assert short and largest.max() < 60
        else:
            assert largest.min() >= 120
            assert not short


def test_no_layers_named_is_as_no_steps(graph: Graph, images: np.ndarray) -> None:
    empty = quantize(graph, images, replace(OPTIONS, weight_steps={}))
    none = quantize(graph, images, QuantizeOptions())
    for name in convolutions(graph):
        for ours, theirs in zip(constants(empty, name), constants(none, name), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("count", [4, 100])
def test_logits_of_the_sample(count: int, graph: Graph, images: np.ndarray) -> None:
    integer, logits = quantize_watched(graph, images, QuantizeOptions(statistics_images=count))
    assert len(logits.images) == min(count, len(images))
    picked = images[logits.images]
    np.testing.assert_array_equal(logits.integer, evaluate_int(integer, picked)[integer.output])
    np.testing.assert_allclose(
        logits.real, evaluate_float(graph, picked)[graph.output], rtol=1e-4, atol=1e-5
    )
    quant = integer.output_value.quant
    assert quant is not None and logits.scale == quant.scale


def with_weights(graph: Graph, changed: dict[str, np.ndarray]) -> Graph:
    """``graph`` with other weights in some convolutions."""
    names = {graph.node(node).inputs[1]: weight for node, weight in changed.items()}
    return replace(graph, constants={**graph.constants, **names})


def weights_of(graph: Graph, node: str) -> np.ndarray:
    return graph.constants[graph.node(node).inputs[1]]


def test_weights_that_8_bits_represent_are_kept(graph: Graph, images: np.ndarray) -> None:
    node = convolutions(graph)[1]
    shape = weights_of(graph, node).shape
    rng = np.random.default_rng(0)
    whole = rng.integers(-100, 101, shape)
    scale = rng.uniform(0.001, 0.01, (shape[0], 1, 1, 1))
    exact = with_weights(graph, {node: (whole * scale).astype(np.float32)})
    weight, _, _ = constants(quantize(exact, images), node)
    np.testing.assert_array_equal(weight, whole)
    one_scale = with_weights(graph, {node: (whole * 0.004).astype(np.float32)})
    fine = quantize(one_scale, images, replace(OPTIONS, weight_steps={node: 0.0}))
    weight, _, multiplier = constants(fine, node)
    np.testing.assert_array_equal(weight, whole)
    assert len(np.unique(multiplier)) <= MULTIPLIER_LEVELS


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_pruned_weights_stay_zero(share: float, graph: Graph, images: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    nodes = convolutions(graph)
    pruned = {
        node: weights_of(graph, node) * (rng.random(weights_of(graph, node).shape) >= share)
        for node in nodes
    }
    for steps in ({}, dict.fromkeys(nodes, STEP)):
        integer = quantize(
            with_weights(graph, pruned), images, replace(OPTIONS, weight_steps=steps)
        )
        for node in nodes:
            assert not constants(integer, node)[0][pruned[node] == 0].any()
