"""``squeeze2c inspect``: what a model consists of and needs, or what a folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from squeeze2c.cli import options
from squeeze2c.cli.arena import ArenaView, folder_summary
from squeeze2c.cli.console import Reporter, bytes_text, facts_table, rows_table, shape_text
from squeeze2c.cli.values import read_shape
from squeeze2c.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from squeeze2c.report import Inspection

_LARGEST_TENSORS = 5
_WAYS = {
    ("stream", "push"): "streamed, rows pushed",
    ("stream", "frame"): "streamed, image in memory",
    ("layerwise", "push"): "layer by layer, rows pushed",
    ("layerwise", "frame"): "layer by layer",
}


def inspect_command(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL.onnx/DIR", show_default=False,
            help="An ONNX model, or a folder that compile has written.",
        ),
    ],
    svg: Annotated[
        Path | None,
        typer.Option(
            "--svg", metavar="FILE", help="DIR only: draw the arena over time into this file."
        ),
    ] = None,
    input_shape: options.InputShapeOption = None,
    preprocess: options.PreprocessOption = None,
    target: options.TargetOption = None,
    json_output: options.JsonFlag = False,
    quiet: options.QuietFlag = False,
    verbose: options.VerboseFlag = False,
) -> None:
    """Show what a model consists of and where it fits, or the arena of a generated folder."""
    with Reporter(json_output, quiet, verbose) as reporter:
        if what.is_dir():
            given = {"--input-shape": input_shape, "--preprocess": preprocess, "--target": target}
            _reject(given, "says something about a model; a folder has been compiled")
            _inspect_folder(what, svg, reporter)
        else:
            _reject({"--svg": svg}, "draws the arena of a folder that compile has written")
            _inspect_model(what, input_shape, preprocess, target, reporter)


def _reject(given: dict[str, Any], why: str) -> None:
    for option, value in given.items():
        if value is not None:
            raise UsageError(why, where=option)


def _inspect_folder(folder: Path, svg: Path | None, reporter: Reporter) -> None:
    reporter.working("reading the folder")
    from squeeze2c.report import arena_svg, inspect_folder

    inspection = inspect_folder(folder)
    if svg is not None:
        manifest = inspection.artifact.manifest
        title = (
            f"{inspection.artifact.name}, {manifest['schedule']['kind']}, "
            f"{manifest['input']['mode']} input"
        )
        svg.write_text(arena_svg(inspection.picture, title), encoding="utf-8")
    reporter.result(
        inspection.to_json(),
        folder_summary(inspection),
        ArenaView(inspection.picture, reporter.verbose),
    )


def _inspect_model(
    model: Path,
    input_shape: str | None,
    preprocess: str | None,
    target: str | None,
    reporter: Reporter,
) -> None:
    shape = None if input_shape is None else read_shape(input_shape, "--input-shape")
    reporter.working("reading the model")
    from squeeze2c.frontend import Preprocess
    from squeeze2c.report import inspect_model

    inspection = inspect_model(
        model,
        input_shape=shape,
        preprocess=None if preprocess is None else Preprocess.named(preprocess),
        target=target or "host",
    )
    reporter.result(
        inspection.to_json(),
        _layers(inspection),
        _tensors(inspection, None if reporter.verbose else _LARGEST_TENSORS),
        _summary(inspection),
        _plans(inspection),
        _boards(inspection),
    )


def _layers(inspection: Inspection) -> Table:
    return rows_table(
        "layers",
        ("layer", "operator", "input", "output", "MACs", "parameters"),
        (
            (
                layer.name,
                layer.kind.removeprefix("Q"),
                ", ".join(shape_text(i) for i in layer.inputs),
                shape_text(layer.shape),
                f"{layer.macs:,}",
                f"{layer.parameters_bytes:,} B",
            )
            for layer in inspection.layers
        ),
    )


def _tensors(inspection: Inspection, count: int | None) -> Table:
    return rows_table(
        "feature maps" if count is None else "largest feature maps",
        ("tensor", "shape", "size"),
        ((t.name, shape_text(t.shape), f"{t.size_bytes:,} B") for t in inspection.tensors[:count]),
    )


def _summary(inspection: Inspection) -> Table:
    return facts_table(
        f"{inspection.source_file} for {inspection.target}",
        (
            ("input", shape_text(inspection.input_shape)),
            ("classes", f"{inspection.classes:,}"),
            ("multiply-accumulates", f"{inspection.macs:,}"),
            ("weights and biases", f"{inspection.parameters:,}"),
            ("parameters (flash)", bytes_text(inspection.parameters_bytes)),
            ("arena (RAM)", bytes_text(inspection.arena_bytes)),
            ("arena, lower bound", bytes_text(inspection.lower_bound_bytes)),
        ),
    )


def _plans(inspection: Inspection) -> Table:
    return rows_table(
        "RAM, the smallest of each way (in all: with an estimate of the stack)",
        ("", "arena", "lower bound", "caller's image", "in all"),
        (
            (
                _WAYS[plan.schedule, plan.input],
                f"{plan.arena_bytes:,}",
                f"{plan.lower_bound_bytes:,}",
                f"{plan.caller_bytes:,}",
                f"{plan.needed_bytes:,}",
            )
            for plan in inspection.plans
        ),
    )


def _boards(inspection: Inspection) -> Table:
    return rows_table(
        "boards (needed: with estimates of code and stack, and the caller's part of the image)",
        ("board", "core", "flash: needed", "has", "RAM: needed", "has", "how", "fits"),
        (
            (
                board.name,
                board.core,
                f"{board.flash_needed_bytes:,}",
                f"{board.flash_bytes:,}",
                f"{board.ram_needed_bytes:,}",
                f"{board.ram_bytes:,}",
                f"{board.schedule}, {board.input}",
                "yes" if board.fits else "no",
            )
            for board in inspection.boards
        ),
    )
