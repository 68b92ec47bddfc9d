"""``squeeze2c inspect``: what a model consists of and what it would need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from squeeze2c.cli import options
from squeeze2c.cli.console import Reporter, bytes_text, facts_table, rows_table, shape_text
from squeeze2c.cli.values import read_shape

if TYPE_CHECKING:
    from rich.table import Table

    from squeeze2c.report import Inspection

_LARGEST_TENSORS = 5


def inspect_command(
    model: options.ModelArgument,
    input_shape: options.InputShapeOption = None,
    preprocess: options.PresetOption = None,
    target: options.TargetOption = None,
    json_output: options.JsonFlag = False,
    quiet: options.QuietFlag = False,
    verbose: options.VerboseFlag = False,
) -> None:
    """Show layers, shapes, multiply-accumulates, parameters, and what fits where."""
    shape = None if input_shape is None else read_shape(input_shape, "--input-shape")
    with Reporter(json_output, quiet, verbose) as reporter:
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
            ("input image", bytes_text(inspection.input_bytes)),
            ("classes", f"{inspection.classes:,}"),
            ("multiply-accumulates", f"{inspection.macs:,}"),
            ("weights and biases", f"{inspection.parameters:,}"),
            ("parameters (flash)", bytes_text(inspection.parameters_bytes)),
            ("arena (RAM)", bytes_text(inspection.arena_bytes)),
            ("arena, lower bound", bytes_text(inspection.lower_bound_bytes)),
        ),
    )


def _boards(inspection: Inspection) -> Table:
    return rows_table(
        "boards (needed: with estimates of code and stack, and an image in RAM)",
        ("board", "core", "flash: needed", "has", "RAM: needed", "has", "fits"),
        (
            (
                board.name,
                board.core,
                f"{board.flash_needed_bytes:,}",
                f"{board.flash_bytes:,}",
                f"{board.ram_needed_bytes:,}",
                f"{board.ram_bytes:,}",
                "yes" if board.fits else "no",
            )
            for board in inspection.boards
        ),
    )
