"""From float graph to integer graph whose weights fit: what is packed, and how finely."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from squeeze2c.errors import AccuracyError, DoesNotFitError, UsageError
from squeeze2c.ir import Graph, verify_graph
from squeeze2c.lower import PackedWeights, pack_weights
from squeeze2c.packing.loss import ENOUGH_IMAGES, CalibrationLoss, calibration_loss
from squeeze2c.packing.options import WeightsOptions, check_size
from squeeze2c.packing.shapes import ProgramOf, ShapeSizes
from squeeze2c.progress import Progress, labelled
from squeeze2c.quantize import QuantizeOptions
from squeeze2c.quantize.apply import SampleLogits, quantize_watched
from squeeze2c.quantize.lowbit.allocate import predicted_kl
from squeeze2c.quantize.lowbit.budget import (
    FIRST_OVERHEAD,
    LowBit,
    Steps,
    quantize_to_fit,
    quantize_with_steps,
    sensitivities,
)
from squeeze2c.quantize.lowbit.choose import choose_layers
from squeeze2c.quantize.lowbit.sensitivity import Sensitivity
from squeeze2c.quantize.lowbit.store import kept, key_of
from squeeze2c.quantize.lowbit.within import coarsest_within

FINEST = "allow more; these are the finest weights there are"


@dataclass(frozen=True, slots=True, eq=False)
class StoredWeights:
    """The integer graph, and the weights of it that are ``packed``.

    ``steps``: the rounding step asked for, by layer, where it was chosen. ``expected_kl``:
    what the model of the loss expects of it, in nats, by layer. ``loss``: what was measured.
    """

    integer: Graph
    packed: Mapping[str, PackedWeights]
    loss: CalibrationLoss
    steps: Mapping[str, float]
    expected_kl: Mapping[str, float]


class WeightPacker:
    """Quantises ``graph`` on ``images`` as ``options`` say; ``program_of`` tells sizes."""

    def __init__(
        self,
        graph: Graph,
        images: np.ndarray,
        options: WeightsOptions,
        quantize_options: QuantizeOptions,
        program_of: ProgramOf,
        progress: Progress,
    ) -> None:
        self._graph = graph
        self._images = images
        self._options = options
        self._quantize_options = quantize_options
        self._program_of = program_of
        self._progress = progress

    def run(self, sizes: ShapeSizes | None) -> StoredWeights:
        """``sizes``: of the layers that may be packed; None stores all weights plainly.

        Raises :class:`DoesNotFitError` and :class:`AccuracyError` where a limit is not met.
        """
        if sizes is None:
            return self._plain()
        if self._quantize_options.weight_steps is not None:
            raise UsageError("weight_steps are chosen by the compiler where weights are packed")
        options = self._options
        if options.limit_bytes is None and options.max_drop_percent is None:
            return self._finest(sizes)
        measured = self._sensitivities()
        by_node = {s.node: s for s in measured}
        ranked = [by_node[layer.node] for layer in sizes.layers]
        if options.limit_bytes is None:
            return self._coarsest(ranked)
        count = len(ranked)
        if options.mode == "auto":
            self._progress("choosing layers", 0, 1)
            count = choose_layers(ranked, room_bits(sizes, options.limit_bytes))
            self._progress("choosing layers", 1, 1)
            # Decoded tiles may take RAM that is not there: better said now than later.
            self._program_of(sizes.skeleton, sizes.first(count))
        if count < len(ranked):
            # The model of sizes is a model: where these layers do not fit after all, all may.
            with contextlib.suppress(DoesNotFitError):
                return self._fitting(
                    ranked[:count], sizes.without_codes(count), options.limit_bytes
                )
            count = len(ranked)
        return self._fitting(ranked, sizes.without_codes(count), options.limit_bytes)

    def _plain(self) -> StoredWeights:
        found = quantize_watched(
            self._graph, self._images, self._quantize_options, self._progress
        )
        return self._checked(*found, {}, {})

    def _finest(self, sizes: ShapeSizes) -> StoredWeights:
        """Nothing but entropy coding: every layer as finely as one step for it allows."""
        steps = {layer.node: 0.0 for layer in sizes.layers}
        found = self._quantised(steps, self._progress)
        packed = pack_weights(found[0], steps)
        return self._checked(*found, packed, {})

    def _fitting(
        self, measured: Sequence[Sensitivity], fixed_bytes: int, budget_bytes: int
    ) -> StoredWeights:
        """The finest weights that fit, where the layers ``measured`` are packed."""
        tried: dict[LowBit, tuple[int, float]] = {}

        def size_of(low: LowBit) -> int:
            if low not in tried:
                packed = pack_weights(low.graph, low.steps)
                size = self._program_of(low.graph, packed).parameters_bytes
                tried[low] = (size, calibration_loss(low.logits).drop_percent)
            return tried[low][0]

        low = quantize_to_fit(
            self._graph, self._images, measured, budget_bytes, fixed_bytes, size_of,
            self._quantize_options, self._progress, self._within_drop,
        )  # fmt: skip
        size = size_of(low)
        loss = calibration_loss(low.logits)
        check_size(
            size, self._options,
            hint=f"parameters of {size:,} bytes are the smallest, with an expected loss of "
            f"{loss.mean_kl:.2g} nats (KL) and {loss.drop_percent:.3g} % other answers, as "
            "measured on the calibration images",
        )  # fmt: skip
        return self._of(low, measured, self._advice([*tried.values()]))

    def _coarsest(self, measured: Sequence[Sensitivity]) -> StoredWeights:
        """The smallest weights whose loss stays within ``max_drop_percent``."""
        most = self._options.max_drop_percent or 0.0
        count = 0

        def attempt(steps: Steps) -> tuple[LowBit, float]:
            nonlocal count
            count += 1
            label = f"attempt {count}" if count > 1 else ""
            found = self._quantised(steps, labelled(self._progress, label))
            low = LowBit(*found, steps, predicted_kl(measured, steps))
            return low, calibration_loss(low.logits).drop_percent

        return self._of(coarsest_within(most, measured, attempt)[0], measured)

    def _quantised(self, steps: Steps, progress: Progress) -> tuple[Graph, SampleLogits]:
        return quantize_with_steps(
            self._graph, self._images, steps, self._quantize_options, progress
        )

    def _sensitivities(self) -> tuple[Sensitivity, ...]:
        def measure() -> tuple[Sensitivity, ...]:
            return sensitivities(
                self._graph, self._images, self._quantize_options, self._progress
            )

        if not self._options.cache:
            return measure()
        return kept(key_of(self._graph, self._images, self._quantize_options), measure)

    def _of(
        self, low: LowBit, measured: Sequence[Sensitivity], advice: str = FINEST
    ) -> StoredWeights:
        packed = pack_weights(low.graph, low.steps)
        expected = {s.node: predicted_kl([s], low.steps) for s in measured}
        return self._checked(low.graph, low.logits, packed, low.steps, expected, advice)

    def _checked(
        self,
        integer: Graph,
        logits: SampleLogits,
        packed: Mapping[str, PackedWeights],
        steps: Steps,
        expected_kl: Mapping[str, float] | None = None,
        advice: str = FINEST,
    ) -> StoredWeights:
        verify_graph(integer)
        loss = calibration_loss(logits)
        most = self._options.max_drop_percent
        if most is not None and loss.drop_percent > most:
            size = self._program_of(integer, packed).parameters_bytes
            raise AccuracyError(
                f"{loss.drop_percent:.3g} % of {loss.images} calibration images get another "
                f"answer than from the float network, with parameters of {size:,} bytes",
                where="--max-drop",
                hint=advice,
            )
        return StoredWeights(integer, packed, loss, steps, expected_kl or {})

    def _within_drop(self, low: LowBit) -> bool:
        most = self._options.max_drop_percent
        return most is None or calibration_loss(low.logits).drop_percent <= most

    def _advice(self, tried: Sequence[tuple[int, float]]) -> str:
        """What to do where the budget demands too much; ``tried``: sizes and percentages."""
        most = self._options.max_drop_percent
        limit = self._options.limit_bytes or 0
        good = [
            size for size, drop in tried if most is not None and drop <= most and size > limit
        ]
        known = f"{min(good):,} bytes would do" if good else "allow more bytes"
        return f"{known}; --weights packed without a budget finds how many it takes"


def room_bits(sizes: ShapeSizes, limit_bytes: int) -> tuple[float, ...]:
    """Bits that the weights of the first k layers may take together, for k = 1, 2, ..."""
    fixed = (sizes.without_codes(k) for k in range(1, len(sizes.layers) + 1))
    return tuple(8 * (limit_bytes - size) / FIRST_OVERHEAD for size in fixed)


def packing_notes(stored: StoredWeights, options: WeightsOptions, images: int) -> tuple[str, ...]:
    """Remarks for the user on weights that are packed, or should be."""
    notes = []
    if stored.packed and images < ENOUGH_IMAGES:
        notes.append(
            f"weights were fitted to {images} calibration images, so the loss measured on them "
            f"says little about others: use {ENOUGH_IMAGES} or more, and verify on images that "
            "are not among them"
        )
    if options.mode == "packed" and not stored.packed:
        notes.append("no layer becomes smaller if it is packed: all weights are plain")
    return tuple(notes)
