"""Which layers get packed, on invented sensitivities."""

from __future__ import annotations

import math

import numpy as np
import pytest

from squeeze2c.quantize.lowbit.allocate import allocate, predicted_kl
from squeeze2c.quantize.lowbit.choose import (
    NEGLIGIBLE_KL,
    WORSE_THAN_BEST,
    choose_layers,
    predicted_losses,
)
from squeeze2c.quantize.lowbit.sensitivity import Sensitivity

PLAIN_BITS = 8


def layer(node: str, weights: int, kl_per_step2: float) -> Sensitivity:
    rng = np.random.default_rng(len(node) + weights)
    return Sensitivity(node, rng.normal(0.0, 1.0, (weights // 10, 10)), kl_per_step2)


LAYERS = (
    layer("big", 4000, 1.0), layer("middle", 2000, 0.5), layer("small", 1000, 0.3),
    layer("least", 200, 0.1),
)  # fmt: skip
TOTAL = sum(s.weight.size for s in LAYERS)


def room(total_bits: float, layers: tuple[Sensitivity, ...] = LAYERS) -> list[float]:
    """What a limit for all weights leaves the first k where the others take 8 bits each."""
    return [
        total_bits - PLAIN_BITS * sum(s.weight.size for s in layers[k:])
        for k in range(1, len(layers) + 1)
    ]


def test_losses_are_those_of_the_allocation() -> None:
    rooms = room(4 * TOTAL)
    for k, loss in enumerate(predicted_losses(LAYERS, rooms), 1):
        steps = allocate(LAYERS[:k], rooms[k - 1])
        assert loss == pytest.approx(predicted_kl(LAYERS[:k], steps), rel=0.2)


def test_the_fewest_layers_with_nearly_the_best_loss() -> None:
    for bits in (2.5, 3, 4, 5, 6):
        rooms = room(bits * TOTAL)
        losses = predicted_losses(LAYERS, rooms)
        bearable = max(WORSE_THAN_BEST * min(losses), NEGLIGIBLE_KL)
        chosen = choose_layers(LAYERS, rooms)
        assert losses[chosen - 1] <= bearable
        assert all(loss > bearable for loss in losses[: chosen - 1])


def test_more_room_never_needs_more_layers_where_the_loss_is_negligible() -> None:
    insensitive = tuple(Sensitivity(s.node, s.weight, 1e-9) for s in LAYERS)
    counts = [choose_layers(insensitive, room(b * TOTAL, insensitive)) for b in (2, 4, 6, 7.9)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 1


def test_what_cannot_fit_is_infinite() -> None:
    rooms = room(3 * TOTAL)
    losses = predicted_losses(LAYERS, rooms)
    assert math.isinf(losses[0]) == (rooms[0] < 0)
    assert not math.isinf(losses[-1])


def test_all_layers_where_nothing_fits() -> None:
    assert choose_layers(LAYERS, [-1.0] * len(LAYERS)) == len(LAYERS)


def test_a_layer_that_bears_nothing_stays_plain() -> None:
    """Packing it too would save bytes, but cost more than the coarser rest."""
    fragile = (*LAYERS[:2], layer("fragile", 1000, 1e6))
    total = sum(s.weight.size for s in fragile)
    rooms = [4.5 * total - PLAIN_BITS * sum(s.weight.size for s in fragile[k:]) for k in (1, 2, 3)]
    assert choose_layers(fragile, rooms) < 3
