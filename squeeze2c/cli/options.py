"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

JsonFlag = Annotated[
    bool, typer.Option("--json", help="Print exactly one JSON object on stdout, nothing else.")
]
QuietFlag = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress bars, no summary; errors still show.")
]
VerboseFlag = Annotated[
    bool, typer.Option("--verbose", "-v", help="More detail; a traceback with every error.")
]
FolderArgument = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="A folder that compile has written.", show_default=False),
]
InputShapeOption = Annotated[
    str | None,
    typer.Option(
        "--input-shape", metavar="N,C,H,W",
        help="Shape of the model's input, where the model leaves it open: 1,3,224,224.",
    ),
]
PreprocessOption = Annotated[
    str | None,
    typer.Option(
        "--preprocess", metavar="caffe|torchvision|none",
        help="How the model wants its input made from RGB pixels; a preset that the options "
        "below refine. Default: none (pixels 0..255 as they are).",
    ),
]
MeanOption = Annotated[
    str | None,
    typer.Option(
        "--mean", metavar="X,X,X",
        help="Subtracted from the pixels 0..255, in the model's channel order.",
    ),
]
StdOption = Annotated[
    str | None,
    typer.Option(
        "--std", metavar="X,X,X", help="What the pixels are divided by, after --mean."
    ),
]
ChannelsOption = Annotated[
    str | None, typer.Option("--channels", metavar="rgb|bgr", help="The model's channel order.")
]
ResizeOption = Annotated[
    str | None,
    typer.Option(
        "--resize", metavar="PIXELS|none",
        help="Scale the shorter side of image files to this length.",
    ),
]
CropOption = Annotated[
    bool | None,
    typer.Option("--crop/--no-crop", help="Cut the model's size out of the centre of image files."),
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target", "-t", metavar="CORE",
        help="cortex-m0, -m3, -m4, -m7, -m33, -m55 or host. Default: host.",
    ),
]
