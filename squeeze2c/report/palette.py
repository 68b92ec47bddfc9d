"""Colours of buffers: a hue per kind, shades in turn so that neighbours differ."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass

from squeeze2c.memory import ArenaPicture


@dataclass(frozen=True, slots=True)
class Family:
    """Colours of one kind of buffer: ``hues`` in degrees, taken in turn."""

    title: str
    hues: tuple[int, ...]
    saturation: float
    lightness: tuple[float, ...]

    def colour(self, index: int) -> str:
        """``#rrggbb`` of the buffer number ``index`` of the kind."""
        hue = self.hues[index % len(self.hues)] / 360
        light = self.lightness[index % len(self.lightness)]
        channels = colorsys.hls_to_rgb(hue, light, self.saturation)
        return "#" + "".join(f"{round(255 * c):02x}" for c in channels)


FAMILIES: Mapping[str, Family] = {
    "line_buffer": Family(
        "line buffers", (205, 188, 222, 172, 212), 0.52, (0.60, 0.72, 0.55, 0.62, 0.78)
    ),
    "scratch": Family("scratch", (32, 18, 44), 0.85, (0.58, 0.68, 0.52, 0.74)),
    "accumulator": Family("accumulators", (300,), 0.45, (0.66,)),
}


def buffer_colours(picture: ArenaPicture) -> dict[str, str]:
    """Buffer name to ``#rrggbb``; in the order of offsets, so that shades alternate."""
    seen = dict.fromkeys(FAMILIES, 0)
    chosen = {}
    for buffer in picture.buffers:
        chosen[buffer.name] = FAMILIES[buffer.kind].colour(seen[buffer.kind])
        seen[buffer.kind] += 1
    return chosen
