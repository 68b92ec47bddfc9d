"""How much the logits suffer from rounding one layer's weights.

The loss is the Kullback-Leibler divergence between the softmax of the float network and
of the network with one layer rounded. Near the optimum it grows with the second-order
distortion of the layer's outputs, sum over channels of dW H dW^T with H the covariance of
its inputs (Hassibi and Stork, Optimal Brain Surgeon, 1993), so one measurement per layer
gives the factor between them; it serves for every step size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from squeeze2c.ir import Graph, Layout, ops
from squeeze2c.progress import Progress
from squeeze2c.quantize.layer import WEIGHT_LIMIT, kept_zeros
from squeeze2c.quantize.parallel import in_order
from squeeze2c.quantize.rounding import error_feedback_round
from squeeze2c.quantize.statistics import MomentAccumulator
from squeeze2c.reference.float_eval import evaluate_node, walk_float

Convolution = ops.Conv2D | ops.ConvGlobalPool
TRIAL_BITS = 3.0
"""Entropy per weight of the trial rounding."""
LEAST_KL = 1e-9
"""Taken to be lost where nothing is measured, in nats: a layer may matter to other images."""


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """What a layer's rounding costs: ``kl_per_step2`` * step^2 nats of KL.

    ``weight`` (O, K): what is rounded, float weights times the factors of their inputs.
    """

    node: str
    weight: np.ndarray
    kl_per_step2: float

    def row_steps(self, step: float) -> np.ndarray:
        """Step of every output channel, (O,): ``step``, or what 8 bits demand of the channel."""
        steps: np.ndarray = np.maximum(step, self._row_maxima() / WEIGHT_LIMIT)
        return steps

    def finest_step(self) -> float:
        """The step below which no channel's becomes any finer."""
        rows = self._row_maxima()
        return float(rows[rows > 0].min() if rows.any() else 1.0) / WEIGHT_LIMIT

    def coarsest_step(self) -> float:
        """The step at which all weights become zero, or nearly."""
        return float(self._row_maxima().max(initial=0.0)) or 1.0

    def predicted_kl(self, step: float) -> float:
        """Loss of rounding to ``step``, in nats."""
        return self.kl_per_step2 * float((self.row_steps(step) ** 2).mean())

    def coded_bits(self, step: float) -> float:
        """Order-0 entropy of all weights, plainly rounded to ``step``."""
        rounded = self.rounded(step).reshape(-1).astype(np.int64)
        return entropy_of_counts(np.bincount(rounded + WEIGHT_LIMIT))

    def rounded(self, step: float) -> np.ndarray:
        """``weight`` plainly rounded to ``step``, int8 (O, K)."""
        steps = self.row_steps(step)
        return np.rint(self.weight / np.where(steps > 0, steps, 1.0)[:, None]).astype(np.int8)

    def _row_maxima(self) -> np.ndarray:
        maxima: np.ndarray = np.abs(self.weight).max(axis=1, initial=0.0)
        return maxima


def float_moments(
    graph: Graph, images: np.ndarray, pixels_per_image: int, progress: Progress
) -> Mapping[str, np.ndarray]:
    """Covariance (K, K) of every convolution's inputs in the float network."""
    accumulators: dict[str, MomentAccumulator] = {}
    readers: dict[str, list[Convolution]] = {}
    for node in graph.nodes:
        if isinstance(node, ops.Conv2D | ops.ConvGlobalPool):
            channels = graph.values[node.inputs[0]].type.channels
            accumulators[node.name] = MomentAccumulator(node.window, channels, pixels_per_image)
            readers.setdefault(node.inputs[0], []).append(node)
    for start in range(0, len(images), 4):
        progress("measuring inputs", start, len(images))
        for name, value in walk_float(graph, images[start : start + 4]):
            for node in readers.get(name, ()):
                fill = np.asarray(node.pad_value or np.zeros(value.shape[-1]))
                accumulators[node.name].add(value, value, fill, fill)
    progress("measuring inputs", len(images), len(images))
    return {name: a.finish().covariance for name, a in accumulators.items()}


def measure(
    graph: Graph,
    moments: Mapping[str, np.ndarray],
    factors: Mapping[str, np.ndarray],
    images: np.ndarray,
    damping: float,
    progress: Progress,
) -> tuple[Sensitivity, ...]:
    """The sensitivity of every convolution.

    ``factors``: of channel equalisation; weights are rounded after multiplication by
    those of the layer's inputs. ``images``: not those that built ``moments``.
    """
    activations = dict(walk_float(graph, images))
    reference = _log_softmax(activations[graph.output])
    convolutions = [n for n in graph.nodes if isinstance(n, ops.Conv2D | ops.ConvGlobalPool)]

    def sensitivity(node: Convolution) -> Sensitivity:
        weight = graph.constants[node.inputs[1]].astype(np.float64)
        scale = np.tile(factors[node.inputs[0]], node.window.taps)
        matrix = weight.reshape(len(weight), -1) * scale
        if not matrix.any():
            return Sensitivity(node.name, matrix, 0.0)
        step = step_for_entropy(matrix, TRIAL_BITS)
        moment = moments[node.name] / np.outer(scale, scale)
        zeros = kept_zeros(matrix)
        rounded = error_feedback_round(matrix / step, moment, WEIGHT_LIMIT, damping, zeros) * step
        logits = _logits_with(graph, node, (rounded / scale).reshape(weight.shape), activations)
        kl = float((np.exp(reference) * (reference - _log_softmax(logits))).sum(axis=1).mean())
        return Sensitivity(node.name, matrix, max(kl, LEAST_KL) / step**2)

    result: list[Sensitivity] = []
    for found in in_order(sensitivity, convolutions):
        progress("measuring sensitivity", len(result), len(convolutions))
        result.append(found)
    progress("measuring sensitivity", len(convolutions), len(convolutions))
    return tuple(result)


def step_for_entropy(matrix: np.ndarray, bits: float) -> float:
    """The step at which plain rounding leaves ``bits`` of entropy per weight."""
    low, high = float(np.abs(matrix).max()) / WEIGHT_LIMIT, float(np.abs(matrix).max())
    for _ in range(40):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if entropy_bits(matrix, middle) > bits else (low, middle)
    return high


def entropy_bits(matrix: np.ndarray, step: float) -> float:
    """Order-0 entropy per weight, in bits, of ``matrix`` rounded to ``step``."""
    counts = np.unique(np.rint(matrix / step), return_counts=True)[1]
    return entropy_of_counts(counts) / float(counts.sum())


def entropy_of_counts(counts: np.ndarray) -> float:
    """Order-0 entropy in bits of values that occur ``counts`` times."""
    seen = counts[counts > 0]
    return float(-(seen * np.log2(seen / seen.sum())).sum())


def _logits_with(
    graph: Graph, changed: Convolution, weight: np.ndarray, activations: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Logits with other weights in ``changed``; only what depends on them is computed."""
    live: dict[str, np.ndarray] = {}
    for node in graph.nodes:
        if node is not changed and not any(i in live for i in node.inputs):
            continue
        operands = []
        for name in node.inputs:
            if node is changed and name == node.inputs[1]:
                operands.append(weight.astype(np.float32))
            elif name in live:
                operands.append(live[name])
            else:
                known = activations if name in activations else graph.constants
                operands.append(known[name])
        live[node.output] = evaluate_node(node, operands, Layout.NHWC)
    return live[graph.output]


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    result: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result
