"""``squeeze2c simulate``: the firmware on an emulated board."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from squeeze2c.cli import options
from squeeze2c.cli.console import Reporter, bytes_text, facts_table, rows_table
from squeeze2c.cli.inputs import read_inputs
from squeeze2c.errors import UsageError
from squeeze2c.target import BOARDS, board_named

if TYPE_CHECKING:
    from rich.table import Table


def simulate_command(
    folder: options.FolderArgument,
    board: Annotated[
        str,
        typer.Option(
            "--board", metavar="NAME", help=f"{', '.join(BOARDS)}.", show_default=False
        ),
    ],
    images: Annotated[
        Path,
        typer.Option(
            "--images", metavar="DIR|FILE", help="Photographs, or an .npz file of images.",
            show_default=False,
        ),
    ],
    count: Annotated[
        int, typer.Option("--count", metavar="N", min=1, help="How many of the images to run.")
    ] = 1,
    json_output: options.JsonFlag = False,
    quiet: options.QuietFlag = False,
    verbose: options.VerboseFlag = False,
) -> None:
    """Run the real firmware on an emulated board: bits, instructions, stack."""
    board_named(board)
    with Reporter(json_output, quiet, verbose) as reporter:
        reporter.working("reading images")
        from squeeze2c.emulate import simulate

        artifact, chosen = read_inputs(folder, images, count)
        if len(chosen) < count:
            raise UsageError(
                f"{count} images wanted, {len(chosen)} found", where=str(images),
                hint="give a smaller --count",
            )
        reporter.working("building the firmware")
        result = simulate(artifact, board, chosen.images, progress=reporter.progress)
        document = result.to_json()
        tables = [_summary(document)]
        if reporter.verbose:
            tables.append(_layers(document))
        reporter.result(document, *tables)
    if document["mismatches"]:
        reporter.bug(
            f"the firmware's layers and logits differ from the integer oracle's in "
            f"{document['mismatches']:,} elements"
        )


def _summary(document: Mapping[str, Any]) -> Table:
    board = BOARDS[document["board"]]
    return facts_table(
        f"{document['board']} ({board.core}), emulated",
        (
            ("images", f"{document['images']:,}"),
            ("elements unlike the oracle's", f"{document['mismatches']:,}"),
            ("instructions per image", _count(document["instructions"])),
            ("counted by", _method(document)),
            ("stack", bytes_text(document["stack_bytes"])),
            ("RAM in all", bytes_text(document["ram_bytes"])),
            ("flash in all", bytes_text(document["flash_bytes"])),
        ),
    )


def _layers(document: Mapping[str, Any]) -> Table:
    return rows_table(
        "layers",
        ("layer", "instructions", "MACs", "instructions per MAC"),
        (
            (
                layer["name"],
                _count(layer["instructions"]),
                f"{layer['macs']:,}",
                _ratio(layer["instructions"], layer["macs"]),
            )
            for layer in document["layers"]
        ),
    )


def _method(document: Mapping[str, Any]) -> str:
    if document["counting"] == "icount":
        return f"SysTick, to {document['granularity']:g} instructions a step"
    return "plugin, exact" if document["counting"] else "nobody"


def _count(number: int | None) -> str:
    return "not counted" if number is None else f"{number:,}"


def _ratio(instructions: int | None, macs: int) -> str:
    return f"{instructions / macs:.2f}" if instructions is not None and macs else ""
