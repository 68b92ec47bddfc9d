"""What the quantizer refuses before or while it measures."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from squeeze2c.errors import CalibrationError, QuantizationError, UsageError
from squeeze2c.frontend import Preprocess
from squeeze2c.ir import Graph, GraphBuilder, verify_graph
from squeeze2c.passes import run_passes
from squeeze2c.quantize import QuantizeOptions, quantize
from squeeze2c.quantize.skeleton import integer_skeleton

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 6, 5, 3), np.uint8)


def deep_network(weight: float) -> Graph:
    build = GraphBuilder(6, 5, 3)
    x = build.input
    for _ in range(6):
        x = build.relu(build.conv(x, weight=np.full((4, build.type(x).channels, 1, 1), weight)))
    return run_passes(build.finish(build.gap(build.conv(x, 5, name="last"))), Preprocess())


@pytest.mark.parametrize(("weight", "layer"), [(1e6, "conv6 + relu6"), (1e20, "conv2 + relu2")])
def test_values_that_overflow_are_the_models_fault(weight: float, layer: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(QuantizationError, match="beyond 32-bit floating point") as caught:
            quantize(deep_network(weight), IMAGES)
    assert caught.value.where == layer


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.int8])
def test_calibration_images_are_bytes(kind: type[Any]) -> None:
    with pytest.raises(CalibrationError, match="expected uint8"):
        quantize(deep_network(0.5), IMAGES.astype(kind))


@pytest.mark.parametrize("images", [IMAGES[0], IMAGES[:0], IMAGES[:, :5], IMAGES[..., :1]])
def test_calibration_images_have_the_models_shape(images: np.ndarray) -> None:
    with pytest.raises(CalibrationError, match=r"the model reads \(N, 6, 5, 3\)"):
        quantize(deep_network(0.5), images)


@pytest.mark.parametrize("role", ["weights", "bias", "multiplier"])
def test_feature_maps_may_be_called_like_constants(role: str) -> None:
    build = GraphBuilder(6, 5, 3)
    x = build.relu(build.conv(build.input, 4, name="conv"), name=f"conv/{role}")
    graph = run_passes(build.finish(build.gap(build.conv(x, 5))), Preprocess())
    assert graph.nodes[0].output == f"conv/{role}"
    for integer in (quantize(graph, IMAGES), integer_skeleton(graph)):
        verify_graph(integer)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("equalisation_exponent", -0.1),
        ("equalisation_exponent", 1.1),
        ("equalisation_exponent", math.nan),
        ("statistics_images", 0),
        ("pixels_per_image", 0),
        ("batch_images", 0),
        ("damping", 0.0),
        ("damping", math.nan),
        ("target_damping", -1.0),
        ("target_damping", math.inf),
    ],
)
def test_options_out_of_range_are_refused(field: str, value: float) -> None:
    with pytest.raises(UsageError, match=field):
        QuantizeOptions(**{field: value})  # type: ignore[arg-type]  # fields differ in type


def test_options_at_their_limits() -> None:
    options = QuantizeOptions(
        equalisation_exponent=1.0, statistics_images=1, pixels_per_image=1, batch_images=1,
        damping=1e-3, target_damping=1e-3,
    )
    verify_graph(quantize(deep_network(0.5), IMAGES, options))
