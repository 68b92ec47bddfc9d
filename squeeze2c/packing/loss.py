"""What quantisation costs on the calibration images, from logits that are known anyway."""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.quantize.apply import SampleLogits
from squeeze2c.verification.metrics import LogitMeter


@dataclass(frozen=True, slots=True)
class CalibrationLoss:
    """Float against integer network on ``images`` calibration images.

    ``agreement``: share of them with the same top-1 answer. ``mean_kl``: mean divergence of
    the softmax, in nats. Weights were rounded with these very images in view, so unseen
    images fare worse: little worse where there are a hundred, much worse where there are few.
    """

    images: int
    agreement: float
    mean_kl: float

    @property
    def drop_percent(self) -> float:
        """Percentage of the images that get another answer."""
        return 100 * (1 - self.agreement)


ENOUGH_IMAGES = 50
"""With fewer, the loss on the images that weights were fitted to says little about others."""


def calibration_loss(logits: SampleLogits) -> CalibrationLoss:
    """The loss on the images that ``logits`` belong to."""
    meter = LogitMeter()
    meter.add(logits.real, logits.integer, logits.scale, None)
    return CalibrationLoss(meter.images, meter.agreement, meter.mean_kl)
