"""Ranges over the calibration images, scales from the ranges."""

from __future__ import annotations

import numpy as np
import pytest

from squeeze2c.ir import QuantParams
from squeeze2c.progress import silent
from squeeze2c.quantize.calibrate import ChannelRange, calibrate
from squeeze2c.quantize.scales import activation_params
from squeeze2c.reference import evaluate_float
from tests.support.programs import camera_builder, every_operator_graph, random_images


@pytest.mark.parametrize("batch_images", [1, 2, 5, 100])
def test_ranges_are_those_of_all_images(batch_images: int) -> None:
    graph = every_operator_graph()
    images = random_images(graph, 5)
    ranges = calibrate(graph, images, batch_images, silent)
    everything = evaluate_float(graph, images)
    assert set(ranges) == set(graph.values)
    for name, found in ranges.items():
        axes = tuple(range(everything[name].ndim - 1))
        np.testing.assert_allclose(found.low, everything[name].min(axis=axes), rtol=1e-5, atol=1e-3)
        np.testing.assert_allclose(
            found.high, everything[name].max(axis=axes), rtol=1e-5, atol=1e-3
        )
        np.testing.assert_array_equal(
            found.magnitude, np.maximum(np.abs(found.low), np.abs(found.high))
        )


def test_progress_ends_when_the_work_does() -> None:
    graph = every_operator_graph()
    calls: list[tuple[str, int, int]] = []
    calibrate(graph, random_images(graph, 5), 2, lambda *call: calls.append(call))
    assert calls == [("calibrating", done, 5) for done in (0, 2, 4, 5)]


def params_for(**ranges: tuple[float, float]) -> dict[str, QuantParams]:
    """Parameters of conv a -> pool -> concat(pool, b), with the given ranges of the tensors."""
    build = camera_builder(8, 8)
    a = build.conv(build.input, 2, name="a")
    pool = build.maxpool(a, kernel=2, stride=1, padding=(0, 0, 1, 1), name="pool")
    b = build.conv(build.input, 3, name="b")
    both = build.concat(pool, b, name="both")
    graph = build.finish(build.conv(both, 4, global_pool=True, name="last"))
    given = {
        name: ChannelRange(
            np.full(v.type.channels, ranges.get(name, (0.0, 1.0))[0]),
            np.full(v.type.channels, ranges.get(name, (0.0, 1.0))[1]),
        )
        for name, v in graph.values.items()
    }
    factors = {name: np.ones(v.type.channels) for name, v in graph.values.items()}
    return activation_params(graph, given, factors)


def test_the_image_keeps_its_pixels() -> None:
    params = params_for()
    assert (params["image"].scale, params["image"].zero_point) == (1.0, 0)
    assert "last" not in params


def test_tensors_of_one_representation_share_it() -> None:
    params = params_for(a=(0.0, 3.0), b=(-1.0, 9.0), both=(-1.0, 9.0), pool=(0.0, 3.0))
    shared = {(params[n].scale, params[n].zero_point) for n in ("a", "pool", "b", "both")}
    assert shared == {(10 / 255, round(255 / 10))}


@pytest.mark.parametrize(
    "span", [(0.0, 6.0), (-3.0, 5.0), (-7.0, -2.0), (2.0, 9.0), (-1e-6, 1e-6), (-1.0, 1e6)]
)
def test_zero_is_exact_and_the_range_is_covered(span: tuple[float, float]) -> None:
    params = params_for(a=span, b=span, both=span, pool=span)["a"]
    low, high = min(span[0], 0.0), max(span[1], 0.0)
    assert 0 <= params.zero_point <= 255
    assert params.scale == pytest.approx((high - low) / 255)
    zero = params.dequantise(np.array([params.zero_point], np.uint8))
    assert zero[0] == 0
    least = params.scale * (0 - params.zero_point)
    greatest = params.scale * (255 - params.zero_point)
    assert least <= low + params.scale / 2 * (1 + 1e-9)
    assert greatest >= high - params.scale / 2 * (1 + 1e-9)


def test_after_relu_the_zero_point_is_zero() -> None:
    assert params_for(a=(0.0, 4.0))["a"].zero_point == 0


def test_a_dead_tensor_has_a_scale() -> None:
    dead = {n: (0.0, 0.0) for n in ("a", "b", "both", "pool")}
    assert params_for(**dead)["a"].scale == 1.0
