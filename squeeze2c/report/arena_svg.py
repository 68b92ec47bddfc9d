"""The arena over time as SVG: the whole run, bytes in use, and the steps around the peak."""

from __future__ import annotations

from squeeze2c.memory import ArenaPicture, PictureBuffer
from squeeze2c.report.arena import by_size, layer_of, received_rows, rows_text
from squeeze2c.report.palette import FAMILIES, buffer_colours
from squeeze2c.report.svg import (
    FAINT,
    GRID,
    INK,
    PAPER,
    Attribute,
    Canvas,
    Frame,
    binary,
    decades,
    round_steps,
)

WIDTH = 1200
LEFT, RIGHT = 70, 16
MAP_HEIGHT, USE_HEIGHT, ZOOM_HEIGHT = 330, 90, 330
ZOOM_STEPS = 64
LAYER_NAMES_HEIGHT = 130
LEGEND_COLUMNS = 3
LEGEND_LINE = 15
BOUND, ARENA = "#b3261e", INK
_LETTER_WIDTH = 5.3


def arena_svg(picture: ArenaPicture, title: str) -> str:
    """A self-contained SVG file; ``title`` names the network and how it was scheduled."""
    return _Drawing(picture, title).draw()


class _Drawing:
    def __init__(self, picture: ArenaPicture, title: str) -> None:
        self._picture = picture
        self._title = title
        self._colours = buffer_colours(picture)
        self._zooms = len(picture.steps) > ZOOM_STEPS
        lines = -(-len(picture.buffers) // LEGEND_COLUMNS)
        self._map_top = 96.0
        self._use_top = self._map_top + MAP_HEIGHT + 34
        self._zoom_top = self._use_top + USE_HEIGHT + 72
        below = self._zoom_top + ZOOM_HEIGHT if self._zooms else self._use_top + USE_HEIGHT
        self._legend_top = below + (LAYER_NAMES_HEIGHT if self._zooms else 54) + 30
        height = self._legend_top + lines * LEGEND_LINE + 24
        self._canvas = Canvas(WIDTH, height, f"Arena over time: {title}")

    def draw(self) -> str:
        steps = len(self._picture.steps)
        self._heading()
        whole = self._frame(self._map_top, MAP_HEIGHT, (0, steps))
        self._axes(whole)
        self._buffers(whole, labels=not self._zooms)
        self._limits(whole)
        self._received(whole)
        self._use(self._frame(self._use_top, USE_HEIGHT, (0, steps)))
        if self._zooms:
            self._zoom(whole)
        self._legend()
        return self._canvas.render()

    def _frame(self, top: float, height: float, steps: tuple[float, float]) -> Frame:
        # A little air above the arena, for its line.
        most = 1.04 * self._picture.arena_bytes
        return Frame(LEFT, top, WIDTH - LEFT - RIGHT, height, steps, (0, most))

    def _heading(self) -> None:
        picture, canvas = self._picture, self._canvas
        canvas.text(LEFT, 28, f"Arena over time: {self._title}", font_size=17, font_weight="bold")
        peak = picture.peak_step
        canvas.text(
            LEFT, 47,
            f"{len(picture.steps):,} steps; {len(picture.buffers)} buffers share "
            f"{picture.arena_bytes:,} bytes (alone: "
            f"{sum(b.size_bytes for b in picture.buffers):,}); fullest at step {peak:,}, "
            f"{layer_of(picture, picture.steps[peak])}",
            fill=FAINT,
        )  # fmt: skip
        x = float(LEFT)
        for family in FAMILIES.values():
            canvas.add("rect", x=x, y=57, width=11, height=11, fill=family.colour(0))
            canvas.text(x + 16, 67, family.title)
            x += 110
        for colour, dash, words in (
            (ARENA, "none", f"arena, {picture.arena_bytes:,} bytes"),
            (BOUND, "5 3", f"lower bound, {picture.lower_bound_bytes:,} bytes"),
        ):
            canvas.line(x, 63, x + 24, 63, stroke=colour, stroke_width=1.5, stroke_dasharray=dash)
            canvas.text(x + 30, 67, words)
            x += 190

    def _axes(self, frame: Frame, most_y: int = 9, steps: bool = True) -> None:
        canvas = self._canvas
        for value in round_steps(*frame.y_range, most_y, binary()):
            y = frame.y(value)
            canvas.line(frame.left, y, frame.right, y, stroke=GRID)
            canvas.text(frame.left - 6, y + 4, f"{value:,.0f}", text_anchor="end", fill=FAINT)
        for value in round_steps(*frame.x_range, 14, decades()) if steps else ():
            x = frame.x(value)
            canvas.line(x, frame.bottom, x, frame.bottom + 4, stroke=FAINT)
            canvas.text(
                x, frame.bottom + 15, f"{value:,.0f}", text_anchor="middle", fill=FAINT
            )
        canvas.text(
            0, 0, "bytes", fill=FAINT, text_anchor="middle",
            transform=f"translate(13 {frame.top + frame.height / 2:.0f}) rotate(-90)",
        )  # fmt: skip

    def _buffers(self, frame: Frame, labels: bool) -> None:
        for buffer in self._picture.buffers:
            spans = [frame.clip(r.start, r.end) for r in buffer.live]
            spans = [(start, end) for start, end in spans if start < end]
            if not spans:
                continue
            path = "".join(
                frame.box(start, end, buffer.offset_bytes, buffer.end_bytes)
                for start, end in spans
            )
            edges: dict[str, Attribute] = {}
            if labels:
                edges = {"stroke": PAPER, "stroke_width": 0.7}
            self._canvas.shape(
                path, self._describe(buffer), fill=self._colours[buffer.name], **edges
            )
            if labels:
                for start, end in spans:
                    self._label(frame, buffer, start, end)
            else:
                self._label(frame, buffer, *max(spans, key=lambda s: s[1] - s[0]))

    def _label(self, frame: Frame, buffer: PictureBuffer, start: float, end: float) -> None:
        """The buffer's name in the middle of its rectangle, if there is room."""
        width = frame.x(end) - frame.x(start)
        middle = frame.y((buffer.offset_bytes + buffer.end_bytes) / 2)
        high = frame.y(buffer.offset_bytes) - frame.y(buffer.end_bytes)
        name = buffer.name.removesuffix("/scratch")
        for words in (f"{name}: {rows_text(buffer)}" if buffer.map_rows else name, name):
            if high >= 10 and width >= _LETTER_WIDTH * len(words) + 6:
                self._canvas.text(
                    (frame.x(start) + frame.x(end)) / 2, middle + 3.5, words,
                    text_anchor="middle", font_size=10, pointer_events="none",
                )  # fmt: skip
                return

    def _limits(self, frame: Frame) -> None:
        picture = self._picture
        for value, colour, dash in (
            (picture.arena_bytes, ARENA, "none"),
            (picture.lower_bound_bytes, BOUND, "5 3"),
        ):
            y = frame.y(value)
            self._canvas.line(
                frame.left, y, frame.right, y,
                stroke=colour, stroke_width=1.3, stroke_dasharray=dash,
            )  # fmt: skip

    def _received(self, frame: Frame) -> None:
        """Above the whole run: when which row of the image has come."""
        rows = list(received_rows(self._picture))
        if not rows:
            return
        last = rows[-1][1]
        shown = {round(last * part / 8) for part in range(9)}
        self._canvas.text(
            frame.left - 6, frame.top - 6, "image row", text_anchor="end", fill=FAINT
        )
        for step, row in rows:
            if row in shown:
                x = frame.x(step + 0.5)
                self._canvas.line(x, frame.top - 3, x, frame.top + 2, stroke=FAINT)
                self._canvas.text(
                    x, frame.top - 6, str(row), text_anchor="middle", fill=FAINT
                )

    def _use(self, frame: Frame) -> None:
        canvas, picture = self._canvas, self._picture
        self._axes(frame, most_y=4)
        late = picture.peak_step > len(picture.steps) / 2
        canvas.text(
            frame.left if late else frame.right, frame.top - 4, "bytes in use, by kind",
            fill=FAINT, text_anchor="start" if late else "end",
        )  # fmt: skip
        floor = [0] * len(picture.steps)
        for kind, family in FAMILIES.items():
            top = [a + b for a, b in zip(floor, picture.used_bytes(kind), strict=True)]
            canvas.shape(
                frame.stairs(top, floor), f"{family.title}: bytes in use", fill=family.colour(0)
            )
            floor = top
        self._limits(frame)
        x = frame.x(picture.peak_step + 0.5)
        canvas.line(x, frame.top, x, frame.bottom, stroke=BOUND, stroke_width=0.8)
        canvas.text(x + 4, frame.top - 4, f"peak: step {picture.peak_step:,}", fill=BOUND)
        canvas.text(
            frame.left + frame.width / 2, frame.bottom + 30, "steps of the schedule",
            text_anchor="middle", fill=FAINT,
        )  # fmt: skip

    def _zoom(self, whole: Frame) -> None:
        canvas, picture = self._canvas, self._picture
        first = min(
            max(0, picture.peak_step - ZOOM_STEPS // 2), len(picture.steps) - ZOOM_STEPS
        )
        last = first + ZOOM_STEPS
        frame = self._frame(self._zoom_top, ZOOM_HEIGHT, (first, last))
        canvas.text(
            LEFT, frame.top - 10, f"Around the peak: steps {first:,} to {last - 1:,}",
            font_size=13, font_weight="bold",
        )  # fmt: skip
        canvas.add(
            "rect", x=whole.x(first), y=whole.top, width=whole.x(last) - whole.x(first),
            height=whole.height, fill="none", stroke=BOUND, stroke_width=0.8,
        )  # fmt: skip
        self._axes(frame, steps=False)
        self._buffers(frame, labels=True)
        self._limits(frame)
        for index in range(first, last):
            peak = index == picture.peak_step
            canvas.text(
                0, 0, layer_of(picture, picture.steps[index]), font_size=9, text_anchor="end",
                fill=BOUND if peak else INK, font_weight="bold" if peak else "normal",
                transform=f"translate({frame.x(index + 0.5) + 3:.1f} {frame.bottom + 6:.1f}) "
                "rotate(-60)",
            )  # fmt: skip

    def _legend(self) -> None:
        canvas, picture = self._canvas, self._picture
        canvas.text(
            LEFT, self._legend_top - 14, "Buffers, the largest first; bold: in use at the peak",
            font_size=13, font_weight="bold",
        )  # fmt: skip
        ordered = by_size(picture)
        lines = -(-len(ordered) // LEGEND_COLUMNS)
        for index, buffer in enumerate(ordered):
            column, line = divmod(index, lines)
            x = LEFT + column * (WIDTH - LEFT - RIGHT) / LEGEND_COLUMNS
            y = self._legend_top + line * LEGEND_LINE
            canvas.add("rect", x=x, y=y, width=11, height=11, fill=self._colours[buffer.name])
            canvas.text(x + 66, y + 10, f"{buffer.size_bytes:,}", text_anchor="end")
            rows = rows_text(buffer)
            canvas.text(
                x + 74, y + 10, f"{buffer.name} ({rows})" if rows else buffer.name,
                font_weight="bold" if buffer.is_live(picture.peak_step) else "normal",
            )  # fmt: skip

    def _describe(self, buffer: PictureBuffer) -> str:
        kind = buffer.kind.replace("_", " ")
        rows = f", {rows_text(buffer)}" if buffer.map_rows else ""
        return (
            f"{buffer.name}: {kind}{rows}, {buffer.size_bytes:,} bytes at "
            f"{buffer.offset_bytes:,}, in use during {buffer.live_steps:,} of "
            f"{len(self._picture.steps):,} steps"
        )
