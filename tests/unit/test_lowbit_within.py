"""The search for the coarsest weights within a measured loss."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from squeeze2c.quantize.lowbit.allocate import predicted_kl, steps_for
from squeeze2c.quantize.lowbit.sensitivity import Sensitivity
from squeeze2c.quantize.lowbit.within import ATTEMPTS, coarsest_within, steps_for_kl

LAYERS = tuple(
    Sensitivity(name, np.random.default_rng(i).normal(0, 1, (20, 50)), 0.01 * (i + 1))
    for i, name in enumerate("abc")
)
Steps = Mapping[str, float]


@pytest.mark.parametrize("kl", [0.001, 0.01, 0.05])
def test_steps_for_a_loss(kl: float) -> None:
    assert predicted_kl(LAYERS, steps_for_kl(LAYERS, kl)) == pytest.approx(kl, rel=1e-3)


def test_steps_have_ends() -> None:
    assert steps_for_kl(LAYERS, 0.0) == steps_for(LAYERS, 0.0)
    assert steps_for_kl(LAYERS, 1e9) == steps_for(LAYERS, math.inf)


class Network:
    """A network whose images change by ``slope`` percent per root of a nat."""

    def __init__(self, slope: float) -> None:
        self.slope = slope
        self.tried: list[tuple[float, float]] = []

    def __call__(self, steps: Steps) -> tuple[float, float]:
        kl = predicted_kl(LAYERS, steps)
        percent = float(round(self.slope * math.sqrt(kl)))
        self.tried.append((kl, percent))
        return kl, percent


@pytest.mark.parametrize("slope", [10.0, 50.0, 200.0])
@pytest.mark.parametrize("most", [1.0, 3.0, 10.0])
def test_the_coarsest_attempt_within_the_limit(most: float, slope: float) -> None:
    network = Network(slope)
    kl, percent = coarsest_within(most, LAYERS, network)
    assert len(network.tried) <= ATTEMPTS
    assert percent <= most
    assert kl == max(k for k, p in network.tried if p <= most)


def test_what_cannot_be_met_ends_with_the_finest_steps() -> None:
    network = Network(1e6)
    kl, percent = coarsest_within(1.0, LAYERS, network)
    assert percent > 1.0
    assert kl == predicted_kl(LAYERS, steps_for(LAYERS, 0.0))


def test_no_drop_at_all() -> None:
    network = Network(50.0)
    _, percent = coarsest_within(0.0, LAYERS, network)
    assert percent == 0.0
