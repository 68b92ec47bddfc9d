"""Settings of the quantizer, with the values that measured best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from squeeze2c.errors import UsageError


@dataclass(frozen=True, slots=True)
class QuantizeOptions:
    """How to quantise.

    ``equalisation_exponent``: activation channel c is divided by (its maximum)
    to this power, 0 to 1; 0 switches equalisation off.
    ``weight_steps``: for the convolutions in it, one rounding step for all weights, in
    units of the float weights; the others, or all with None, are rounded to 8 bits per
    output channel.
    ``bias_bits``: significant bits of a bias in convolutions with a step of their own; below
    32 all biases of such a layer share a power of two.
    ``statistics_images``: at most this many images build the layers' second moments.
    ``pixels_per_image``: at most this many output pixels of an image are sampled.
    ``damping``: ridge of the error-feedback rounding, relative to the mean
    variance of the inputs; ``target_damping``: the same for the sequential targets.

    Raises :class:`UsageError` where a field is out of range.
    """

    equalisation_exponent: float = 0.6
    weight_steps: Mapping[str, float] | None = None
    bias_bits: int = 32
    statistics_images: int = 100
    pixels_per_image: int = 1024
    damping: float = 0.03
    target_damping: float = 0.1
    error_feedback: bool = True
    bias_correction: bool = True
    batch_images: int = 8

    def __post_init__(self) -> None:
        if not 0 <= self.equalisation_exponent <= 1:
            raise UsageError(
                f"equalisation_exponent is {self.equalisation_exponent}, expected 0 to 1"
            )
        if not 2 <= self.bias_bits <= 32:
            raise UsageError(f"bias_bits is {self.bias_bits}, expected 2 to 32")
        for node, step in (self.weight_steps or {}).items():
            if not (math.isfinite(step) and step >= 0):
                raise UsageError(f"weight_steps has {step} for {node}, expected 0 or more")
        for name in ("statistics_images", "pixels_per_image", "batch_images"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}, expected at least 1")
        for name in ("damping", "target_damping"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise UsageError(f"{name} is {value}, expected a positive number")
