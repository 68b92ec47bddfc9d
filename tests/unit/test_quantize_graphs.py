"""Odd graphs that the passes can yield, quantised: the integers must stay near the floats."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from squeeze2c.errors import QuantizationError
from squeeze2c.frontend import Preprocess
from squeeze2c.ir import Graph, GraphBuilder, Layout, QuantParams, ops, verify_graph
from squeeze2c.ir.bounds import requantised_range, sum_fits
from squeeze2c.passes import run_passes
from squeeze2c.quantize import quantize
from squeeze2c.reference import evaluate_float, evaluate_int

TORCHVISION = Preprocess.named("torchvision")
PLAIN = Preprocess.named("none")
LEAST_SQNR_DB = 20.0

Images = np.ndarray


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def random_images(rows: int = 12, cols: int = 11, channels: int = 3, count: int = 8) -> Images:
    """Blobs rather than noise: pooling noise leaves little to tell apart."""
    rng = np.random.default_rng(1)
    small = rng.integers(0, 256, (count, 4, 4, channels), np.uint8)
    blobs = small.repeat(-(-rows // 4), axis=1).repeat(-(-cols // 4), axis=2)
    return np.ascontiguousarray(blobs[:, :rows, :cols])


def checked(graph: Graph, preprocess: Preprocess = TORCHVISION) -> Graph:
    """``graph`` through passes and quantizer; every tensor has ``LEAST_SQNR_DB``."""
    final = run_passes(graph, preprocess)
    kind = final.input_value.type
    images = random_images(kind.height, kind.width, kind.channels)
    quantised = quantize(final, images)
    verify_graph(quantised)
    integers = evaluate_int(quantised, images)
    for name, real in evaluate_float(final, images).items():
        quant = quantised.values[name].quant
        assert quant is not None
        noise = np.square(quant.dequantise(integers[name]) - real, dtype=np.float64).sum()
        signal = np.square(real, dtype=np.float64).sum()
        assert noise <= signal / 10 ** (LEAST_SQNR_DB / 10), f"{name}: {noise=} {signal=}"
    return quantised


def builder(channels: int = 3) -> GraphBuilder:
    return GraphBuilder(12, 11, channels, seed=7)


def kinds(graph: Graph) -> list[str]:
    return [n.kind for n in graph.nodes]


@pytest.mark.parametrize("preprocess", [PLAIN, TORCHVISION])
def test_max_pool_on_the_image(preprocess: Preprocess) -> None:
    """Its integers are pixels: it has the camera's scale, also through a second pool."""
    build = builder()
    x = build.maxpool(build.maxpool(build.input, name="first"), kernel=2, stride=1, name="second")
    quantised = checked(build.finish(build.gap(build.conv(x, 5))), preprocess)
    camera = QuantParams(1.0, 0)
    for name in ("image", "first", "second"):
        assert quantised.values[name].quant == camera


def test_pooled_image_straight_to_the_logits() -> None:
    build = builder()
    quantised = checked(build.finish(build.gap(build.maxpool(build.input))), PLAIN)
    assert kinds(quantised) == ["QMaxPool2D", "QGlobalPool"]


def test_the_image_straight_to_the_logits() -> None:
    build = builder(channels=1)
    quantised = checked(build.finish(build.gap(build.input)), PLAIN)
    assert quantised.output_value.quant == QuantParams(1 / (12 * 11))


def test_sum_of_different_scales_and_signs() -> None:
    build = builder()
    quiet = build.conv(build.input, 4, kernel=3, padding=1)
    weight = np.random.default_rng(0).normal(0, 20, (4, 3, 1, 1))
    loud = build.conv(build.input, weight=weight, name="loud")
    x = build.add(quiet, loud, name="sum")
    quantised = checked(build.finish(build.gap(build.conv(x, 5))))
    assert quantised.values["sum"].quant.zero_point > 0
    assert quantised.values["loud"].quant.scale > 4 * quantised.values[quiet].quant.scale


def test_sum_with_itself_with_relu_and_with_the_image() -> None:
    build = builder()
    x = build.conv(build.input, 3, name="conv")
    x = build.relu(build.add(x, x))
    x = build.add(build.relu(x), build.input)
    checked(build.finish(build.gap(x)), PLAIN)


def test_concatenation_of_signed_and_rectified_values() -> None:
    build = builder()
    signed = build.conv(build.input, 4, name="signed")
    rectified = build.relu(build.conv(build.input, 4), name="rectified")
    x = build.concat(signed, rectified, name="both")
    quantised = checked(build.finish(build.gap(build.conv(x, 5, kernel=3))))
    shared = {
        (quantised.values[n].quant.scale, quantised.values[n].quant.zero_point)
        for n in ("signed", "rectified", "both")
    }
    assert len(shared) == 1
    assert next(iter(shared))[1] > 0


def test_a_value_in_two_concatenations_and_the_image_in_one() -> None:
    build = builder()
    a, b = build.conv(build.input, 4, name="a"), build.conv(build.input, 4, name="b")
    x = build.concat(build.concat(a, b), a, build.input)
    quantised = checked(build.finish(build.gap(build.conv(x, 5))))
    assert kinds(quantised).count("QConcat") == 2
    assert kinds(quantised).count("QMaxPool2D") == 1


