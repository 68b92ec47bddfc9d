"""What verification found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first element in which generated C differs from the oracle.

    ``place``: (row, column, channel) of a feature map, or (class,) of the logits.
    """

    image: str
    layer: str
    place: tuple[int, ...]
    generated: int
    oracle: int

    def __str__(self) -> str:
        return (
            f"image {self.image}, layer {self.layer}, element {list(self.place)}: "
            f"C gives {self.generated}, the oracle {self.oracle}"
        )


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Fractions 0 to 1; None without labels."""

    top1: float | None
    top5: float | None


@dataclass(frozen=True, slots=True)
class LayerQuality:
    """A feature map beside the float model's tensor ``onnx_tensor``. ``index``: in the manifest.

    ``sqnr_db`` is inf without any error and -inf where the float tensor is all zero.
    """

    index: int
    name: str
    output: str
    onnx_tensor: str
    sqnr_db: float


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Generated C beside the integer oracle and the float model, over ``images`` images.

    ``oracle_mismatches`` counts elements of all layers and of the logits; anything
    but 0 is a bug. ``layers`` has the worst SQNR first, and is empty where
    ``layers_reference`` is None: then nothing could tell the float model's inner
    tensors. The metrics are defined in :mod:`squeeze2c.verification.metrics`.
    """

    name: str
    reference: str
    compiler: str
    images: int
    real: Accuracy
    integer: Accuracy
    agreement: float
    logit_sqnr_db: float
    mean_kl: float
    oracle_mismatches: int
    first_mismatch: Mismatch | None
    layers_reference: str | None
    layers: tuple[LayerQuality, ...]

    @property
    def exact(self) -> bool:
        """Whether C equals the oracle everywhere."""
        return self.oracle_mismatches == 0

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON types. Decibels that are not finite become None."""
        first = self.first_mismatch
        return {
            "name": self.name,
            "reference": self.reference,
            "compiler": self.compiler,
            "images": self.images,
            "float": {"top1": self.real.top1, "top5": self.real.top5},
            "int": {"top1": self.integer.top1, "top5": self.integer.top5},
            "agreement": self.agreement,
            "logit_sqnr_db": _finite(self.logit_sqnr_db),
            "mean_kl": self.mean_kl,
            "oracle_mismatches": self.oracle_mismatches,
            "first_mismatch": first
            and {
                "image": first.image,
                "layer": first.layer,
                "place": list(first.place),
                "generated": first.generated,
                "oracle": first.oracle,
            },
            "layers_reference": self.layers_reference,
            "layers": [
                {
                    "index": layer.index,
                    "name": layer.name,
                    "output": layer.output,
                    "onnx_tensor": layer.onnx_tensor,
                    "sqnr_db": _finite(layer.sqnr_db),
                }
                for layer in self.layers
            ],
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
