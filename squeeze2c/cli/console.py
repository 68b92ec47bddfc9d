"""What a command shows: a JSON object or tables on stdout, progress and remarks on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, NoReturn

import typer
from rich import box
from rich.console import Console, JustifyMethod, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from squeeze2c.cli.outputs import json_text
from squeeze2c.errors import InternalError, one_line

REPORT_HINT = (
    "this is a bug in squeeze2c; please report it with the command, the model if you can share "
    "it, and what the same command prints with --verbose"
)


_FILE_WIDTH = 160


class Reporter:
    """Shows one command's work. A context manager: progress bars vanish at its end.

    ``json_output``: only :meth:`result` writes to stdout, one object. Bars are
    drawn on a terminal only, and neither with ``quiet`` nor with ``json_output``.
    """

    def __init__(self, json_output: bool, quiet: bool, verbose: bool) -> None:
        self.verbose = verbose and not quiet
        self._json = json_output
        self._quiet = quiet
        # Where there is no terminal to ask, tables are as wide as their content needs.
        # No markup: layers may be called [anything].
        self._stdout = Console(
            highlight=False, markup=False, width=None if sys.stdout.isatty() else _FILE_WIDTH
        )
        self._stderr = Console(stderr=True, highlight=False)
        self._shows_bars = not (quiet or json_output) and sys.stderr.isatty()
        self._tasks: dict[str, TaskID] = {}
        self._work: TaskID | None = None
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<28}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=self._stderr,
            transient=True,
        )

    def __enter__(self) -> Reporter:
        if self._shows_bars:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def progress(self, stage: str, done: int, total: int) -> None:
        """A :data:`squeeze2c.progress.Progress`: one bar per stage."""
        if stage not in self._tasks:
            self._end_work()
            self._tasks[stage] = self._bars.add_task(stage, total=total or None)
        self._bars.update(self._tasks[stage], completed=done, total=total or None)

    def working(self, stage: str) -> None:
        """Say that a stage of unknown length has begun; it ends where the next one begins."""
        self._end_work()
        self._work = self._bars.add_task(stage, total=None)

    def _end_work(self) -> None:
        if self._work is not None:
            self._bars.remove_task(self._work)
            self._work = None

    def remark(self, text: str) -> None:
        """A line on stderr that is neither a result nor an error."""
        if not self._quiet:
            print(f"note: {one_line(text)}", file=sys.stderr)

    def result(self, document: Mapping[str, Any], *tables: RenderableType) -> None:
        """The outcome: ``document`` with --json, else ``tables``, with --quiet nothing."""
        self._stop()
        if self._json:
            print(json_text(document), end="")
        elif not self._quiet:
            for table in tables:
                self._stdout.print(table)

    def _stop(self) -> None:
        # Some releases of rich print an empty line when they stop what was never started.
        if self._shows_bars:
            self._bars.stop()

    def bug(self, text: str) -> NoReturn:
        """End the command after its result, which shows a bug of squeeze2c's."""
        print(f"error: {one_line(text)}; {REPORT_HINT}", file=sys.stderr)
        raise typer.Exit(InternalError.exit_code)


def facts_table(title: str, facts: Iterable[tuple[str, str]]) -> Table:
    """Two columns: what, and how much."""
    table = _table(title, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    for name, value in facts:
        table.add_row(name, value)
    return table


def rows_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table whose columns are right-justified but for the first."""
    table = _table(title)
    for index, column in enumerate(columns):
        justify: JustifyMethod = "right" if index else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=not index)
    for row in rows:
        table.add_row(*(one_line(cell) for cell in row))
    return table


def _table(title: str, show_header: bool = True) -> Table:
    """A table that is as wide as its title at least, so that the title takes one line."""
    return Table(
        title=title, title_justify="left", show_header=show_header, box=box.SIMPLE_HEAD,
        collapse_padding=True, pad_edge=False, min_width=len(title),
    )  # fmt: skip


def shape_text(shape: Iterable[int]) -> str:
    """``55x55x128``."""
    return "x".join(str(dimension) for dimension in shape)


def bytes_text(size: int) -> str:
    """``1,022,832 B (998.9 KiB)``."""
    return f"{size:,} B ({size / 1024:,.1f} KiB)"
