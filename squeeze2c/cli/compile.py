"""``squeeze2c compile``: an ONNX model to a folder of C."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from squeeze2c.cli import options, preprocessing
from squeeze2c.cli.config import Reader, merge, read_config, read_path
from squeeze2c.cli.console import Reporter, bytes_text, facts_table, rows_table, shape_text
from squeeze2c.cli.values import read_flag, read_shape, read_size_bytes, read_text
from squeeze2c.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from squeeze2c.export import Artifact

READERS: dict[str, Reader] = {
    "model": read_path,
    "output": read_path,
    "name": read_text,
    "calibration": read_path,
    **preprocessing.READERS,
    "target": read_text,
    "ram": read_size_bytes,
    "flash": read_size_bytes,
    "input-shape": read_shape,
    "force": read_flag,
}
"""What a configuration file may set."""


def compile_command(
    model: Annotated[
        Path | None,
        typer.Argument(metavar="MODEL.onnx", help="The ONNX model.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="The folder to write."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="NAME",
            help="Prefix of C symbols and files. Default: from the model's file name.",
        ),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            "--calibration", metavar="DIR|FILE.npz",
            help="Photographs of the kind that the network will see; a hundred are plenty.",
        ),
    ] = None,
    preprocess: options.PreprocessOption = None,
    mean: options.MeanOption = None,
    std: options.StdOption = None,
    channels: options.ChannelsOption = None,
    resize: options.ResizeOption = None,
    crop: options.CropOption = None,
    target: options.TargetOption = None,
    ram: Annotated[
        str | None,
        typer.Option("--ram", metavar="SIZE", help="The most that the arena may take: 128K."),
    ] = None,
    flash: Annotated[
        str | None,
        typer.Option("--flash", metavar="SIZE", help="The most that the parameters may take: 1M."),
    ] = None,
    input_shape: options.InputShapeOption = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE.toml",
            help="Take options from this file; those on the command line win.",
        ),
    ] = None,
    force: Annotated[
        bool | None,
        typer.Option("--force", help="Replace DIR where squeeze2c wrote it.", show_default=False),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compile and report sizes, but write nothing.")
    ] = False,
    json_output: options.JsonFlag = False,
    quiet: options.QuietFlag = False,
    verbose: options.VerboseFlag = False,
) -> None:
    """Compile an ONNX model into a folder of C99."""
    command_line = {
        "model": model, "output": output, "name": name, "calibration": calibration,
        "preprocess": preprocess, "mean": mean, "std": std, "channels": channels,
        "resize": resize, "crop": crop, "target": target, "ram": ram, "flash": flash,
        "input-shape": input_shape, "force": force,
    }  # fmt: skip
    file = {} if config is None else read_config(config, READERS)
    settings = merge(command_line, file, READERS)
    given = frozenset(file) | {k for k, v in command_line.items() if v is not None}
    needed = ("model", "calibration") if dry_run else ("model", "output", "calibration")
    for key in needed:
        if settings[key] is None:
            raise UsageError(
                f"missing {'argument MODEL.onnx' if key == 'model' else f'option --{key}'}",
                hint="see squeeze2c compile --help",
            )
    with Reporter(json_output, quiet, verbose) as reporter:
        if not dry_run:
            artifact = _compile(settings, given, settings["output"], reporter)
        else:
            with tempfile.TemporaryDirectory(prefix="squeeze2c-") as folder:
                artifact = _compile(settings, given, Path(folder) / "dry-run", reporter)
        if not given & preprocessing.READERS.keys():
            reporter.remark("no --preprocess: the model gets RGB pixels 0..255 as they are")
        _finish(reporter, artifact, settings)


def _compile(
    settings: dict[str, Any], given: frozenset[str], output: Path, reporter: Reporter
) -> Artifact:
    reporter.working("reading the model")
    from squeeze2c.pipeline import compile_model

    return compile_model(
        settings["model"],
        output,
        calibration=settings["calibration"],
        name=settings["name"],
        preprocess=preprocessing.preprocess_from(settings, given),
        target=settings["target"] or "host",
        ram_bytes=settings["ram"],
        flash_bytes=settings["flash"],
        input_shape=settings["input-shape"],
        force=bool(settings["force"]),
        progress=reporter.progress,
    )


def _finish(reporter: Reporter, artifact: Artifact, settings: dict[str, Any]) -> None:
    for note in artifact.manifest.get("notes", ()):
        reporter.remark(note)
    tables = [_summary(artifact, settings)]
    if reporter.verbose:
        tables.append(_layers(artifact))
    reporter.result(artifact.manifest, *tables)


def _summary(artifact: Artifact, settings: dict[str, Any]) -> Table:
    manifest = artifact.manifest
    flash, ram = manifest["flash"], manifest["ram"]
    return facts_table(
        f"{artifact.name} for {artifact.target}",
        (
            ("input", shape_text(artifact.input_shape)),
            ("input image", bytes_text(ram["input_bytes"])),
            ("classes", f"{artifact.classes:,}"),
            ("multiply-accumulates", f"{manifest['macs']:,}"),
            ("parameters (flash)", _against(flash["parameters_bytes"], settings["flash"])),
            ("arena (RAM)", _against(ram["arena_bytes"], settings["ram"])),
            ("arena, lower bound", bytes_text(ram["lower_bound_bytes"])),
        ),
    )


def _against(size: int, budget: int | None) -> str:
    text = bytes_text(size)
    return f"{text}, {100 * size / budget:.0f} % of the budget" if budget else text


def _layers(artifact: Artifact) -> Table:
    return rows_table(
        "layers",
        ("layer", "kernel", "output", "MACs", "parameters"),
        (
            (
                layer["name"],
                layer["kernel"],
                shape_text(layer["shape"]),
                f"{layer['macs']:,}",
                f"{layer['parameters_bytes']:,}",
            )
            for layer in artifact.layers
        ),
    )
