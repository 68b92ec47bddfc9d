"""The few elements of SVG that pictures here consist of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

Element = ElementTree.Element

Attribute = str | float

INK, FAINT, GRID, PAPER = "#1d2530", "#5b6673", "#d9dee4", "#ffffff"


class Canvas:
    """A picture of ``width`` by ``height`` pixels that needs no other file."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self.root = Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": f"0 0 {number(width)} {number(height)}",
                "width": number(width),
                "height": number(height),
                "font-family": "Helvetica, Arial, sans-serif",
                "font-size": "11",
                "fill": INK,
            },
        )
        ElementTree.SubElement(self.root, "title").text = title
        self.add("rect", width=width, height=height, fill=PAPER)

    def add(self, tag: str, **attributes: Attribute) -> Element:
        """A new element; ``stroke_width`` becomes ``stroke-width``."""
        named = {
            key.rstrip("_").replace("_", "-"): value if isinstance(value, str) else number(value)
            for key, value in attributes.items()
        }
        return ElementTree.SubElement(self.root, tag, named)

    def text(self, x: float, y: float, words: str, **attributes: Attribute) -> None:
        """Words whose baseline starts at (x, y)."""
        self.add("text", x=x, y=y, **attributes).text = words

    def line(self, x1: float, y1: float, x2: float, y2: float, **attributes: Attribute) -> None:
        """A straight line."""
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)

    def shape(self, path: str, title: str, **attributes: Attribute) -> None:
        """A path that shows ``title`` while the pointer is over it."""
        ElementTree.SubElement(self.add("path", d=path, **attributes), "title").text = title

    def render(self) -> str:
        """The file's text."""
        ElementTree.indent(self.root, " ")
        return ElementTree.tostring(self.root, encoding="unicode") + "\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """A panel: values ``x_range`` by ``y_range`` in a box of pixels; y grows upwards."""

    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        first, last = self.x_range
        return self.left + self.width * (value - first) / (last - first)

    def y(self, value: float) -> float:
        first, last = self.y_range
        return self.top + self.height * (last - value) / (last - first)

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def right(self) -> float:
        return self.left + self.width

    def clip(self, start: float, end: float) -> tuple[float, float]:
        """The part of [start, end) within ``x_range``."""
        return max(start, self.x_range[0]), min(end, self.x_range[1])

    def box(self, start: float, end: float, low: float, high: float) -> str:
        """Path of the rectangle from ``start`` to ``end`` and from ``low`` to ``high``."""
        x, y = self.x(start), self.y(high)
        width, height = self.x(end) - x, self.y(low) - y
        return f"M{number(x)} {number(y)}h{number(width)}v{number(height)}h{number(-width)}z"

    def stairs(self, heights: Sequence[float], floor: Sequence[float]) -> str:
        """Path of the area between two step functions that are given per unit of x."""
        outline = [*self._corners(heights), *reversed(self._corners(floor))]
        return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in outline) + "z"

    def _corners(self, heights: Sequence[float]) -> list[tuple[float, float]]:
        corners: list[tuple[float, float]] = []
        for index, height in enumerate(heights):
            if index and height == heights[index - 1]:
                corners[-1] = (self.x(index + 1), self.y(height))
            else:
                corners += [(self.x(index), self.y(height)), (self.x(index + 1), self.y(height))]
        return corners


def number(value: float) -> str:
    """Two decimals at most, none where they are zero."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))


def round_steps(first: float, last: float, most: int, units: Iterable[float]) -> list[float]:
    """Multiples, from ``first`` to ``last``, of the least unit that makes at most ``most``."""
    span = last - first
    unit = next(u for u in units if span / u < most)
    start = -(-first // unit) * unit
    return [start + i * unit for i in range(int((last - start) // unit) + 1)]


def decades() -> Iterable[float]:
    """1, 2, 5, 10, 20, 50, ..."""
    scale = 1
    while True:
        yield from (scale, 2 * scale, 5 * scale)
        scale *= 10


def binary() -> Iterable[float]:
    """Powers of two from 16."""
    size = 16
    while True:
        yield size
        size *= 2
