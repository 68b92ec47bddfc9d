"""All stages on one screen: from an ONNX file and images to a folder of C."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from squeeze2c._version import __version__
from squeeze2c.codegen import Origin, render
from squeeze2c.emulate.stack import StackBound, stack_bound
from squeeze2c.errors import DoesNotFitError, UsageError
from squeeze2c.export import (
    Artifact,
    ManifestInputs,
    build_manifest,
    check_output,
    largest_buffers,
    largest_layers,
    manifest_text,
    read_artifact,
    runtime_files,
    schedule_text,
    write_folder,
)
from squeeze2c.export.manifest import (
    FLOAT_MODEL_FILE,
    MANIFEST_FILE,
    ORACLE_FILE,
    SCHEDULE_FILE,
)
from squeeze2c.frontend import (
    LoadedModel,
    Preprocess,
    load_images,
    load_onnx,
    read_onnx,
)
from squeeze2c.frontend.input_format import InputFormat
from squeeze2c.frontend.input_format import input_format as pixel_format
from squeeze2c.ir import Graph, dump_graph, verify_graph
from squeeze2c.lower import (
    CProgram,
    PackedWeights,
    check_model_name,
    identifier,
    lower,
    prove_sizes,
)
from squeeze2c.memory import (
    MemoryPlan,
    collect_buffers,
    draw_arena,
    lower_bound_bytes,
    plan_memory,
    verify_execution,
)
from squeeze2c.passes import run_passes
from squeeze2c.progress import Progress, silent
from squeeze2c.quantize import QuantizeOptions, padding_notes, quantize
from squeeze2c.quantize.skeleton import integer_skeleton
from squeeze2c.schedule import Candidate, ScheduleOptions, candidates, choose
from squeeze2c.target import Core, core_named

STACK_RESERVE_BYTES = 1024
"""Set aside for the stack when ``ram_bytes`` is divided; generated code needs less."""


def compile_model(
    model: Path | str,
    output: Path | str,
    *,
    calibration: Path | str | np.ndarray,
    name: str | None = None,
    preprocess: Preprocess | None = None,
    target: str = "host",
    ram_bytes: int | None = None,
    flash_bytes: int | None = None,
    schedule: str = "auto",
    input_mode: str | None = None,
    input_format: str = "rgb888",
    input_shape: tuple[int, int, int, int] | None = None,
    quantize_options: QuantizeOptions | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> Artifact:
    """Compile the ONNX file ``model`` into the folder ``output``.

    ``calibration``: a folder of photographs, an ``.npz`` with ``images``, or an
    array uint8 (n, rows, cols, channels), RGB. ``name`` prefixes C symbols and
    files (default: from the file name). ``preprocess`` says how the float model
    wants its input made from RGB pixels. ``ram_bytes`` limits arena and stack together,
    ``flash_bytes`` the parameters. ``schedule``, ``input_mode`` and ``input_format``: see
    :class:`~squeeze2c.schedule.ScheduleOptions`. ``input_shape`` (1, channels, rows, cols)
    pins dynamic dimensions. ``force`` replaces a folder that squeeze2c wrote.

    Raises a :class:`~squeeze2c.errors.Squeeze2cError`; then nothing was written.
    """
    core = core_named(target)
    options = ScheduleOptions(schedule, input_mode, input_format, ram_bytes)
    name = check_model_name(identifier(Path(model).stem) if name is None else name)
    check_output(Path(output), force)
    preprocess = preprocess or Preprocess()
    loaded = load_onnx(model)
    graph = run_passes(read_onnx(loaded, input_shape), preprocess)
    # What does not fit is refused here, before the minutes of calibration: sizes depend on
    # shapes alone.
    skeleton = integer_skeleton(graph)
    planned = plan_program(skeleton, core, options, progress)
    _check_flash(planned.build(skeleton, name).program, flash_bytes)
    images = _calibration_images(calibration, graph, preprocess)
    integer = quantize(graph, images, quantize_options or QuantizeOptions(), progress)
    verify_graph(integer)
    built = planned.build(integer, name)
    notes = padding_notes(graph, integer)
    files = render_folder(
        built, integer, core, loaded, preprocess, len(images), notes,
        lambda texts: _stack(texts, built.program, core, ram_bytes),
    )  # fmt: skip
    write_folder(Path(output), files, force)
    return read_artifact(output)


@dataclass(frozen=True, slots=True)
class Planned:
    """The schedule chosen of ``candidates``, its memory plan, and the format of the input."""

    chosen: Candidate
    candidates: tuple[Candidate, ...]
    plan: MemoryPlan
    pixels: InputFormat

    def build(
        self, integer: Graph, name: str, packed: Mapping[str, PackedWeights] | None = None
    ) -> Built:
        """The program of ``integer``, which has the shapes that were planned for."""
        program = lower(integer, self.chosen.schedule, self.plan, name, self.pixels, packed)
        return Built(program, self.chosen, self.candidates, self.plan)


@dataclass(frozen=True, slots=True)
class Built:
    """A program, the schedule chosen of ``candidates`` for it, and its memory plan."""

    program: CProgram
    chosen: Candidate
    candidates: tuple[Candidate, ...]
    plan: MemoryPlan


def build_program(
    integer: Graph,
    core: Core,
    name: str,
    options: ScheduleOptions | None = None,
    progress: Progress = silent,
    packed: Mapping[str, PackedWeights] | None = None,
) -> Built:
    """Schedule, memory plan and lowering of a quantised graph; see :func:`plan_program`."""
    planned = plan_program(integer, core, options or ScheduleOptions(), progress, packed)
    return planned.build(integer, name, packed)


def plan_program(
    integer: Graph,
    core: Core,
    options: ScheduleOptions,
    progress: Progress = silent,
    packed: Mapping[str, PackedWeights] | None = None,
) -> Planned:
    """Schedule and memory plan of a quantised graph, or of its skeleton.

    ``packed``: the layers whose weights are stored as codes.

    Raises :class:`DoesNotFitError` where no schedule fits ``options.ram_bytes``.
    """
    pixels = _pixel_format(options, integer)
    prove_sizes(integer)
    found = candidates(
        integer, core, options.push, options.kind,
        lambda schedule: plan_memory(integer, schedule).arena_bytes,
        progress, {node: weights.code.tile_channels for node, weights in (packed or {}).items()},
        lambda schedule: lower_bound_bytes(collect_buffers(integer, schedule)),
    )  # fmt: skip
    budget = None if options.ram_bytes is None else options.ram_bytes - STACK_RESERVE_BYTES
    chosen = choose(found, budget)
    smallest = chosen or found[0]
    plan = plan_memory(integer, smallest.schedule)
    if chosen is None:
        raise DoesNotFitError(
            "RAM for arena and stack",
            needed_bytes=plan.arena_bytes + STACK_RESERVE_BYTES,
            available_bytes=options.ram_bytes or 0,
            largest=largest_buffers(plan),
            where="--ram",
            hint=_smaller(options, plan.arena_bytes + STACK_RESERVE_BYTES),
        )
    verify_execution(integer, chosen.schedule, plan)
    return Planned(chosen, found, plan, pixels)


def render_folder(
    built: Built,
    integer: Graph,
    core: Core,
    loaded: LoadedModel,
    preprocess: Preprocess,
    calibration_images: int,
    notes: tuple[str, ...],
    find_stack: Callable[[Mapping[str, bytes]], StackBound | None] = lambda files: None,
) -> dict[str, bytes]:
    """Every file of the output folder; the same inputs give the same bytes.

    ``find_stack`` says how much stack the C files need, where a compiler can tell.
    """
    program = built.program
    runtime = runtime_files((layer.kernel for layer in program.layers), program.unpacks)
    runtime_sources = tuple(path for path in runtime if path.endswith(".c"))
    origin = Origin(
        __version__, core.name, " ".join(core.gcc_flags), loaded.path.name, loaded.sha256
    )
    rendered = render(program, origin, runtime_sources)
    c_sources = tuple(f.path for f in rendered if f.path.endswith(".c"))
    texts = {**{f.path: f.text.encode() for f in rendered}, **runtime}
    stack = find_stack(texts)
    manifest = build_manifest(
        program,
        ManifestInputs(
            version=__version__,
            target=core.name,
            source_file=loaded.path.name,
            source_sha256=loaded.sha256,
            preprocess=preprocess,
            softmax=integer.softmax,
            calibration_images=calibration_images,
            schedule=built.chosen,
            candidates=built.candidates,
            stack_bound_bytes=stack.bytes if stack else None,
            sources=(*c_sources, *runtime_sources),
            notes=notes,
        ),
    )
    return {
        **texts,
        MANIFEST_FILE: manifest_text(manifest).encode(),
        ORACLE_FILE: dump_graph(integer),
        SCHEDULE_FILE: schedule_text(draw_arena(built.chosen.schedule, built.plan)).encode(),
        FLOAT_MODEL_FILE: loaded.proto.SerializeToString(deterministic=True),
    }


def _stack(
    texts: Mapping[str, bytes], program: CProgram, core: Core, ram_bytes: int | None
) -> StackBound | None:
    """The stack that generated code needs; None where no compiler for ``core`` can tell.

    Raises :class:`DoesNotFitError` where it does not fit beside the arena after all.
    """
    stack = stack_bound(texts, program.name, core)
    if stack is not None and ram_bytes is not None:
        needed = program.arena_bytes + stack.bytes
        if needed > ram_bytes:
            raise DoesNotFitError(
                "RAM for arena and stack",
                needed_bytes=needed,
                available_bytes=ram_bytes,
                largest=f"stack {stack.bytes:,} B",
                where="--ram",
                hint="allow as much",
            )
    return stack


def _smaller(options: ScheduleOptions, needed_bytes: int) -> str:
    """What to do where not even the smallest schedule, of ``needed_bytes``, fits."""
    smallest = f"the smallest budget that works is --ram {needed_bytes}"
    if options.kind == "layerwise":
        return f"{smallest}; --schedule stream needs less"
    return f"{smallest}; a smaller input needs less"


def _pixel_format(options: ScheduleOptions, graph: Graph) -> InputFormat:
    """The format of the caller's pixels. Raises :class:`UsageError` where it cannot be read."""
    pixels = pixel_format(options.input_format, graph.input_value.type.channels)
    if pixels.converts and not options.push:
        raise UsageError(
            f"{pixels.name} is converted row by row on its way in, so --input must be push",
            where="--input-format",
            hint="with push, the generated run function still takes a whole image",
        )
    return pixels


def _calibration_images(
    calibration: Path | str | np.ndarray, graph: Graph, preprocess: Preprocess
) -> np.ndarray:
    if isinstance(calibration, np.ndarray):
        return calibration
    image = graph.input_value.type
    loaded = load_images(
        calibration,
        rows=image.height,
        cols=image.width,
        channels=image.channels,
        preprocess=preprocess,
    )
    return loaded.images


def _check_flash(program: CProgram, flash_bytes: int | None) -> None:
    if flash_bytes is not None and program.parameters_bytes > flash_bytes:
        raise DoesNotFitError(
            "flash for the parameters",
            needed_bytes=program.parameters_bytes,
            available_bytes=flash_bytes,
            largest=largest_layers(program),
            where="--flash",
            hint="allow more, or use a model with fewer classes",
        )
