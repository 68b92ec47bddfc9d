"""All stages on one screen: from an ONNX file and images to a folder of C."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from squeeze2c.assembly import code_size, render_folder
from squeeze2c.emulate.stack import StackBound, stack_bound
from squeeze2c.errors import DoesNotFitError
from squeeze2c.export import (
    Artifact,
    Calibration,
    check_output,
    largest_layers,
    read_artifact,
    write_folder,
)
from squeeze2c.frontend import Preprocess, load_images, load_onnx, read_onnx
from squeeze2c.ir import Graph
from squeeze2c.lower import CProgram, check_model_name, identifier
from squeeze2c.packing import (
    StoredWeights,
    WeightPacker,
    WeightsOptions,
    check_shapes,
    check_size,
    packing_notes,
)
from squeeze2c.passes import run_passes
from squeeze2c.planning import (
    RAM_IN_ALL,
    STACK_RESERVE_BYTES,
    Builder,
    Built,
    Planned,
    build_program,
    plan_program,
)
from squeeze2c.progress import Progress, silent
from squeeze2c.quantize import QuantizeOptions, padding_notes
from squeeze2c.quantize.skeleton import integer_skeleton
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.target import Core, check_optimize, core_named

__all__ = [
    "STACK_RESERVE_BYTES",
    "Built",
    "Planned",
    "build_program",
    "compile_model",
    "plan_program",
    "render_folder",
]


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
    weights: str = "auto",
    weights_budget_bytes: int | None = None,
    max_drop_percent: float | None = None,
    optimize: str = "speed",
    schedule: str = "auto",
    input_mode: str | None = None,
    input_format: str = "rgb888",
    input_shape: tuple[int, int, int, int] | None = None,
    quantize_options: QuantizeOptions | None = None,
    cache: bool = True,
    force: bool = False,
    progress: Progress = silent,
) -> Artifact:
    """Compile the ONNX file ``model`` into the folder ``output``.

    ``calibration``: a folder of photographs, an ``.npz`` with ``images``, or an
    array uint8 (n, rows, cols, channels), RGB. ``name`` prefixes C symbols and
    files (default: from the file name). ``preprocess`` says how the float model
    wants its input made from RGB pixels. ``ram_bytes`` limits arena, stack, logits and, where
    rows are pushed, a row of the image together,
    ``flash_bytes`` parameters and code, ``weights_budget_bytes`` the parameters alone.
    ``weights``, ``max_drop_percent``, ``cache``: see
    :class:`~squeeze2c.packing.WeightsOptions`. ``optimize``: the C is to be compiled for speed
    or for size, which costs a few percent of speed. ``schedule``, ``input_mode`` and
    ``input_format``: see :class:`~squeeze2c.schedule.ScheduleOptions`. ``input_shape``
    (1, channels, rows, cols) pins dynamic dimensions. ``force`` replaces a folder that
    squeeze2c wrote.

    Raises a :class:`~squeeze2c.errors.Squeeze2cError`; then nothing was written.
    """
    core = core_named(target)
    check_optimize(optimize)
    # Where flash is short, weights are worth more than further kernels.
    small_code = optimize == "size" or flash_bytes is not None
    options = ScheduleOptions(schedule, input_mode, input_format, ram_bytes, small_code)
    storage = WeightsOptions(
        weights, weights_budget_bytes, flash_bytes, max_drop_percent, cache, optimize=optimize
    )  # fmt: skip
    name = check_model_name(identifier(Path(model).stem) if name is None else name)
    check_output(Path(output), force)
    preprocess = preprocess or Preprocess()
    loaded = load_onnx(model)
    graph = run_passes(read_onnx(loaded, input_shape), preprocess)
    builder = Builder(core, options, name, progress)
    # What does not fit is refused here, before the minutes of calibration: sizes depend on
    # shapes, and on where weights are zero, alone.
    sizes, storage = check_shapes(
        integer_skeleton(graph), builder.program,
        lambda program: code_size(program, core, loaded, optimize), storage,
        integer_skeleton(graph, zeros_only=False),
    )  # fmt: skip
    images = _calibration_images(calibration, graph, preprocess)
    settings = quantize_options or QuantizeOptions()
    packer = WeightPacker(graph, images, storage, settings, builder.program, progress)
    stored = packer.run(sizes)
    built = builder.build(stored.integer, stored.packed)
    files = render_folder(
        built, stored.integer, core, loaded, preprocess, _calibration_facts(stored, len(images)),
        (*padding_notes(graph, stored.integer), *packing_notes(stored, storage, len(images))),
        lambda texts: _code(texts, built.program, core, ram_bytes, storage),
        optimize,
    )  # fmt: skip
    write_folder(Path(output), files, force)
    return read_artifact(output)


def _code(
    texts: Mapping[str, bytes],
    program: CProgram,
    core: Core,
    ram_bytes: int | None,
    storage: WeightsOptions,
) -> StackBound | None:
    """Stack and code of the generated C; None where no compiler for ``core`` can tell.

    Raises :class:`DoesNotFitError` where it does not fit beside the arena, or beside the
    parameters, after all.
    """
    stack = stack_bound(texts, program.name, core, storage.optimize)
    if stack is not None and ram_bytes is not None:
        needed = program.arena_bytes + stack.bytes + program.interface_bytes
        if needed > ram_bytes:
            raise DoesNotFitError(
                RAM_IN_ALL,
                needed_bytes=needed,
                available_bytes=ram_bytes,
                largest=f"stack {stack.bytes:,} B",
                where="--ram",
                hint="allow as much",
            )
    check_size(
        program.parameters_bytes,
        storage,
        None if stack is None else stack.code_bytes,
        largest_layers(program),
        "allow as much",
    )
    return stack


def _calibration_facts(stored: StoredWeights, images: int) -> Calibration:
    loss = stored.loss
    return Calibration(
        images, loss.images, loss.agreement, loss.mean_kl, stored.steps, stored.expected_kl
    )


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
