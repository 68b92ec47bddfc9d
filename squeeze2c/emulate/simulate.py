"""A generated folder on a board: build it, run it in QEMU, compare every byte."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from squeeze2c.emulate.compare import LayerComparison, read_logits
from squeeze2c.emulate.count import BLOCKS_FILE, Counter, Counts
from squeeze2c.emulate.elf import FirmwareImage, read_elf
from squeeze2c.emulate.firmware import FirmwareBuild
from squeeze2c.emulate.outcome import check_outcome
from squeeze2c.emulate.profile import profile_layers, read_blocks
from squeeze2c.emulate.qemu import find_emulator, run_firmware, time_limit_s
from squeeze2c.emulate.record import record_stack
from squeeze2c.emulate.records import RecordKind, Stage, read_records
from squeeze2c.emulate.result import LayerResult, MemoryUse, SimulationResult
from squeeze2c.emulate.stack import StackBound
from squeeze2c.emulate.ticks import count_by_ticks
from squeeze2c.emulate.toolchain import OPTIMISATIONS, find_toolchain
from squeeze2c.errors import (
    DoesNotFitError,
    InternalError,
    Squeeze2cError,
    ToolchainError,
    UsageError,
)
from squeeze2c.export.artifact import Artifact
from squeeze2c.ir import load_graph
from squeeze2c.progress import Progress, silent
from squeeze2c.target import Board, Core, board_named, core_named

TRACE_BATCH_BYTES = 32 << 20
"""Feature maps that one run of the trace build may write to the disk."""


def simulate(
    artifact: Artifact,
    board: str,
    images: np.ndarray,
    *,
    optimisation: str | None = None,
    count_instructions: bool = True,
    work_dir: Path | None = None,
    progress: Progress = silent,
) -> SimulationResult:
    """Run the firmware of ``artifact`` on ``board`` for ``images``.

    ``images``: RGB uint8 (n, rows, cols, channels). The firmware gets them in the
    model's input format, whole, or row by row where the model takes rows: then
    no image is in the board's memory. Firmware is built with the GCC flag
    ``optimisation``, by default the one that the folder asks for: as it would ship,
    which gives sizes, stack and logits; with hooks that record every row of every
    layer; and, with ``count_instructions``, once more with hooks that mark where layers
    begin and end. Instructions are those of the first image. Exact counts and what they
    consist of need a QEMU with plugins and a C compiler for this machine; without them
    SysTick counts, and ``no_plugin`` says why. ``work_dir`` keeps sources, ELF files and
    results; a temporary folder is used otherwise. Code generated for ``host`` is built for
    the board's core.

    The stack that the model needed goes into the folder's manifest, with the name
    of the board, unless ``optimisation`` is not what the folder asks for.

    Raises :class:`UsageError` for a board that cannot run the code and images
    that do not suit the model, :class:`DoesNotFitError` for a board that is too
    small, :class:`ToolchainError` where compiler or emulator are missing or
    fail, :class:`ArtifactError` where the weights are corrupt and
    :class:`InternalError` where generated code fails otherwise or needs more
    stack than its call graph says.
    """
    target = board_named(board)
    core = core_for(artifact.target, target)
    _check_images(artifact, images)
    optimisation = optimisation or artifact.optimisation
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
        pixels = artifact.input_format
        frames = pixels.encode(images)
        logits, memory = _measure(measured, frames, progress)
        bound = build.stack_bound()
        _check_stack(memory, bound, f"{artifact.name} on {target.name}")
        comparison = LayerComparison(artifact, oracle)
        seen = pixels.decode(frames, images.shape[-1])
        _trace(trace, frames, seen, comparison, progress)
        counts = Counts.none(len(artifact.layers), "not asked for")
        if count_instructions:
            counts = _count(build, measured, frames[:1], progress)
    if optimisation == artifact.optimisation:
        record_stack(artifact, memory.model_stack_bytes, target.name)
    profiles = counts.profiles or (None,) * len(artifact.layers)
    layers = zip(artifact.layers, comparison.mismatches, counts.layers, profiles, strict=True)
    return SimulationResult(
        board=target.name,
        target=artifact.target,
        core=core.name,
        compiler=build.compiler,
        images=len(images),
        layers=tuple(
            LayerResult(
                str(layer["name"]), layer["macs"], mismatches, instructions,
                str(layer["kernel"]), profile,
            )
            for layer, mismatches, instructions, profile in layers
        ),
        logit_mismatches=int(np.count_nonzero(logits != np.stack(comparison.logits))),
        memory=memory,
        parameters_bytes=artifact.manifest["flash"]["parameters_bytes"],
        instructions=counts.whole,
        not_counted=counts.reason,
        stack_bound_bytes=None if bound is None else bound.bytes,
        counting=counts.method,
        granularity=counts.granularity,
        no_plugin=counts.no_plugin,
        not_profiled=counts.not_profiled,
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
    push: bool
    limit_s: float

    @classmethod
    def of(cls, elf: Path, build: FirmwareBuild) -> _Firmware:
        macs = sum(layer["macs"] for layer in build.artifact.layers)
        artifact = build.artifact
        limit_s = time_limit_s(macs)
        return cls(elf, read_elf(elf), build.board, artifact.name, artifact.push, limit_s)

    @property
    def functions(self) -> tuple[str, ...]:
        """What the harness calls for an image."""
        stages = (Stage.BEGIN, Stage.PUSH_ROWS, Stage.FINISH) if self.push else (Stage.RUN,)
        return tuple(f"{self.model}_{stage.function}" for stage in stages)

    def run(
        self, frames: np.ndarray, image_done: Callable[[], None], options: Sequence[str] = ()
    ) -> Path:
        """The result file of a run that went well. ``options`` are for QEMU."""
        outcome = run_firmware(self.elf, self.board, frames, self.limit_s, image_done, options)
        check_outcome(outcome, len(frames), self.model, self.board, self.image)
        return outcome.results


def _measure(
    firmware: _Firmware, frames: np.ndarray, progress: Progress
) -> tuple[np.ndarray, MemoryUse]:
    """Logits int32 (n, classes) and memory use of the build without hooks."""
    results = firmware.run(frames, _counter("run firmware", len(frames), progress))
    stack = {
        Stage(record.first): record.second
        for record in read_records(results)
        if record.kind is RecordKind.STACK
    }
    whole = stack.pop(Stage.FIRMWARE)
    functions = {stage.function: used for stage, used in stack.items() if used}
    return read_logits(results), MemoryUse.measure(firmware.image, whole, functions)


def _check_stack(memory: MemoryUse, bound: StackBound | None, where: str) -> None:
    """Raise :class:`InternalError` where a function used more stack than it can."""
    for function, used in memory.function_stack_bytes.items():
        if bound is not None and used > bound.functions.get(function, 0):
            raise InternalError(
                f"{function} used {used:,} bytes of stack, its call graph says at most "
                f"{bound.functions[function]:,}",
                where=where,
            )


def _trace(
    firmware: _Firmware,
    frames: np.ndarray,
    seen: np.ndarray,
    comparison: LayerComparison,
    progress: Progress,
) -> None:
    """Compare every layer of every image, in batches that do not flood the disk.

    ``seen``: what the network sees of ``frames``.
    """
    image_done = _counter("compare layers", len(frames), progress)
    batch = max(1, TRACE_BATCH_BYTES // comparison.bytes_per_image)
    for first in range(0, len(frames), batch):
        part = slice(first, first + batch)
        comparison.compare(seen[part], read_records(firmware.run(frames[part], image_done)))


def _count(
    build: FirmwareBuild, measured: _Firmware, frame: np.ndarray, progress: Progress
) -> Counts:
    """Instructions for one image. The firmware runs well by now: what fails is the counting."""
    progress("count instructions", 0, 1)
    try:
        counts = _count_by_plugin(build, measured, frame)
    except (ToolchainError, DoesNotFitError) as error:
        counts = _count_by_ticks(build, frame, error)
    progress("count instructions", 1, 1)
    return counts


def _count_by_plugin(build: FirmwareBuild, measured: _Firmware, frame: np.ndarray) -> Counts:
    """Exact counts, and what they consist of. Raises where there can be no plugin."""
    counter = Counter.build(build.folder)
    marked = _Firmware.of(build.with_hooks("count"), build)
    run, run_marked = (partial(f.run, frame, lambda: None) for f in (measured, marked))
    whole = counter.whole(run, measured.elf, measured.image, measured.functions)
    layers = counter.layers(
        run_marked, marked.elf, marked.image, len(build.artifact.layers), blocks=True
    )
    profiles, problem = None, None
    try:
        blocks = read_blocks(marked.elf.parent / BLOCKS_FILE)
        profiles = profile_layers(blocks, marked.elf, marked.image, build.core, layers)
    except ToolchainError as error:
        problem = error.line
    return Counts(
        whole, layers, method="plugin", granularity=1.0, profiles=profiles, not_profiled=problem
    )


def _count_by_ticks(build: FirmwareBuild, frame: np.ndarray, why: Squeeze2cError) -> Counts:
    """Counts by SysTick, because of ``why``."""
    layers = len(build.artifact.layers)
    try:
        of_layers, of_calls = (
            partial(_Firmware.of(build.with_hooks(part), build).run, frame, lambda: None)
            for part in ("ticks", "calls")
        )
        counted = count_by_ticks(layers, of_layers, of_calls)
    except (ToolchainError, DoesNotFitError) as error:
        return Counts.none(layers, f"{why.line}; {error.line}")
    return Counts(
        counted.whole, counted.layers, method="icount", granularity=counted.per_tick,
        no_plugin=why.line, not_profiled="only the plugin knows which instructions ran",
    )  # fmt: skip


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
