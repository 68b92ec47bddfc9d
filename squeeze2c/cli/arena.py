"""``squeeze2c inspect DIR`` on a terminal: the arena over time, and its buffers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.style import Style
from rich.text import Text

from squeeze2c.cli.console import bytes_text, facts_table, rows_table, shape_text

if TYPE_CHECKING:
    from rich.table import Table

    from squeeze2c.memory import ArenaPicture
    from squeeze2c.report import FolderInspection

_LINES = 24
_GUTTER = 11
_MOST_COLUMNS = 128


class ArenaView:
    """Steps from left to right, addresses from bottom to top; the legend follows."""

    def __init__(self, picture: ArenaPicture, every_buffer: bool) -> None:
        self._picture = picture
        self._every_buffer = every_buffer

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from squeeze2c.report import FREE, arena_grid, buffer_colours, layer_of

        picture = self._picture
        columns = min(options.max_width - _GUTTER - 1, _MOST_COLUMNS)
        grid = arena_grid(picture, max(columns, 8), _LINES)
        colours = buffer_colours(picture)
        styles = {FREE: Style(dim=True)}
        for name, letter in grid.letters.items():
            styles[letter] = Style(bgcolor=colours[name], color="black")
        yield Text("arena over time", style="italic")
        ruler = "-" * len(grid.lines[0])
        yield Text(f"{picture.arena_bytes:>{_GUTTER - 2},} +{ruler}")
        for index, line in enumerate(grid.lines):
            lower_edge = (len(grid.lines) - 1 - index) * grid.line_bytes
            text = Text(f"{lower_edge:>{_GUTTER - 2},} |" if index % 3 == 2 else
                        " " * (_GUTTER - 1) + "|")  # fmt: skip
            for character, run in groupby(line):
                text.append("".join(run), styles[character])
            yield text
        width = len(grid.lines[0])
        last = f"step {len(picture.steps):,}"
        yield Text(" " * _GUTTER + "0" + last.rjust(width - 1))
        peak = picture.peak_step
        words = (
            f"^ peak: {max(picture.used_bytes()):,} bytes in use at step {peak:,}, "
            f"{layer_of(picture, picture.steps[peak])}"
        )
        yield Text(" " * (_GUTTER + min(grid.peak_column, max(0, width - len(words)))) + words)
        yield self._legend(grid.letters, colours)

    def _legend(self, letters: Mapping[str, str], colours: Mapping[str, str]) -> Table:
        from squeeze2c.report import by_size, rows_text

        picture, peak = self._picture, self._picture.peak_step
        shown = [
            b for b in by_size(picture)
            if self._every_buffer or b.name in letters or b.is_live(peak)
        ]  # fmt: skip
        hidden = len(picture.buffers) - len(shown)
        more = f", and {hidden} too small to see (--verbose)" if hidden else ""
        table = rows_table(
            f"buffers, the largest first{more}",
            ("   buffer", "kind", "holds", "bytes", "in use", "peak"), (),
        )  # fmt: skip
        for buffer in shown:
            letter = letters.get(buffer.name)
            colour = Style(bgcolor=colours[buffer.name], color="black") if letter else ""
            table.add_row(
                Text.assemble((letter or " ", colour), "  ", buffer.name),
                buffer.kind.replace("_", " "),
                rows_text(buffer),
                f"{buffer.size_bytes:,}",
                f"{100 * buffer.live_steps / len(picture.steps):.0f} %",
                "yes" if buffer.is_live(peak) else "",
            )
        return table


def folder_summary(inspection: FolderInspection) -> Table:
    """Sizes of a generated folder."""
    artifact = inspection.artifact
    manifest, picture = artifact.manifest, inspection.picture
    image, schedule = manifest["input"], manifest["schedule"]
    alone = sum(b.size_bytes for b in picture.buffers)
    return facts_table(
        f"{artifact.name} for {artifact.target}",
        (
            ("input", f"{shape_text(artifact.input_shape)}, {image['format']}, {image['mode']}"),
            ("schedule", f"{schedule['kind']}, {schedule['steps']:,} steps"),
            ("predicted instructions", f"{schedule['predicted_instructions']:,}"),
            ("arena (RAM)", bytes_text(manifest["ram"]["arena_bytes"])),
            ("arena, lower bound", bytes_text(manifest["ram"]["lower_bound_bytes"])),
            (f"its {len(picture.buffers)} buffers one by one", bytes_text(alone)),
            ("parameters (flash)", bytes_text(manifest["flash"]["parameters_bytes"])),
        ),
    )
