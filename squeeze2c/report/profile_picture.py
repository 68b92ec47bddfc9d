"""Instructions of every layer as a picture: bars, stacked by what the instructions were for."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from squeeze2c.emulate.profile import PARTS
from squeeze2c.emulate.result import SimulationResult
from squeeze2c.errors import UsageError
from squeeze2c.report.svg import FAINT, GRID, Canvas, Frame, decades, round_steps

SUFFIXES = (".svg", ".html", ".png")
NOT_TOLD_APART = "instructions"
"""The only part of layers without a profile."""
COLOURS: Mapping[str, str] = {
    "product": "#3b7dd8",
    "transform": "#e8973a",
    "decode": "#8e5bc0",
    "other": "#a9b2bc",
    NOT_TOLD_APART: "#3b7dd8",
}

_WIDTH, _RIGHT, _TOP = 1100.0, 150.0, 84.0
_LEAST_LEFT, _MOST_LEFT, _LETTER = 120.0, 500.0, 6.2
_LINE, _BAR = 19.0, 13.0
_AIR = 1.02
_PNG_DPI = 150


@dataclass(frozen=True, slots=True)
class Bar:
    """A layer; ``parts``: instructions, in the order in which they are stacked."""

    layer: str
    kernel: str
    parts: Mapping[str, int]

    @property
    def instructions(self) -> int:
        return sum(self.parts.values())


def bars_of(result: SimulationResult) -> tuple[Bar, ...]:
    """A bar per layer. Raises :class:`UsageError` where nothing was counted."""
    bars = []
    for layer in result.layers:
        if layer.instructions is None:
            raise UsageError(
                f"nothing to draw: {result.not_counted}", where="--plot",
            )  # fmt: skip
        if layer.profile is None:
            parts = {NOT_TOLD_APART: layer.instructions}
        else:
            parts = {part: layer.profile.parts[part] for part in PARTS}
        bars.append(Bar(layer.name, layer.kernel.removeprefix("s2c_"), parts))
    return tuple(bars)


def check_picture(path: Path) -> None:
    """Raise :class:`UsageError` where a picture cannot be drawn into the file ``path``."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            f"{path.name}: what kind of picture?", where="--plot",
            hint=f"end the name in {', '.join(SUFFIXES)}",
        )  # fmt: skip
    if suffix == ".png" and importlib.util.find_spec("matplotlib") is None:
        raise UsageError(
            "PNG needs matplotlib", where="--plot",
            hint="pip install 'squeeze2c[report]', or ask for .svg or .html",
        )  # fmt: skip


def write_picture(result: SimulationResult, title: str, path: Path) -> None:
    """Draw ``result`` into ``path``, as its suffix says; see :func:`check_picture`."""
    check_picture(path)
    bars = bars_of(result)
    if path.suffix.lower() == ".png":
        _write_png(bars, title, path)
        return
    svg = profile_svg(bars, title)
    if path.suffix.lower() == ".html":
        svg = (
            f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
            f"<title>{escape(title)}</title>\n<body>\n{svg}</body>\n</html>\n"
        )
    path.write_text(svg, encoding="utf-8")


def profile_svg(bars: tuple[Bar, ...], title: str) -> str:
    """A self-contained SVG file; figures show under the pointer."""
    most = max(max(bar.instructions for bar in bars), 1)
    height = _LINE * len(bars)
    names = 20 + _LETTER * max(len(bar.layer) for bar in bars)
    left = max(_LEAST_LEFT, min(_MOST_LEFT, names))
    frame = Frame(
        left, _TOP, _WIDTH - left - _RIGHT, height, (0, _AIR * most), (0, float(len(bars)))
    )
    canvas = Canvas(_WIDTH, _TOP + height + 46, title)
    canvas.text(16, 28, title, font_size=17, font_weight="bold")
    total = sum(bar.instructions for bar in bars)
    canvas.text(16, 47, f"{total:,} instructions in {len(bars)} layers", fill=FAINT)
    _legend(canvas, bars, total)
    for value in round_steps(0, _AIR * most, 11, decades()):
        x = frame.x(value)
        canvas.line(x, frame.top, x, frame.bottom, stroke=GRID)
        canvas.text(x, frame.bottom + 16, _short(value), text_anchor="middle", fill=FAINT)
    canvas.text(frame.left, frame.bottom + 34, "instructions for one image", fill=FAINT)
    for index, bar in enumerate(bars):
        _draw(canvas, frame, bar, frame.top + index * _LINE, total)
    return canvas.render()


def _draw(canvas: Canvas, frame: Frame, bar: Bar, top: float, total: int) -> None:
    baseline = top + _LINE / 2 + 4
    canvas.text(frame.left - 8, baseline, bar.layer, text_anchor="end")
    start, edge = 0, (_LINE - _BAR) / 2
    for part, instructions in bar.parts.items():
        if instructions:
            left, right = frame.x(start), frame.x(start + instructions)
            canvas.shape(
                f"M{left:.2f} {top + edge:.2f}H{right:.2f}v{_BAR:.0f}H{left:.2f}z",
                f"{bar.layer} ({bar.kernel}): {part} {instructions:,} of "
                f"{bar.instructions:,} instructions",
                fill=COLOURS[part],
            )
        start += instructions
    words = f"{_short(bar.instructions)}, {100 * bar.instructions / max(total, 1):.1f} %"
    canvas.text(frame.x(start) + 6, baseline, words, fill=FAINT)


def _legend(canvas: Canvas, bars: tuple[Bar, ...], total: int) -> None:
    x = 16.0
    for part in bars[0].parts:
        share = sum(bar.parts[part] for bar in bars) / max(total, 1)
        canvas.add("rect", x=x, y=57, width=11, height=11, fill=COLOURS[part])
        canvas.text(x + 16, 67, f"{part}, {100 * share:.1f} %")
        x += 140


def _short(value: float) -> str:
    """``12.6 M``, ``315 k``, ``7``."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value:.0f}"


def _write_png(bars: tuple[Bar, ...], title: str, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 1.5 + 0.22 * len(bars)), dpi=_PNG_DPI, layout="constrained")
    axes = figure.subplots()
    names = [bar.layer for bar in bars]
    start = [0.0] * len(bars)
    for part in bars[0].parts:
        width = [bar.parts[part] / 1e6 for bar in bars]
        axes.barh(range(len(bars)), width, left=start, color=COLOURS[part], label=part)
        start = [a + b for a, b in zip(start, width, strict=True)]
    axes.set_yticks(range(len(bars)), names, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("million instructions for one image")
    axes.set_title(title)
    axes.legend()
    figure.savefig(path)
