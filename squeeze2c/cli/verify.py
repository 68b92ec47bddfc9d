"""``squeeze2c verify``: generated C beside the oracle and the float model, on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from squeeze2c.cli import options
from squeeze2c.cli.console import Reporter, facts_table, rows_table
from squeeze2c.cli.inputs import read_inputs
from squeeze2c.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

REFERENCES = ("onnxruntime", "pytorch")
_WORST_LAYERS = 5


def verify_command(
    folder: options.FolderArgument,
    images: Annotated[
        Path,
        typer.Option(
            "--images", metavar="DIR|FILE", help="Photographs, or an .npz file of images.",
            show_default=False,
        ),
    ],
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels", metavar="FILE",
            help="The images' class numbers: .npy, or text with a line per image.",
        ),
    ] = None,
    against: Annotated[
        str,
        typer.Option(
            "--against", metavar="|".join(REFERENCES), help="What runs the float model."
        ),
    ] = REFERENCES[0],
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Use the first N images only.")
    ] = None,
    json_output: options.JsonFlag = False,
    quiet: options.QuietFlag = False,
    verbose: options.VerboseFlag = False,
) -> None:
    """Compare generated C with the integer oracle and the float model, on this machine."""
    if against not in REFERENCES:
        raise UsageError(
            f"unknown reference {against!r}", where="--against",
            hint=f"choose one of {', '.join(REFERENCES)}",
        )
    with Reporter(json_output, quiet, verbose) as reporter:
        reporter.working("reading images")
        from squeeze2c.verification import verify

        artifact, chosen = read_inputs(folder, images, limit, labels)
        reporter.working("compiling the C")
        report = verify(artifact, reference=against, images=chosen, progress=reporter.progress)
        document = report.to_json()
        worst = None if reporter.verbose else _WORST_LAYERS
        reporter.result(document, _summary(document, against), _layers(document, worst))
    if not report.exact:
        reporter.bug(
            f"generated C differs from the integer oracle in {report.oracle_mismatches:,} elements;"
            f" the first: {report.first_mismatch}"
        )


def _summary(document: Mapping[str, Any], against: str) -> Table:
    facts = [("images", f"{document['images']:,}")]
    for title, key in ((against, "float"), ("generated C", "int")):
        top1, top5 = document[key]["top1"], document[key]["top5"]
        if top1 is not None:
            facts.append((f"{title}: top-1, top-5", f"{100 * top1:.2f} %, {100 * top5:.2f} %"))
    facts += [
        ("agreement of the best class", f"{100 * document['agreement']:.2f} %"),
        ("logits, signal to noise", decibels(document["logit_sqnr_db"])),
        ("KL divergence, mean", f"{document['mean_kl']:.4f} nats"),
        ("elements unlike the oracle's", f"{document['oracle_mismatches']:,}"),
    ]
    return facts_table(f"generated C against {against}", facts)


def _layers(document: Mapping[str, Any], worst: int | None) -> Table:
    layers = document["layers"][:worst]
    title = "layers, signal to noise" if worst is None else f"the {len(layers)} noisiest layers"
    return rows_table(
        title,
        ("layer", "SQNR"),
        ((layer["name"], decibels(layer["sqnr_db"])) for layer in layers),
    )


def decibels(value: float | None) -> str:
    """``37.1 dB``; None stands for a quotient that is not finite."""
    return "not finite" if value is None else f"{value:.1f} dB"
