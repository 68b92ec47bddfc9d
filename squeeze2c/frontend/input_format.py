"""Pixel formats that cameras deliver, and what the network sees of them.

``runtime_c/include/s2c_input.h`` does the same row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from squeeze2c.errors import UsageError


@dataclass(frozen=True, slots=True)
class InputFormat:
    """``pixel_bytes`` per pixel of the camera, 0 where a pixel is the model's own channels.

    ``description`` completes the sentence "rows of pixels; ...".
    """

    name: str
    pixel_bytes: int
    description: str
    encode_pixels: Callable[[np.ndarray], np.ndarray]
    decode_pixels: Callable[[np.ndarray], np.ndarray]

    @property
    def converts(self) -> bool:
        """Whether pixels change on the way in."""
        return self.pixel_bytes != 0

    def row_bytes(self, cols: int, channels: int) -> int:
        """Bytes of one row of the camera's image."""
        return cols * (self.pixel_bytes or channels)

    def encode(self, images: np.ndarray) -> np.ndarray:
        """RGB images uint8 (..., rows, cols, channels) as the camera would deliver them.

        Returns uint8 (..., rows, row_bytes).
        """
        pixels = self.encode_pixels(images)
        return np.ascontiguousarray(pixels).reshape(*pixels.shape[:-2], -1)

    def decode(self, rows: np.ndarray, channels: int) -> np.ndarray:
        """What the network sees of camera rows uint8 (..., rows, row_bytes): RGB images."""
        pixels = rows.reshape(*rows.shape[:-1], -1, self.pixel_bytes or channels)
        return np.ascontiguousarray(self.decode_pixels(pixels))


def _same(pixels: np.ndarray) -> np.ndarray:
    return pixels


def _reversed(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., ::-1]


def _to_565(pixels: np.ndarray) -> np.ndarray:
    """(..., 3) to (..., 2), high byte first."""
    red, green, blue = (pixels[..., c].astype(np.uint16) for c in range(3))
    words = (red >> 3 << 11) | (green >> 2 << 5) | (blue >> 3)
    return np.stack([words >> 8, words & 255], axis=-1).astype(np.uint8)


def _from_565(pixels: np.ndarray) -> np.ndarray:
    """(..., 2), high byte first, to (..., 3): high bits of a colour repeat in its low ones."""
    high, low = pixels[..., 0].astype(np.uint16), pixels[..., 1].astype(np.uint16)
    red, green, blue = high >> 3, (high & 7) << 3 | low >> 5, low & 31
    colours = [red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2]
    return np.stack(colours, axis=-1).astype(np.uint8)


def _to_grey(pixels: np.ndarray) -> np.ndarray:
    """Luma after ITU-R BT.601 in 16-bit fixed point, rounded."""
    weights = np.array([19595, 38470, 7471], np.uint32)
    luma = (pixels.astype(np.uint32) @ weights + (1 << 15)) >> 16
    return luma[..., None].astype(np.uint8)


def _from_grey(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels, 3, axis=-1)


RAW = InputFormat("raw", 0, "a pixel is its channels, for three red, green and blue", _same, _same)

FORMATS: dict[str, InputFormat] = {
    f.name: f
    for f in (
        RAW,
        InputFormat(
            "bgr888", 3, "a pixel is blue, green and red, a byte each", _reversed, _reversed
        ),
        InputFormat(
            "rgb565le", 2, "a pixel is a 16-bit RGB565 word, low byte first",
            lambda p: _reversed(_to_565(p)), lambda p: _from_565(_reversed(p)),
        ),
        InputFormat(
            "rgb565be", 2, "a pixel is a 16-bit RGB565 word, high byte first", _to_565, _from_565
        ),
        InputFormat("grey8", 1, "a pixel is one grey byte", _to_grey, _from_grey),
    )
}


def input_format(name: str, channels: int = 3) -> InputFormat:
    """The format called ``name`` (``rgb888`` is ``raw``). Raises :class:`UsageError`.

    A format that is converted makes three channels, so the model must have three.
    """
    chosen = FORMATS.get("raw" if name == "rgb888" else name)
    if chosen is None:
        raise UsageError(
            f"unknown input format {name!r}",
            where="--input-format",
            hint=f"choose one of rgb888, {', '.join(FORMATS)}",
        )
    if chosen.converts and channels != 3:
        raise UsageError(
            f"{name} gives three channels, the model reads {channels}",
            where="--input-format",
            hint="use raw",
        )
    return chosen
