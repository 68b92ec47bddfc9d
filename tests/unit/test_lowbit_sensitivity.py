"""How much rounding a layer costs, measured on small networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from squeeze2c.frontend import Preprocess
from squeeze2c.ir import Graph, GraphBuilder, ops
from squeeze2c.passes import run_passes
from squeeze2c.progress import silent
from squeeze2c.quantize import QuantizeOptions
from squeeze2c.quantize.lowbit.budget import sensitivities
from squeeze2c.quantize.lowbit.sensitivity import LEAST_KL, Sensitivity

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 12, 12, 3), np.uint8)


def network(classes: int) -> Graph:
    build = GraphBuilder(12, 12, 3, seed=5)
    x = build.relu(build.conv(build.input, 16, kernel=3, name="first"))
    x = build.relu(build.conv(x, 24, kernel=3, name="second"))
    x = build.relu(build.conv(x, classes, kernel=1, name="third"))
    return run_passes(build.finish(build.gap(x)), Preprocess(mean=(127.5,) * 3, std=(64.0,) * 3))


def measured(graph: Graph, images: np.ndarray = IMAGES) -> tuple[Sensitivity, ...]:
    return sensitivities(graph, images, QuantizeOptions(), silent)


def convolutions(graph: Graph) -> list[str]:
    kinds = (ops.Conv2D, ops.ConvGlobalPool)
    return [node.name for node in graph.nodes if isinstance(node, kinds)]


def test_every_convolution_is_measured_and_the_figures_repeat() -> None:
    graph = network(10)
    found, again = measured(graph), measured(graph)
    assert [s.node for s in found] == convolutions(graph)
    assert all(s.kl_per_step2 > 0 for s in found)
    assert [s.kl_per_step2 for s in found] == [s.kl_per_step2 for s in again]


def test_what_is_measured_grows_with_the_square_of_the_step() -> None:
    layer = measured(network(10))[1]
    coarse = layer.coarsest_step() / 8
    assert layer.predicted_kl(2 * coarse) == pytest.approx(4 * layer.predicted_kl(coarse))


@pytest.mark.parametrize("position", [1, 2])
def test_weights_of_zero_cost_nothing(position: int) -> None:
    graph = network(10)
    name = graph.node(convolutions(graph)[position]).inputs[1]
    nothing = np.zeros_like(graph.constants[name])
    found = measured(replace(graph, constants={**graph.constants, name: nothing}))
    assert found[position].kl_per_step2 == 0.0


def test_layers_whose_loss_is_not_seen_still_count() -> None:
    for layer in measured(network(1)):
        assert layer.kl_per_step2 > 0
        assert layer.kl_per_step2 * layer.coarsest_step() ** 2 >= LEAST_KL


def test_one_image_will_do() -> None:
    assert len(measured(network(10), IMAGES[:1])) == 3
