"""A generated folder on a board: build it, run it in QEMU, compare every byte."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from squeeze2c.emulate.compare import LayerComparison, read_logits
from squeeze2c.emulate.count import Counter, Counts
from squeeze2c.emulate.elf import FirmwareImage, read_elf
from squeeze2c.emulate.firmware import FirmwareBuild
from squeeze2c.emulate.outcome import check_outcome
from squeeze2c.emulate.qemu import find_emulator, run_firmware, time_limit_s
from squeeze2c.emulate.records import RecordKind, read_records
from squeeze2c.emulate.result import LayerResult, MemoryUse, SimulationResult
from squeeze2c.emulate.toolchain import find_toolchain
from squeeze2c.errors import DoesNotFitError, ToolchainError, UsageError
from squeeze2c.export.artifact import Artifact
from squeeze2c.ir import load_graph
from squeeze2c.progress import Progress, silent
from squeeze2c.target import Board, Core, board_named, core_named

OPTIMISATIONS = ("-O0", "-O1", "-O2", "-O3", "-Os")
TRACE_BATCH_BYTES = 32 << 20
"""Feature maps that one run of the trace build may write to the disk."""


def simulate(
    artifact: Artifact,
    board: str,
    images: np.ndarray,
    *,
    optimisation: str = "-O3",
    count_instructions: bool = True,
    work_dir: Path | None = None,
    progress: Progress = silent,
) -> SimulationResult:
    """Run the firmware of ``artifact`` on ``board`` for ``images``.

    ``images``: uint8 (n, rows, cols, channels). Firmware is built with the GCC
    flag ``optimisation``: as it would ship, which gives sizes, stack and
    logits; with hooks that record every row of every layer; and, with
    ``count_instructions``, once more with hooks that mark where layers begin
    and end. Instructions are those of the first image. Counting needs a QEMU
    with plugins and a C compiler for this machine; without them the counts are
    None and ``not_counted`` says why. ``work_dir`` keeps sources, ELF files and
    results; a temporary folder is used otherwise. Code generated for ``host``
    is built for the board's core.

    Raises :class:`UsageError` for a board that cannot run the code and images
    that do not suit the model, :class:`DoesNotFitError` for a board that is too
    small, :class:`ToolchainError` where compiler or emulator are missing or
    fail, :class:`ArtifactError` where the weights are corrupt and
    :class:`InternalError` where generated code fails otherwise.
    """
    target = board_named(board)
    core = core_for(artifact.target, target)
    _check_images(artifact, images)
    if optimisation not in OPTIMISATIONS:
        raise UsageError(
            f"unknown optimisation {optimisation!r}", hint=f"one of {', '.join(OPTIMISATIONS)}"
        )
    toolchain = find_toolchain()
    find_emulator()
    oracle = load_graph(artifact.oracle_path)
    with tempfile.TemporaryDirectory(prefix="squeeze2c-") as temporary:
        folder = Path(temporary) if work_dir is None else work_dir.resolve()
        build = FirmwareBuild(
            artifact, target, core, core_named(target.core), toolchain, folder, optimisation
        )
        progress("build firmware", 0, 2)
        measured = _Firmware.of(build.measured(), build)
        progress("build firmware", 1, 2)
        trace = _Firmware.of(build.with_hooks("trace"), build)
        progress("build firmware", 2, 2)
        logits, memory = _measure(measured, images, progress)
        comparison = LayerComparison(artifact, oracle)
        _trace(trace, images, comparison, progress)
        counts = Counts.none(len(artifact.layers), "not asked for")
        if count_instructions:
            counts = _count(build, measured, images[:1], progress)
    layers = zip(artifact.layers, comparison.mismatches, counts.layers, strict=True)
    return SimulationResult(
        board=target.name,
        target=artifact.target,
        core=core.name,
        compiler=f"gcc {toolchain.version}, {toolchain.library}, {optimisation}",
        images=len(images),
        layers=tuple(
            LayerResult(str(layer["name"]), layer["macs"], mismatches, instructions)
            for layer, mismatches, instructions in layers
        ),
        logit_mismatches=int(np.count_nonzero(logits != np.stack(comparison.logits))),
        memory=memory,
        parameters_bytes=artifact.manifest["flash"]["parameters_bytes"],
        instructions=counts.whole,
        not_counted=counts.reason,
    )


def core_for(target: str, board: Board) -> Core:
    """The core to compile for: ``target``, or the board's own for portable code.

    Raises :class:`UsageError` where ``board`` cannot run code for ``target``.
    """
    if target == "host":
        return core_named(board.core)
    if not core_named(board.core).runs(target):
        raise UsageError(
            f"code for {target} does not run on {board.name}, a {board.core}",
            where="--board",
            hint="choose another board, or compile the model for this one's core",
        )
    return core_named(target)


@dataclass(frozen=True, slots=True)
class _Firmware:
    """An ELF file, and what runs of it need to know."""

    elf: Path
    image: FirmwareImage
    board: Board
    model: str
    limit_s: float

    @classmethod
    def of(cls, elf: Path, build: FirmwareBuild) -> _Firmware:
        macs = sum(layer["macs"] for layer in build.artifact.layers)
        return cls(elf, read_elf(elf), build.board, build.artifact.name, time_limit_s(macs))

    def run(
        self, images: np.ndarray, image_done: Callable[[], None], options: Sequence[str] = ()
    ) -> Path:
        """The result file of a run that went well. ``options`` are for QEMU."""
        outcome = run_firmware(self.elf, self.board, images, self.limit_s, image_done, options)
        check_outcome(outcome, len(images), self.model, self.board, self.image)
        return outcome.results


def _measure(
    firmware: _Firmware, images: np.ndarray, progress: Progress
) -> tuple[np.ndarray, MemoryUse]:
    """Logits int32 (n, classes) and memory use of the build without hooks."""
    results = firmware.run(images, _counter("run firmware", len(images), progress))
    stack = next(r for r in read_records(results) if r.kind is RecordKind.STACK)
    return read_logits(results), MemoryUse.measure(firmware.image, stack.first, stack.second)


def _trace(
    firmware: _Firmware, images: np.ndarray, comparison: LayerComparison, progress: Progress
) -> None:
    """Compare every layer of every image, in batches that do not flood the disk."""
    image_done = _counter("compare layers", len(images), progress)
    batch = max(1, TRACE_BATCH_BYTES // comparison.bytes_per_image)
    for first in range(0, len(images), batch):
        part = images[first : first + batch]
        comparison.compare(part, read_records(firmware.run(part, image_done)))


def _count(
    build: FirmwareBuild, measured: _Firmware, image: np.ndarray, progress: Progress
) -> Counts:
    """Instructions for one image. The firmware runs well by now: what fails is the counting."""
    layers = len(build.artifact.layers)
    progress("count instructions", 0, 1)
    try:
        counter = Counter.build(build.folder)
        marked = _Firmware.of(build.with_hooks("count"), build)
        run, run_marked = (partial(f.run, image, lambda: None) for f in (measured, marked))
        counts = Counts(
            counter.whole(run, measured.elf, measured.image, measured.model),
            counter.layers(run_marked, marked.elf, marked.image, layers),
        )
    except (ToolchainError, DoesNotFitError) as error:
        counts = Counts.none(layers, str(error))
    progress("count instructions", 1, 1)
    return counts


def _counter(stage: str, total: int, progress: Progress) -> Callable[[], None]:
    """A function that reports one more image of ``total`` each time it is called."""
    done = 0
    progress(stage, done, total)

    def count() -> None:
        nonlocal done
        done += 1
        progress(stage, done, total)

    return count


def _check_images(artifact: Artifact, images: np.ndarray) -> None:
    rows, cols, channels = artifact.input_shape
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (rows, cols, channels):
        raise UsageError(
            f"images are {images.dtype} {images.shape}, the model reads uint8 "
            f"(n, {rows}, {cols}, {channels})",
            where="--images",
        )
    if not len(images):
        raise UsageError("no images", where="--images")