def test_padding_of_a_value_with_zero_point() -> None:
    """Padding reads the zero point, not 0: the border would show otherwise."""
    build = builder()
    x = build.conv(build.input, 4, name="signed")
    x = build.conv(x, 4, kernel=3, padding=(2, 1, 0, 2), name="padded")
    quantised = checked(build.finish(build.gap(x)))
    zero_point = quantised.values["signed"].quant.zero_point
    assert zero_point > 0
    node = quantised.nodes[-1]
    assert isinstance(node, ops.QConvGlobalPool)
    assert node.pad_value == (zero_point,) * 4


def test_max_pool_padding_of_negative_values() -> None:
    build = builder()
    weight = -np.abs(np.random.default_rng(0).normal(size=(4, 3, 1, 1)))
    x = build.conv(build.input, weight=weight, bias=[-1.0] * 4)
    x = build.maxpool(x, padding=1, name="pool")
    quantised = checked(build.finish(build.gap(x)), PLAIN)
    assert quantised.values["pool"].quant.zero_point == 255


def test_pooling_of_a_concatenation_of_signed_values() -> None:
    build = builder()
    x = build.concat(build.conv(build.input, 4), build.conv(build.input, 3, kernel=1))
    quantised = checked(build.finish(build.gap(x)))
    assert kinds(quantised)[-1] == "QGlobalPool"


def test_padded_first_convolution_reads_the_mean() -> None:
    build = builder()
    x = build.relu(build.conv(build.input, 4, kernel=3, padding=1, stride=2, name="conv1"))
    quantised = checked(build.finish(build.gap(build.conv(x, 5))))
    node = quantised.node("conv1")
    assert isinstance(node, ops.QConv2D)
    assert node.pad_value == tuple(round(m) for m in TORCHVISION.mean)


Fill = Callable[[tuple[int, ...]], np.ndarray]


def fire_net(fill: Fill, bias: float, relu: bool) -> Graph:
    """A Fire module whose weights come from ``fill`` (shape) and biases are all the same."""
    build = builder()

    def conv(x: str, channels: int, kernel: int = 1) -> str:
        weight = fill((channels, build.type(x).channels, kernel, kernel))
        y = build.conv(x, weight=weight, bias=[bias] * channels, padding=kernel // 2)
        return build.relu(y) if relu else y

    squeezed = conv(build.maxpool(conv(build.input, 8, 3)), 4)
    return build.finish(build.gap(conv(build.concat(conv(squeezed, 8), conv(squeezed, 8, 3)), 10)))


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("bias", [0.0, 1.0, -1.0])
@pytest.mark.parametrize("weight", [0.0, 0.5, -0.5, 1e-7, 1e4])
def test_weights_that_are_all_the_same(weight: float, bias: float, relu: bool) -> None:
    checked(fire_net(lambda shape: np.full(shape, weight), bias, relu))


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("preprocess", [PLAIN, TORCHVISION])
def test_calibration_with_images_of_one_colour(level: int, preprocess: Preprocess) -> None:
    rng = np.random.default_rng(0)
    graph = run_passes(fire_net(lambda shape: rng.normal(0, 0.5, shape), 0.1, True), preprocess)
    images = np.full((2, 12, 11, 3), level, np.uint8)
    quantised = quantize(graph, images)
    verify_graph(quantised)
    real = evaluate_float(graph, images)[graph.output]
    logits = evaluate_int(quantised, images)[graph.output]
    np.testing.assert_allclose(
        quantised.output_value.quant.dequantise(logits), real, atol=0.02 * np.abs(real).max()
    )


def test_one_calibration_image_of_one_channel() -> None:
    build = builder(channels=1)
    graph = run_passes(build.finish(build.gap(build.fire(build.input, 2, 3))), PLAIN)
    quantised = quantize(graph, random_images(channels=1, count=1))
    verify_graph(quantised)


def test_inputs_that_cancel_out_are_refused() -> None:
    """A sum that is nothing but rounding noise has no sensible scale."""
    build = GraphBuilder(4, 4, 1, layout=Layout.NCHW)
    weight = np.full((1, 1, 1, 1), 1.0)
    a = build.conv(build.input, weight=weight, bias=[0.0])
    b = build.conv(build.input, weight=-weight, bias=[1e-7])
    graph = run_passes(build.finish(build.gap(build.add(a, b, name="sum"))), PLAIN)
    with pytest.raises(QuantizationError, match=r"sum: .*too large for its output"):
        quantize(graph, random_images(4, 4, 1))


def test_logits_summed_over_very_many_pixels() -> None:
    """The multipliers shrink until the sum fits int32, as far as proof and verifier agree."""
    build = GraphBuilder(128, 128, 64)
    graph = run_passes(
        build.finish(build.gap(build.conv(build.input, 10))), Preprocess(mean=(0,), std=(1,))
    )
    quantised = quantize(graph, random_images(128, 128, 64, count=2))
    verify_graph(quantised)
    weight, bias, multiplier = (quantised.constants[n] for n in quantised.nodes[-1].inputs[1:])
    assert multiplier.max() < (1 << 23) - 1
    low, high = requantised_range(weight, bias, multiplier, 24)
    assert sum_fits(low, high, 128 * 128)
    assert not sum_fits(2 * low, 2 * high, 128 * 128)
