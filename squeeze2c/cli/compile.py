"""``squeeze2c compile``: an ONNX model to a folder of C."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from squeeze2c.cli import options, preprocessing
from squeeze2c.cli.config import Reader, merge, read_config, read_path
from squeeze2c.cli.console import Reporter, bytes_text, facts_table, rows_table, shape_text
from squeeze2c.cli.values import read_flag, read_percent, read_shape, read_size_bytes, read_text
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
    "weights": read_text,
    "weights-budget": read_size_bytes,
    "max-drop": read_percent,
    "optimize": read_text,
    "schedule": read_text,
    "input": read_text,
    "input-format": read_text,
    "input-shape": read_shape,
    "no-cache": read_flag,
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
        typer.Option(
            "--ram", metavar="SIZE",
            help="The most RAM for arena, stack, logits and a pushed row together: 128K. "
            "Default: the best trade-off between RAM and speed.",
        ),
    ] = None,
    flash: Annotated[
        str | None,
        typer.Option(
            "--flash", metavar="SIZE",
            help="The most that parameters and code may take together: 1M.",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights", metavar="plain|packed|auto",
            help="A byte per weight; codes of a few bits, decoded while the network runs; or "
            "only as many codes as a limit demands, which is the default.",
        ),
    ] = None,
    weights_budget: Annotated[
        str | None,
        typer.Option(
            "--weights-budget", metavar="SIZE", help="The most that the parameters may take."
        ),
    ] = None,
    max_drop: Annotated[
        str | None,
        typer.Option(
            "--max-drop", metavar="PERCENT",
            help="So many of the calibration images, at most, may get another answer than from "
            "the float model.",
        ),
    ] = None,
    optimize: Annotated[
        str | None,
        typer.Option(
            "--optimize", metavar="speed|size",
            help="Build files compile the C for speed, which is the default, or for size: "
            "a quarter less code, a few percent more instructions.",
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            "--schedule", metavar="auto|stream|layerwise",
            help="Rows through line buffers, whole feature maps, or whatever suits --ram, "
            "which is the default.",
        ),
    ] = None,
    input: Annotated[
        str | None,
        typer.Option(
            "--input", metavar="push|frame",
            help="The image arrives row by row, or is in memory as a whole. "
            "Default: push; frame with --schedule layerwise.",
        ),
    ] = None,
    input_format: Annotated[
        str | None,
        typer.Option(
            "--input-format", metavar="FORMAT",
            help="What the camera delivers: rgb888 (default), bgr888, rgb565le, rgb565be, grey8, "
            "or raw for the model's own channels.",
        ),
    ] = None,
    input_shape: options.InputShapeOption = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE.toml",
            help="Take options from this file; those on the command line win.",
        ),
    ] = None,
    no_cache: Annotated[
        bool | None,
        typer.Option(
            "--no-cache", help="Measure everything again, and keep nothing of it.",
            show_default=False,
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
        "weights": weights, "weights-budget": weights_budget, "max-drop": max_drop,
        "optimize": optimize, "schedule": schedule, "input": input, "input-format": input_format,
        "input-shape": input_shape, "no-cache": no_cache, "force": force,
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
        weights=settings["weights"] or "auto",
        weights_budget_bytes=settings["weights-budget"],
        max_drop_percent=settings["max-drop"],
        optimize=settings["optimize"] or "speed",
        schedule=settings["schedule"] or "auto",
        input_mode=settings["input"],
        input_format=settings["input-format"] or "rgb888",
        input_shape=settings["input-shape"],
        cache=not settings["no-cache"],
        force=bool(settings["force"]),
        progress=reporter.progress,
    )


def _finish(reporter: Reporter, artifact: Artifact, settings: dict[str, Any]) -> None:
    for note in artifact.manifest.get("notes", ()):
        reporter.remark(note)
    if settings["ram"] is None:
        from squeeze2c.report import trade_off

        reporter.remark(trade_off(artifact.manifest, _beside_arena_bytes(artifact)))
    tables = [_summary(artifact, settings)]
    packed = any((layer["weights"] or {}).get("storage") == "packed" for layer in artifact.layers)
    if packed or settings["weights"] == "packed" or reporter.verbose:
        tables.append(_weights(artifact))
    if reporter.verbose:
        tables += [_layers(artifact), _schedules(artifact)]
    reporter.result(artifact.manifest, *tables)


def _summary(artifact: Artifact, settings: dict[str, Any]) -> Table:
    from squeeze2c.report import schedule_title

    manifest = artifact.manifest
    flash, ram, image = manifest["flash"], manifest["ram"], manifest["input"]
    schedule = manifest["schedule"]
    of_input = "an image row (caller's)" if image["mode"] == "push" else "the image (caller's)"
    budget: tuple[tuple[str, str], ...] = ()
    if settings["ram"]:
        beside = _beside_arena_bytes(artifact)
        used = 100 * (ram["arena_bytes"] + beside) / settings["ram"]
        words = f"arena, with {beside:,} B beside it"
        budget = ((words, f"{used:.0f} % of the budget"),)
    return facts_table(
        f"{artifact.name} for {artifact.target}",
        (
            ("input", f"{shape_text(artifact.input_shape)}, {image['format']}, {image['mode']}"),
            (of_input, bytes_text(ram["input_bytes"])),
            ("classes", f"{artifact.classes:,}"),
            ("multiply-accumulates", f"{manifest['macs']:,}"),
            ("parameters (flash)", _against(flash["parameters_bytes"], settings["weights-budget"])),
            *_flash(artifact, settings["flash"]),
            ("answers as in float", _agreement(manifest["calibration"]["loss"])),
            ("schedule", f"{schedule_title(schedule)}, {schedule['steps']:,} steps"),
            ("predicted instructions", f"{schedule['predicted_instructions']:,}"),
            ("arena (RAM)", bytes_text(ram["arena_bytes"])),
            *budget,
            ("arena, lower bound", bytes_text(ram["lower_bound_bytes"])),
        ),
    )


def _flash(artifact: Artifact, budget: int | None) -> tuple[tuple[str, str], ...]:
    """Code and all flash, where a compiler has measured them."""
    flash = artifact.manifest["flash"]
    if flash["code_bytes"] is None:
        return ()
    return (
        (f"code (flash), at {artifact.optimisation}", bytes_text(flash["code_bytes"])),
        ("parameters and code (flash)", _against(flash["total_bytes"], budget)),
    )


def _agreement(loss: dict[str, Any]) -> str:
    return (
        f"{100 * loss['agreement']:.4g} % of {loss['images']} calibration images, "
        f"KL {loss['mean_kl']:.2g} nats"
    )


def _beside_arena_bytes(artifact: Artifact) -> int:
    """What a budget of RAM must hold beside the arena."""
    from squeeze2c.planning import stack_reserve_bytes
    from squeeze2c.target import core_named

    reserve = stack_reserve_bytes(core_named(artifact.target))
    return reserve + int(artifact.manifest["ram"]["interface_bytes"])


def _against(size: int, budget: int | None) -> str:
    text = bytes_text(size)
    return f"{text}, {100 * size / budget:.0f} % of the budget" if budget else text


def _layers(artifact: Artifact) -> Table:
    return rows_table(
        "layers",
        ("layer", "kernel", "output", "MACs", "bytes"),
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


def _weights(artifact: Artifact) -> Table:
    """How the weights of each convolution are stored, and what that costs."""
    return rows_table(
        "weights",
        ("layer", "storage", "bits per weight", "bytes with bias", "step", "expected KL, nats",
         "KL / step²"),
        (
            (
                layer["name"],
                weights["storage"],
                f"{weights['bits_per_weight']:.2f}",
                f"{layer['parameters_bytes']:,}",
                "" if weights["step"] is None else f"{weights['step']:.3g}",
                "" if weights["expected_kl"] is None else f"{weights['expected_kl']:.2g}",
                _sensitivity(weights),
            )
            for layer in artifact.layers
            if (weights := layer["weights"])
        ),
    )


def _sensitivity(weights: dict[str, Any]) -> str:
    if weights["expected_kl"] is None or not weights["step"]:
        return ""
    return f"{weights['expected_kl'] / weights['step'] ** 2:.2g}"


def _schedules(artifact: Artifact) -> Table:
    """What there was to choose from."""
    from squeeze2c.report import compared, schedule_title

    candidates = artifact.manifest["schedule"]["candidates"]
    chosen = artifact.manifest["ram"]["arena_bytes"]
    beside = _beside_arena_bytes(artifact)
    return rows_table(
        "schedules, none of which another one beats in RAM and speed",
        ("schedule", "arena", "--ram from", "predicted instructions", "", ""),
        (
            (
                schedule_title(candidate),
                f"{candidate['arena_bytes']:,}",
                f"{candidate['arena_bytes'] + beside:,}",
                f"{candidate['predicted_instructions']:,}",
                compared(candidate, candidates[-1]),
                "chosen" if candidate["arena_bytes"] == chosen else "",
            )
            for candidate in candidates
        ),
    )
