"""Channel equalisation changes nothing in real numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from squeeze2c.ir import Graph, ops
from squeeze2c.progress import silent
from squeeze2c.quantize.calibrate import ChannelRange, calibrate
from squeeze2c.quantize.equalise import QUIETEST, channel_factors
from squeeze2c.reference import evaluate_float
from tests.support.programs import camera_builder, every_operator_graph, random_images

CONVOLUTIONS = ops.Conv2D | ops.ConvGlobalPool


def branched_graph() -> Graph:
    """Concatenations within concatenations, an addition across them, a pooled end."""
    build = camera_builder(12, 12, seed=3)
    stem = build.conv(build.input, 6, kernel=3, padding=1, relu=True, name="stem")
    left = build.conv(stem, 4, relu=True, name="left")
    right = build.maxpool(build.conv(stem, 2, relu=True, name="r"), kernel=3, stride=1, padding=1)
    inner = build.concat(left, right, name="inner")
    outer = build.concat(inner, build.conv(stem, 3, name="signed"), name="outer")
    both = build.add(outer, build.conv(outer, 9, kernel=3, padding=1, name="c"), relu=True)
    return build.finish(build.conv(both, 5, relu=True, global_pool=True, name="last"))


def averaged_graph() -> Graph:
    build = camera_builder(8, 8, seed=4)
    x = build.conv(build.input, 6, kernel=3, relu=True, name="a")
    x = build.conv(x, 5, relu=True, name="classes")
    return build.finish(build.gap(x))


GRAPHS = {
    "every operator": every_operator_graph, "branched": branched_graph, "averaged": averaged_graph
}


def factors_of(graph: Graph, exponent: float) -> dict[str, np.ndarray]:
    ranges = calibrate(graph, random_images(graph, 4), 2, silent)
    return channel_factors(graph, ranges, exponent)


def rescaled(graph: Graph, factors: dict[str, np.ndarray]) -> Graph:
    """``graph`` with every feature map divided by its factors, the weights making up for it."""
    constants = dict(graph.constants)
    nodes = []
    for node in graph.nodes:
        if isinstance(node, CONVOLUTIONS):
            weight, bias = (graph.constants[n].astype(np.float64) for n in node.inputs[1:])
            into, out = factors[node.inputs[0]], factors[node.output]
            constants[node.inputs[1]] = (weight * into / out[:, None, None, None]).astype("f4")
            constants[node.inputs[2]] = (bias / out).astype("f4")
            pads = tuple(float(p / f) for p, f in zip(node.pad_value, into, strict=False))
            node = replace(node, pad_value=pads)
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes), constants=constants)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", GRAPHS)
def test_it_is_exact_in_float(name: str, exponent: float) -> None:
    graph = GRAPHS[name]()
    factors = factors_of(graph, exponent)
    images = random_images(graph, 3, seed=9)
    expected = evaluate_float(graph, images)
    found = evaluate_float(rescaled(graph, factors), images)
    for value in graph.values:
        scale = np.abs(expected[value]).max()
        np.testing.assert_allclose(
            found[value] * factors[value], expected[value], atol=2e-5 * scale, rtol=2e-5
        )


@pytest.mark.parametrize("name", GRAPHS)
def test_factors_are_positive_and_tied(name: str) -> None:
    graph = GRAPHS[name]()
    factors = factors_of(graph, 0.5)
    assert all((f > 0).all() and np.isfinite(f).all() for f in factors.values())
    assert (factors[graph.input] == 1).all()
    assert (factors[graph.output] == 1).all()
    for node in graph.nodes:
        if isinstance(node, ops.Concat):
            parts = np.concatenate([factors[i] for i in node.inputs])
            np.testing.assert_array_equal(factors[node.output], parts)
        if isinstance(node, ops.MaxPool2D | ops.Add):
            for value in node.inputs:
                np.testing.assert_array_equal(factors[node.output], factors[value])
        if isinstance(node, ops.GlobalAvgPool2D):
            assert (factors[node.inputs[0]] == 1).all()


def test_exponent_zero_switches_it_off() -> None:
    factors = factors_of(branched_graph(), 0.0)
    assert all((f == 1).all() for f in factors.values())


def test_exponent_one_makes_all_channels_equally_loud() -> None:
    graph = every_operator_graph()
    images = random_images(graph, 4)
    found = evaluate_float(rescaled(graph, factors_of(graph, 1.0)), images)["stem"]
    loudness = np.abs(found).max(axis=(0, 1, 2))
    np.testing.assert_allclose(loudness, 1, rtol=1e-4)


def test_quiet_channels_count_as_a_hundredth_of_the_loudest() -> None:
    build = camera_builder(4, 4, 1)
    graph = build.finish(build.gap(build.conv(build.conv(build.input, 4, name="a"), 2)))
    ranges = {
        name: ChannelRange(np.zeros(v.type.channels), np.ones(v.type.channels))
        for name, v in graph.values.items()
    }
    ranges["a"] = ChannelRange(np.array([0.0, 0.0, -64.0, 0.0]), np.array([0.0, 1e-9, 3.0, 16.0]))
    factors = channel_factors(graph, ranges, 0.5)["a"]
    quiet = (64 * QUIETEST) ** 0.5
    np.testing.assert_allclose(factors, [quiet, quiet, 8, 4])


def test_a_dead_map_keeps_its_scale() -> None:
    build = camera_builder(4, 4, 1)
    graph = build.finish(build.gap(build.conv(build.conv(build.input, 4, name="a"), 2)))
    ranges = {
        name: ChannelRange(np.zeros(v.type.channels), np.zeros(v.type.channels))
        for name, v in graph.values.items()
    }
    assert (channel_factors(graph, ranges, 0.5)["a"] == 1).all()
