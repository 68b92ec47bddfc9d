"""``squeeze2c simulate``: the firmware on an emulated board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from squeeze2c.cli import options
from squeeze2c.cli.console import Reporter, bytes_text, facts_table, rows_table
from squeeze2c.cli.emulated import counting_facts, end_with_mismatches, remark_on_counting
from squeeze2c.cli.inputs import read_inputs
from squeeze2c.errors import UsageError
from squeeze2c.target import BOARDS, board_named

if TYPE_CHECKING:
    from rich.table import Table

    from squeeze2c.emulate import SimulationResult


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
        tables = [_summary(result)]
        if reporter.verbose:
            tables.append(_layers(result))
        remark_on_counting(reporter, result)
        reporter.result(result.to_json(), *tables)
    end_with_mismatches(reporter, result)


def _summary(result: SimulationResult) -> Table:
    memory = result.memory
    return facts_table(
        f"{result.board} ({BOARDS[result.board].core}), emulated",
        (
            ("images", f"{result.images:,}"),
            ("elements unlike the oracle's", f"{result.mismatches:,}"),
            ("instructions per image", _count(result.instructions)),
            *counting_facts(result),
            ("stack", bytes_text(memory.stack_bytes)),
            ("RAM in all", bytes_text(memory.ram_bytes)),
            ("flash in all", bytes_text(memory.flash_bytes)),
        ),
    )


def _layers(result: SimulationResult) -> Table:
    return rows_table(
        "layers",
        ("layer", "instructions", "MACs", "instructions per MAC"),
        (
            (
                layer.name,
                _count(layer.instructions),
                f"{layer.macs:,}",
                _ratio(layer.instructions, layer.macs),
            )
            for layer in result.layers
        ),
    )


def _count(number: int | None) -> str:
    return "not counted" if number is None else f"{number:,}"


def _ratio(instructions: int | None, macs: int) -> str:
    return f"{instructions / macs:.2f}" if instructions is not None and macs else ""
