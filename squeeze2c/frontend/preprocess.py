"""From camera pixels to the numbers that the float model expects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np

from squeeze2c.errors import ShapeError, UsageError

ChannelOrder = Literal["rgb", "bgr"]
CHANNEL_ORDERS: tuple[ChannelOrder, ...] = ("rgb", "bgr")


@dataclass(frozen=True, slots=True)
class Preprocess:
    """How a model wants its input made from an RGB image with values 0..255.

    With ``order[c]`` the image channel that model channel ``c`` reads::

        x[c] = (pixel[order[c]] - mean[c]) / std[c]

    ``mean`` and ``std`` are in the model's channel order and in units of pixel
    values; they have one entry per channel. ``resize`` is the length of the
    shorter side, in pixels, to which image files are scaled (None: not at all);
    ``crop`` then cuts the model's size out of the centre. The last two concern
    image files only and never reach generated code.

    Raises :class:`UsageError` where a field makes no sense.
    """

    channels: ChannelOrder = "rgb"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    resize: int | None = None
    crop: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", tuple(float(m) for m in self.mean))
        object.__setattr__(self, "std", tuple(float(s) for s in self.std))
        if self.channels not in CHANNEL_ORDERS:
            raise UsageError(
                f"unknown channel order {self.channels!r}",
                hint=f"choose one of {', '.join(CHANNEL_ORDERS)}",
            )
        if len(self.mean) != len(self.std) or not self.mean:
            raise UsageError(
                f"mean has {len(self.mean)} entries and std has {len(self.std)}",
                hint="give one of each per channel",
            )
        if not all(math.isfinite(m) for m in self.mean):
            raise UsageError(f"mean must be finite, got {self.mean}")
        if not all(math.isfinite(s) and s > 0 for s in self.std):
            raise UsageError(f"std must be finite and positive, got {self.std}")
        if self.resize is not None and self.resize < 1:
            raise UsageError(f"resize must be at least 1 pixel, got {self.resize}")

    @classmethod
    def named(cls, name: str) -> Preprocess:
        """The preset called ``name``: caffe, torchvision or none. Raises UsageError."""
        if name not in PRESETS:
            raise UsageError(
                f"unknown preprocessing {name!r}", hint=f"choose one of {', '.join(PRESETS)}"
            )
        return PRESETS[name]

    @property
    def order(self) -> tuple[int, ...]:
        """For each model channel, the channel of the RGB image that it reads."""
        forward = tuple(range(len(self.mean)))
        return forward[::-1] if self.channels == "bgr" else forward

    @property
    def keeps_pixels(self) -> bool:
        """Whether the model reads the pixels as they are."""
        in_order = self.order == tuple(range(len(self.mean)))
        return in_order and not any(self.mean) and set(self.std) == {1.0}

    def for_channels(self, count: int) -> Preprocess:
        """The same for images of ``count`` channels; pixels as they are suit any number.

        Raises :class:`UsageError` where ``mean`` and ``std`` are made for another number.
        """
        if len(self.mean) == count:
            return self
        if self.keeps_pixels:
            return replace(self, mean=(0.0,) * count, std=(1.0,) * count)
        raise UsageError(
            f"preprocessing has {len(self.mean)} channels, the model's input has {count}",
            hint="give mean and std one entry per channel of the model, or choose the preset none",
        )

    def apply(self, images: np.ndarray) -> np.ndarray:
        """uint8 RGB images (n, rows, cols, channels) to float32 (n, channels, rows, cols).

        The arithmetic is done in double precision and rounded once. Raises
        :class:`ShapeError` where the images are not of that type, and as
        :meth:`for_channels` where they have another number of channels.
        """
        if images.ndim != 4 or images.dtype != np.uint8:
            raise ShapeError(
                f"images must be uint8 (n, rows, cols, channels), "
                f"got {images.dtype} {images.shape}"
            )
        fitted = self.for_channels(images.shape[3])
        result = np.empty((images.shape[0], images.shape[3], *images.shape[1:3]), np.float32)
        levels = np.arange(256, dtype=np.float64)
        for c, source in enumerate(fitted.order):
            table = ((levels - fitted.mean[c]) / fitted.std[c]).astype(np.float32)
            result[:, c] = table[images[..., source]]
        return result

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON types; :meth:`from_json` is its inverse."""
        return {
            "channels": self.channels,
            "mean": list(self.mean),
            "std": list(self.std),
            "resize": self.resize,
            "crop": self.crop,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Preprocess:
        """The inverse of :meth:`to_json`. Raises UsageError where a key is missing or wrong."""
        try:
            resize = data["resize"]
            return cls(
                channels=cast(ChannelOrder, data["channels"]),
                mean=tuple(data["mean"]),
                std=tuple(data["std"]),
                resize=None if resize is None else int(resize),
                crop=bool(data["crop"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"not a description of preprocessing: {error!r}") from error


PRESETS: dict[str, Preprocess] = {
    "caffe": Preprocess("bgr", (103.939, 116.779, 123.68), (1.0, 1.0, 1.0), 256, True),
    "torchvision": Preprocess(
        "rgb",
        (255 * 0.485, 255 * 0.456, 255 * 0.406),
        (255 * 0.229, 255 * 0.224, 255 * 0.225),
        256,
        True,
    ),
    "none": Preprocess(),
}
