"""Which layers are worth packing, where plain weights of 8 bits do not fit.

Packed layers take time to decode, so it is few layers that are packed: those with the most
weights. Fewer packed layers must be coarser, though. What that costs, the model of the loss
in :mod:`~squeeze2c.quantize.lowbit.allocate` predicts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from squeeze2c.quantize.lowbit.allocate import predicted_kl, steps_for
from squeeze2c.quantize.lowbit.sensitivity import Sensitivity

WORSE_THAN_BEST = 1.25
"""Fewer layers are packed if the predicted loss is at most this many times the least one..."""

NEGLIGIBLE_KL = 0.005
"""... or at most this, in nats, which 8-bit activations alone cost."""

_LAGRANGIANS = np.exp(np.linspace(math.log(1e-16), math.log(1e2), 300))


def choose_layers(ranked: Sequence[Sensitivity], room_bits: Sequence[float]) -> int:
    """How many of the layers ``ranked`` to pack: the first k of them, k at least 1.

    ``room_bits[k - 1]``: what the weights of the first k layers may take together where the
    others are plain. All layers where none of the numbers fits.
    """
    losses = predicted_losses(ranked, room_bits)
    bearable = max(WORSE_THAN_BEST * min(losses), NEGLIGIBLE_KL)
    if math.isinf(bearable):
        return len(ranked)
    return next(k for k, loss in enumerate(losses, 1) if loss <= bearable)


def predicted_losses(
    ranked: Sequence[Sensitivity], room_bits: Sequence[float]
) -> tuple[float, ...]:
    """KL in nats for k = 1, 2, ...: of the packed layers, with the finest steps that fit.

    Infinite where not even the coarsest weights fit. One Lagrangian serves all layers, so a
    layer's step and size for each of a grid of them need to be found only once.
    """
    bits = np.zeros((len(ranked), len(_LAGRANGIANS)))
    kl = np.zeros_like(bits)
    for index, layer in enumerate(ranked):
        known: dict[float, float] = {}
        for column, lagrangian in enumerate(_LAGRANGIANS):
            steps: Mapping[str, float] = steps_for([layer], float(lagrangian))
            step = steps[layer.node]
            if step not in known:
                known[step] = layer.coded_bits(step)
            bits[index, column] = known[step]
            kl[index, column] = predicted_kl([layer], steps)
    total_bits, total_kl = bits.cumsum(axis=0), kl.cumsum(axis=0)
    losses = []
    for index, room in enumerate(room_bits):
        fitting = total_kl[index][total_bits[index] <= room]
        losses.append(float(fitting.min()) if fitting.size else math.inf)
    return tuple(losses)
