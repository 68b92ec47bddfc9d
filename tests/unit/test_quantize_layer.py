"""Integer weights, bias and multipliers of one layer, and the proofs about them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from squeeze2c.errors import QuantizationError
from squeeze2c.quantize import QuantizeOptions
from squeeze2c.quantize.layer import (
    BIAS_LIMIT,
    WEIGHT_LIMIT,
    IntegerLayer,
    LayerScales,
    few_scales,
    least_scales,
    prove_accumulator,
    quantise_layer,
    requantised_scales,
    summed_scales,
)
from squeeze2c.quantize.statistics import InputMoments
from squeeze2c.reference.fixed_point import DEFAULT_SHIFT, MULTIPLIER_LIMIT

SCALE_IN, SCALE_OUT, ZERO_POINT = 0.02, 0.05, 3
RNG = np.random.default_rng(0)
WEIGHT = RNG.normal(0, 0.1, (6, 12)) * np.geomspace(0.01, 1, 6)[:, None]
BIAS = RNG.normal(0, 0.2, 6)


def inputs(samples: int = 400, error: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Float inputs in quantisation steps (zero point included), and their integers."""
    real = RNG.uniform(0, 200, (samples, 12)) * RNG.uniform(0.2, 1, 12)
    integer = np.clip(np.rint(real + error) + ZERO_POINT, 0, 255)
    return real, integer


def moments(real: np.ndarray, integer: np.ndarray) -> InputMoments:
    both = np.cov(real.T, integer.T, bias=True)
    size = integer.shape[1]
    return InputMoments(
        real.mean(axis=0), integer.mean(axis=0), both[size:, size:], both[:size, size:]
    )


def scales() -> LayerScales:
    least = least_scales(WEIGHT, BIAS, SCALE_IN)
    return requantised_scales(least, SCALE_IN, SCALE_OUT, "layer")


def quantised(options: QuantizeOptions, data: tuple[np.ndarray, np.ndarray]) -> IntegerLayer:
    groups = ((slice(None), moments(*data)),)
    return quantise_layer(
        WEIGHT, BIAS, SCALE_IN, ZERO_POINT, scales(), groups, options, "layer"
    )


