"""Draws the pictures of docs/streaming.md.

    python docs/images/draw.py FOLDER

FOLDER is SqueezeNet v1.1 at 224x224, compiled for cortex-m4 with push input.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from squeeze2c.report import FolderInspection, arena_svg, inspect_folder
from squeeze2c.report.svg import FAINT, GRID, INK, Canvas, Frame, decades, number, round_steps
from squeeze2c.schedule import INPUT_STAGE

BLUE, TEAL, ORANGE, PURPLE, RED = "#6aa5cf", "#6fd0c3", "#f0a04b", "#cf81cf", "#b3261e"


def arena(inspection: FolderInspection) -> str:
    """The arena over time, as ``squeeze2c inspect FOLDER --svg`` draws it."""
    return arena_svg(inspection.picture, "SqueezeNet v1.1, 224x224, streamed, push input")


def order(inspection: FolderInspection) -> str:
    """Which layer computes when: a mark per step, layers from top to bottom."""
    picture = inspection.picture
    names = ("image row", *picture.layers)
    line = 13
    canvas = Canvas(1200, 96 + line * len(names), "The order of steps")
    frame = Frame(
        130, 48, 1054, line * len(names), (0, len(picture.steps)), (len(names), 0)
    )
    canvas.text(130, 22, "The order of steps: each row goes down as far as it can",
                font_size=15, font_weight="bold")  # fmt: skip
    canvas.text(130, 40, "A mark is one row of one layer; a pool takes one row of its input.",
                fill=FAINT)  # fmt: skip
    for index, name in enumerate(names):
        y = frame.y(index + 0.5)
        canvas.line(frame.left, y, frame.right, y, stroke=GRID)
        canvas.text(frame.left - 6, y + 4, name, text_anchor="end", fill=FAINT)
    marks: dict[int, list[str]] = {}
    for at, step in enumerate(picture.steps):
        lane = step.stage - INPUT_STAGE
        marks.setdefault(lane, []).append(frame.box(at, at + 1, lane + 0.85, lane + 0.15))
    for lane, paths in marks.items():
        pooled = names[lane].startswith("pool")
        colour = RED if not lane else ORANGE if pooled else BLUE
        canvas.shape("".join(paths), f"{names[lane]}: {len(paths)} steps", fill=colour)
    for value in round_steps(*frame.x_range, 14, decades()):
        x = frame.x(value)
        canvas.line(x, frame.bottom, x, frame.bottom + 4, stroke=FAINT)
        canvas.text(x, frame.bottom + 15, f"{value:,.0f}", text_anchor="middle", fill=FAINT)
    canvas.text(frame.left + frame.width / 2, frame.bottom + 32, "steps of the schedule",
                text_anchor="middle", fill=FAINT)  # fmt: skip
    return canvas.render()


def fire(inspection: FolderInspection) -> str:
    """A Fire module and a pool, streamed: the sketch that explains line buffers."""
    del inspection
    canvas = Canvas(1000, 330, "A Fire module and a max-pool, streamed")
    canvas.text(20, 26, "A Fire module and a max-pool, streamed", font_size=15, font_weight="bold")
    _layer(canvas, 20, 130, "squeeze 1x1")
    _arrow(canvas, 140, 150, 172, 150)
    canvas.text(180, 78, "line buffer: 3 rows in a ring", fill=FAINT)
    _bar(canvas, 180, 86, 190, BLUE, "row 5: no longer needed", gone=True)
    for slot, row in enumerate((6, 7, 8)):
        _bar(canvas, 180, 118 + 28 * slot, 190, BLUE, f"row {row}, slot {row % 3}")
    canvas.text(180, 222, "row 9 will take the slot of row 6", fill=FAINT)
    _arrow(canvas, 376, 157, 422, 116)
    _arrow(canvas, 376, 157, 422, 198)
    _layer(canvas, 430, 90, "expand 1x1")
    canvas.text(430, 142, "reads row 7", fill=FAINT)
    _layer(canvas, 430, 178, "expand 3x3")
    canvas.text(430, 230, "reads rows 6, 7, 8", fill=FAINT)
    _arrow(canvas, 550, 110, 602, 146)
    _arrow(canvas, 550, 198, 602, 164)
    canvas.text(610, 136, "one row of the concatenation", fill=FAINT)
    _bar(canvas, 610, 144, 85, TEAL, "row 7, left")
    _bar(canvas, 695, 144, 85, PURPLE, "right half")
    canvas.text(610, 186, "of each pixel: two layers, one buffer,", fill=FAINT)
    canvas.text(610, 200, "no concatenation", fill=FAINT)
    _arrow(canvas, 786, 155, 818, 155)
    _layer(canvas, 826, 130, "max-pool")
    canvas.text(826, 186, "running maximum of", fill=FAINT)
    canvas.text(826, 200, "rows 6 and 7 so far", fill=FAINT)
    _bar(canvas, 826, 214, 120, ORANGE, "pool row 3")
    canvas.text(
        20, 290,
        "Rows, not feature maps: a row is dropped when its last reader has read it, "
        "and nothing is computed twice.",
    )  # fmt: skip
    return canvas.render()


def _layer(canvas: Canvas, x: float, y: float, name: str) -> None:
    canvas.add("rect", x=x, y=y, width=120, height=38, rx=6, fill="#ffffff", stroke=INK)
    canvas.text(x + 60, y + 23, name, text_anchor="middle", font_weight="bold")


def _bar(
    canvas: Canvas, x: float, y: float, width: float, colour: str, words: str, gone: bool = False
) -> None:
    canvas.add(
        "rect", x=x, y=y, width=width, height=22, fill="none" if gone else colour,
        stroke=FAINT if gone else "#ffffff", stroke_dasharray="4 3" if gone else "none",
    )  # fmt: skip
    canvas.text(
        x + width / 2, y + 15, words, text_anchor="middle", fill=FAINT if gone else INK
    )


def _arrow(canvas: Canvas, x1: float, y1: float, x2: float, y2: float) -> None:
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    canvas.line(x1, y1, x2 - 6 * dx, y2 - 6 * dy, stroke=INK, stroke_width=1.3)
    head = ((x2, y2), (x2 - 9 * dx - 4 * dy, y2 - 9 * dy + 4 * dx),
            (x2 - 9 * dx + 4 * dy, y2 - 9 * dy - 4 * dx))  # fmt: skip
    points = " ".join(f"{number(x)},{number(y)}" for x, y in head)
    canvas.add("polygon", points=points, fill=INK)


PICTURES: dict[str, Callable[[FolderInspection], str]] = {
    "streaming_fire": fire,
    "streaming_order": order,
    "streaming_arena": arena,
}


def main(folder: Path, output: Path) -> None:
    """Draw all pictures of the network in ``folder`` into ``output``."""
    inspection = inspect_folder(folder)
    for name, draw in PICTURES.items():
        (output / f"{name}.svg").write_text(draw(inspection), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).resolve().parent)
