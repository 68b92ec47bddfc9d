"""Calibration: the range of every channel of every feature map over the images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from squeeze2c.errors import QuantizationError
from squeeze2c.ir import Graph
from squeeze2c.progress import Progress
from squeeze2c.quantize.parallel import in_order
from squeeze2c.reference.float_eval import walk_float


@dataclass(frozen=True, slots=True)
class ChannelRange:
    """Least and greatest real value of each channel of one tensor, arrays of (channels,)."""

    low: np.ndarray
    high: np.ndarray

    @property
    def magnitude(self) -> np.ndarray:
        magnitude: np.ndarray = np.maximum(np.abs(self.low), np.abs(self.high))
        return magnitude


def calibrate(
    graph: Graph, images: np.ndarray, batch_images: int, progress: Progress
) -> Mapping[str, ChannelRange]:
    """Channel ranges of all values over ``images`` uint8 (N, H, W, C).

    Raises :class:`QuantizationError`, naming the layer, where a value is not finite.
    """
    low: dict[str, np.ndarray] = {}
    high: dict[str, np.ndarray] = {}

    def ranges(start: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        found = {}
        with np.errstate(over="ignore", invalid="ignore"):
            for name, value in walk_float(graph, images[start : start + batch_images]):
                axes = tuple(range(value.ndim - 1))
                least, greatest = value.min(axis=axes), value.max(axis=axes)
                if not (np.isfinite(least).all() and np.isfinite(greatest).all()):
                    raise _overflow(graph, name)
                found[name] = (least, greatest)
        return found

    for batch, found in enumerate(in_order(ranges, range(0, len(images), batch_images))):
        progress("calibrating", batch * batch_images, len(images))
        for name, (least, greatest) in found.items():
            low[name] = np.minimum(low[name], least) if name in low else least
            high[name] = np.maximum(high[name], greatest) if name in high else greatest
    progress("calibrating", len(images), len(images))
    return {name: ChannelRange(low[name], high[name]) for name in low}


def _overflow(graph: Graph, value: str) -> QuantizationError:
    producer = graph.producer(value)
    return QuantizationError(
        f"the float model computes values beyond 32-bit floating point in {value!r}",
        where=str(producer.provenance) if producer else value,
        hint="the layer's weights or bias are out of proportion; check the preprocessing too",
    )