def mean_output_error(layer: IntegerLayer, data: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Mean over the samples of integer minus float output, in accumulator steps, per channel."""
    step = scales().weight_scale * SCALE_IN
    exact = data[0] @ WEIGHT.T * SCALE_IN + BIAS
    acc = data[1] @ layer.weight.T.astype(float) + layer.bias
    return np.asarray((acc - exact / step).mean(axis=0))


def test_weights_fill_their_range() -> None:
    least = least_scales(WEIGHT, np.zeros(6), SCALE_IN)
    np.testing.assert_allclose(np.abs(WEIGHT).max(axis=1) / least, WEIGHT_LIMIT)
    ratio = scales().weight_scale / least
    assert (ratio >= 1).all()


def test_a_large_bias_raises_the_weight_scale() -> None:
    least = least_scales(WEIGHT, np.full(6, 1e6), SCALE_IN)
    np.testing.assert_allclose(1e6 / (least * SCALE_IN), BIAS_LIMIT)
    assert least_scales(np.zeros((2, 3)), np.zeros(2), 1.0).tolist() == [0, 0]


@pytest.mark.parametrize("loudness", [1e-6, 1e-3, 1.0, 30.0, 1e4, 1e6])
def test_multipliers_express_the_scales_exactly(loudness: float) -> None:
    least = least_scales(WEIGHT, BIAS, SCALE_IN) * loudness
    found = requantised_scales(least, SCALE_IN, SCALE_OUT, "layer")
    assert found.multiplier.min() >= 1 and found.multiplier.max() < MULTIPLIER_LIMIT
    assert 1 <= found.shift <= DEFAULT_SHIFT
    real = found.weight_scale * SCALE_IN / SCALE_OUT
    np.testing.assert_allclose(found.multiplier / 2.0**found.shift, real, rtol=1e-12)
    assert (found.weight_scale >= least * (1 - 1e-12)).all()
    coarsest = found.multiplier.max()
    assert coarsest >= MULTIPLIER_LIMIT // 4 or found.shift == DEFAULT_SHIFT


@pytest.mark.parametrize("loudness", [1e9, 1e30, math.inf, math.nan])
def test_a_layer_out_of_proportion_is_refused(loudness: float) -> None:
    with pytest.raises(QuantizationError, match="out of range") as caught:
        requantised_scales(np.full(2, loudness), 1.0, 1.0, "conv7")
    assert caught.value.where == "conv7"
    assert caught.value.hint


def test_silent_layers_have_scales() -> None:
    found = requantised_scales(np.zeros(3), 1.0, 1.0, "layer")
    assert found.multiplier.tolist() == [1, 1, 1]
    assert summed_scales(np.zeros(3), 100).multiplier.tolist() == [1, 1, 1]


def test_summed_scales_give_the_loudest_channel_the_largest_multiplier() -> None:
    least = np.array([0.5, 2.0, 1.0, 1e-9])
    found = summed_scales(least, 1000)
    assert found.multiplier.tolist() == [250, 1000, 500, 1]
    assert found.shift == DEFAULT_SHIFT
    assert (found.weight_scale >= least * (1 - 1e-12)).all()


@pytest.mark.parametrize(
    ("feedback", "correction"), [(False, False), (False, True), (True, False), (True, True)]
)
def test_quantised_layer_approximates_the_float_layer(feedback: bool, correction: bool) -> None:
    options = QuantizeOptions(error_feedback=feedback, bias_correction=correction)
    data = inputs(error=0.0)
    layer = quantised(options, data)
    arrays = (layer.weight, layer.bias, layer.multiplier)
    assert [a.dtype.name for a in arrays] == ["int8", "int32", "int32"]
    assert np.abs(layer.weight.astype(int)).max() <= WEIGHT_LIMIT
    exact = data[0] @ WEIGHT.T * SCALE_IN + BIAS
    acc = data[1] @ layer.weight.T.astype(float) + layer.bias
    got = acc * scales().weight_scale * SCALE_IN
    assert np.sqrt(((got - exact) ** 2).mean()) < 0.02 * exact.std()


def test_bias_correction_zeroes_the_mean_error() -> None:
    """To half a step of the accumulator, although the inputs are off by 0.4 on average."""
    data = inputs(error=0.4)
    corrected = quantised(QuantizeOptions(), data)
    assert np.abs(mean_output_error(corrected, data)).max() <= 0.5 + 1e-6
    without = quantised(QuantizeOptions(bias_correction=False), data)
    assert np.abs(mean_output_error(without, data)).max() > 5


def test_zero_point_folds_into_the_bias() -> None:
    """An input at its zero point everywhere yields the bias alone."""
    options = QuantizeOptions(error_feedback=False, bias_correction=False)
    layer = quantised(options, inputs())
    acc = layer.weight.astype(int) @ np.full(12, ZERO_POINT) + layer.bias
    expected = BIAS / (scales().weight_scale * SCALE_IN)
    assert np.abs(acc - expected).max() <= 0.5


def test_error_feedback_errs_less_at_the_outputs() -> None:
    causes = RNG.normal(0, 1, (500, 3)) @ RNG.normal(0, 25, (3, 12))
    real = np.clip(np.rint(100 + causes + RNG.normal(0, 2, (500, 12))), 0, 250)
    data = (real, real + ZERO_POINT)

    def variance(feedback: bool) -> float:
        options = QuantizeOptions(error_feedback=feedback)
        layer = quantised(options, data)
        exact = data[0] @ (WEIGHT / scales().weight_scale[:, None]).T
        return float((data[1] @ layer.weight.T.astype(float) - exact).var(axis=0).sum())

    assert variance(True) < 0.7 * variance(False)


@pytest.mark.parametrize("sign", [1, -1])
def test_overflow_proof_at_its_boundary(sign: int) -> None:
    weight = np.array([[1, 1], [127, -127]])
    room = 2**31 - 1 - 255 * 254
    prove_accumulator(weight, np.array([0, sign * room]), "layer")
    with pytest.raises(QuantizationError, match="output channel 1 could reach") as caught:
        prove_accumulator(weight, np.array([0, sign * (room + 1)]), "conv10")
    assert caught.value.where == "conv10"


def test_an_accumulator_that_overflows_is_refused() -> None:
    """66,000 inputs of full weight: 255 * 127 * 66,000 is beyond 32 bits."""
    with pytest.raises(QuantizationError, match="beyond 32 bits"):
        prove_accumulator(np.full((1, 70_000), 127, np.int8), np.zeros(1, np.int32), "layer")


def test_few_scales_are_kept_and_many_rounded_up() -> None:
    few = np.array([3.0, 1.0, 3.0, 2.0])
    np.testing.assert_array_equal(few_scales(few, 1.0, 0.25, 4), few)
    grid = 0.7 * 2.0 ** (0.25 * np.arange(12))
    scales = np.concatenate([grid[:10], grid[3:10] * 1.01])
    found = few_scales(scales, 0.7, 0.25, 16)
    np.testing.assert_allclose(found[:10], grid[:10])
    np.testing.assert_allclose(found[10:], grid[4:11])


@pytest.mark.parametrize("most", [2, 16])
@pytest.mark.parametrize("spread", [0.1, 5.0])
def test_at_most_so_many_scales(most: int, spread: float) -> None:
    scales = np.exp(np.random.default_rng(0).normal(0, spread, 300))
    scales[7] = 0.0
    found = few_scales(scales, 1.0, 0.25, most)
    assert len(np.unique(found)) <= most
    assert (found >= scales * (1 - 1e-5)).all()
    widest = 2.0 ** (np.log2(scales[scales > 0].max() / scales[scales > 0].min()) / (most - 1))
    assert (found[scales > 0] <= scales[scales > 0] * max(widest, 2**0.25) * 1.001).all()
