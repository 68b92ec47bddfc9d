"""``squeeze2c profile``: where the instructions of a network go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from squeeze2c.cli import options
from squeeze2c.cli.console import Reporter, facts_table, rows_table
from squeeze2c.cli.emulated import counting_facts, end_with_mismatches, remark_on_counting
from squeeze2c.cli.outputs import STDOUT, check_file, json_text
from squeeze2c.errors import UsageError
from squeeze2c.target import BOARDS, board_named

if TYPE_CHECKING:
    import numpy as np
    from rich.table import Table

    from squeeze2c.emulate import SimulationResult
    from squeeze2c.export import Artifact

_BAR_WIDTH = 40
_SEED = 0


def profile_command(
    folder: options.FolderArgument,
    board: Annotated[
        str,
        typer.Option(
            "--board", metavar="NAME", help=f"{', '.join(BOARDS)}.", show_default=False
        ),
    ],
    images: Annotated[
        Path | None,
        typer.Option(
            "--images", metavar="DIR|FILE",
            help="Take the first of these images. Default: noise, which costs the same but for "
            "a few instructions.",
        ),
    ] = None,
    json_file: Annotated[
        str | None,
        typer.Option(
            "--json", metavar="FILE", help="Write one JSON object into this file; - is stdout."
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="FILE", help="Draw the layers into this .html, .svg or .png file."
        ),
    ] = None,
    quiet: options.QuietFlag = False,
    verbose: options.VerboseFlag = False,
) -> None:
    """Count the instructions of every layer on an emulated board, and what they were for."""
    board_named(board)
    written = None if json_file is None or json_file == STDOUT else Path(json_file)
    for path, option in ((written, "--json"), (plot, "--plot")):
        if path is not None:
            check_file(path, option)
    with Reporter(json_file == STDOUT, quiet, verbose) as reporter:
        reporter.working("reading the folder")
        from squeeze2c.emulate import simulate
        from squeeze2c.export import read_artifact
        from squeeze2c.report import check_picture, write_picture

        if plot is not None:
            check_picture(plot)
        artifact = read_artifact(folder)
        image = _image(artifact, images)
        reporter.working("building the firmware")
        result = simulate(artifact, board, image, progress=reporter.progress)
        document = result.to_json()
        if result.instructions is None:
            raise UsageError(f"nothing was counted: {result.not_counted}", where=board)
        if plot is not None:
            write_picture(result, f"{artifact.name} on {board}", plot)
        if written is not None:
            written.write_text(json_text(document), encoding="utf-8")
        remark_on_counting(reporter, result)
        if result.not_profiled and not result.no_plugin:
            reporter.remark(f"no profile: {result.not_profiled}")
        reporter.result(document, *_tables(result, reporter.verbose))
    end_with_mismatches(reporter, result)


def _image(artifact: Artifact, images: Path | None) -> np.ndarray:
    """One image uint8 (1, rows, cols, channels)."""
    import numpy as np

    from squeeze2c.frontend import load_images

    rows, cols, channels = artifact.input_shape
    if images is None:
        shape = (1, rows, cols, channels)
        return np.random.default_rng(_SEED).integers(0, 256, shape, dtype=np.uint8)
    found = load_images(
        images, rows=rows, cols=cols, channels=channels, preprocess=artifact.preprocess,
        limit=1, error=UsageError,
    )  # fmt: skip
    if not len(found):
        raise UsageError("no images", where=str(images))
    return found.images


def _tables(result: SimulationResult, every_function: bool) -> Iterator[Table]:
    yield _layers(result)
    if result.profile is not None:
        yield _classes(result.profile.classes)
        if every_function:
            yield _functions(result)
    yield _summary(result)


def _layers(result: SimulationResult) -> Table:
    """A row per layer, and one of them together. Cycles, estimates all, by every model there is."""
    profile = result.profile
    models = list(profile.cycles) if profile is not None else []
    columns = ["layer", "kernel", "instructions", "share", "MACs", "MAC/instr"]
    columns += ["decode", "transform"] if profile is not None else []
    for model in models:
        columns += [f"est. {model.removeprefix('cortex-').upper()} cycles"]
        columns += ["share"] if model == models[0] else []
    whole = sum(layer.instructions or 0 for layer in result.layers)
    rows = []
    for layer in result.layers:
        part = layer.profile.parts if layer.profile is not None else {}
        cycles = layer.profile.cycles if layer.profile is not None else {}
        rows.append(
            _row(
                (layer.name, layer.kernel.removeprefix("s2c_")), layer.instructions or 0,
                layer.macs, part, cycles, whole, profile.cycles if profile is not None else {},
            )
        )  # fmt: skip
    rows.append(
        _row(
            ("all layers", ""), whole, sum(layer.macs for layer in result.layers),
            profile.parts if profile is not None else {},
            profile.cycles if profile is not None else {},
            whole, profile.cycles if profile is not None else {},
        )
    )  # fmt: skip
    return rows_table(f"{result.board} ({result.core}), one image", columns, rows)


def _row(
    names: tuple[str, str],
    instructions: int,
    macs: int,
    parts: Mapping[str, int],
    cycles: Mapping[str, int],
    whole: int,
    whole_cycles: Mapping[str, int],
) -> list[str]:
    cells = [*names, f"{instructions:,}", _percent(instructions, whole), f"{macs:,}"]
    cells.append(f"{macs / instructions:.2f}" if macs and instructions else "")
    cells += [f"{parts[part]:,}" for part in ("decode", "transform") if part in parts]
    for model, count in cycles.items():
        cells.append(f"{count:,}")
        cells += [_percent(count, whole_cycles[model])] if model == next(iter(cycles)) else []
    return cells


def _classes(classes: Mapping[str, int]) -> Table:
    whole = sum(classes.values())
    most = max(classes.values())
    table = rows_table(
        "instructions by class",
        ("class", "instructions", "share", ""),
        (
            (
                name.replace("_", " "), f"{count:,}", _percent(count, whole),
                "#" * round(_BAR_WIDTH * count / most),
            )
            for name, count in sorted(classes.items(), key=lambda item: -item[1])
        ),
    )  # fmt: skip
    table.columns[-1].justify = "left"
    return table


def _functions(result: SimulationResult) -> Table:
    assert result.profile is not None
    whole = result.profile.instructions
    return rows_table(
        "instructions by function",
        ("function", "file of a static one", "part", "instructions", "share"),
        (
            (f.name, f.file or "", f.part, f"{f.instructions:,}", _percent(f.instructions, whole))
            for f in result.profile.functions
        ),
    )


def _summary(result: SimulationResult) -> Table:
    layers = sum(layer.instructions or 0 for layer in result.layers)
    whole = result.instructions or 0
    facts = [
        ("elements unlike the oracle's", f"{result.mismatches:,}"),
        ("instructions, whole image", f"{whole:,}"),
        ("of these around the layers", f"{max(0, whole - layers):,}"),
        *counting_facts(result),
    ]
    if result.profile is not None:
        facts += [
            (part, f"{count:,} ({_percent(count, layers)})")
            for part, count in result.profile.parts.items()
        ]
        facts += [
            (f"estimated cycles, model of {model}", f"{count:,}")
            for model, count in result.profile.cycles.items()
        ]
    return facts_table("in all", facts)


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""
