"""Steps from one Lagrangian, and the attempts that make weights fit a budget."""

from __future__ import annotations

import math

import numpy as np
import pytest

from squeeze2c.progress import silent
from squeeze2c.quantize import QuantizeOptions
from squeeze2c.quantize.lowbit import budget
from squeeze2c.quantize.lowbit.allocate import allocate, coded_bits, predicted_kl, steps_for
from squeeze2c.quantize.lowbit.budget import LowBit, quantize_to_fit
from squeeze2c.quantize.lowbit.sensitivity import WEIGHT_LIMIT, Sensitivity, step_for_entropy


def layer(node: str, weights: int, kl_per_step2: float, spread: float = 1.0) -> Sensitivity:
    rng = np.random.default_rng(weights)
    return Sensitivity(node, rng.normal(0.0, spread, (weights // 10, 10)), kl_per_step2)


LAYERS = (layer("a", 3000, 1.0), layer("b", 1000, 0.01), layer("c", 500, 0.2, 5.0))


def test_every_weight_costs_the_same() -> None:
    steps = steps_for(LAYERS, 1e-5)
    per_weight = [s.kl_per_step2 * steps[s.node] ** 2 / s.weight.size for s in LAYERS]
    assert per_weight == pytest.approx([1e-5] * 3)


@pytest.mark.parametrize("bits", [2.0, 3.0, 5.0])
def test_allocation_fits_and_is_the_best(bits: float) -> None:
    room = bits * sum(s.weight.size for s in LAYERS)
    steps = allocate(LAYERS, room)
    assert 0.99 * room < coded_bits(LAYERS, steps) <= room
    best = predicted_kl(LAYERS, steps)
    for finer in LAYERS:
        for coarser in LAYERS:
            if finer is coarser:
                continue
            other = dict(steps)
            other[finer.node] /= 1.1
            other[coarser.node] *= 1.1 ** (finer.weight.size / coarser.weight.size)
            if coded_bits(LAYERS, other) <= room:
                assert predicted_kl(LAYERS, other) > 0.999 * best


def test_no_channel_is_finer_than_8_bits() -> None:
    weight = np.array([[1.0, -0.5], [0.01, 0.002], [0.0, 0.0]])
    one = Sensitivity("a", weight, 1.0)
    assert steps_for([one], 0.0)["a"] == pytest.approx(0.01 / WEIGHT_LIMIT)
    np.testing.assert_allclose(one.row_steps(0.001), [1 / WEIGHT_LIMIT, 0.001, 0.001])
    assert one.coded_bits(0.001) > 0
    assert steps_for([one], math.inf)["a"] == 1.0


def test_weights_of_zero_and_layers_that_do_not_matter() -> None:
    nothing = Sensitivity("a", np.zeros((3, 4)), 1.0)
    indifferent = Sensitivity("b", np.ones((3, 4)), 0.0)
    for lagrangian in (0.0, 1.0, math.inf):
        assert all(s > 0 for s in steps_for([nothing, indifferent], lagrangian).values())
    assert nothing.coded_bits(1.0) == 0
    assert steps_for([indifferent], 0.0) == {"b": 1.0}


def test_step_for_entropy() -> None:
    weight = np.random.default_rng(0).normal(0, 1, (100, 100))
    step = step_for_entropy(weight, 3.0)
    bits = Sensitivity("a", weight, 1.0).coded_bits(step)
    assert bits / weight.size == pytest.approx(3, abs=0.01)


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Quantising takes no time; sizes of the attempts go here."""
    monkeypatch.setattr(budget, "quantize_with_steps", lambda *_: (None, None))
    return []


@pytest.mark.parametrize("overhead", [0.9, 1.0, 1.02, 1.1, 1.3])
@pytest.mark.parametrize("budget_bytes", [2000, 2600])
def test_few_attempts_use_the_budget(
    overhead: float, budget_bytes: int, attempts: list[float]
) -> None:
    def size_of(low: LowBit) -> int:
        attempts.append(200 + overhead * coded_bits(LAYERS, low.steps) / 8)
        return round(attempts[-1])

    found = quantize_to_fit(
        None, np.zeros(1), LAYERS, budget_bytes, 200, size_of, QuantizeOptions(), silent  # type: ignore[arg-type]
    )
    assert 0.99 * budget_bytes < size_of(found) <= budget_bytes
    assert len(attempts) <= 4


def test_the_coarsest_where_nothing_fits(attempts: list[float]) -> None:
    found = quantize_to_fit(
        None, np.zeros(1), LAYERS, 300, 290, lambda low: 1000, QuantizeOptions(), silent  # type: ignore[arg-type]
    )
    assert found.steps == steps_for(LAYERS, math.inf)


def test_of_the_attempts_that_fit_an_acceptable_one_is_taken(attempts: list[float]) -> None:
    sizes = iter([990, 1010, 970, 980])
    tried: list[LowBit] = []

    def size_of(low: LowBit) -> int:
        if low not in tried:
            tried.append(low)
            attempts.append(next(sizes))
        return int(attempts[tried.index(low)])

    found = quantize_to_fit(
        None, np.zeros(1), LAYERS, 1000, 200, size_of, QuantizeOptions(), silent,  # type: ignore[arg-type]
        lambda low: size_of(low) == 970,
    )  # fmt: skip
    assert size_of(found) == 970
