"""Everything that goes into the output folder, and what a compiler says of its C."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from squeeze2c._version import __version__
from squeeze2c.codegen import Origin, render
from squeeze2c.emulate.stack import StackBound, stack_bound
from squeeze2c.export import (
    Calibration,
    ManifestInputs,
    build_manifest,
    manifest_text,
    profile_files,
    runtime_files,
    schedule_text,
)
from squeeze2c.export.manifest import (
    FLOAT_MODEL_FILE,
    MANIFEST_FILE,
    ORACLE_FILE,
    SCHEDULE_FILE,
)
from squeeze2c.frontend import LoadedModel, Preprocess
from squeeze2c.ir import Graph, dump_graph
from squeeze2c.lower import CProgram
from squeeze2c.memory import draw_arena
from squeeze2c.planning import Built
from squeeze2c.target import Core


def render_folder(
    built: Built,
    integer: Graph,
    core: Core,
    loaded: LoadedModel,
    preprocess: Preprocess,
    calibration: Calibration,
    notes: tuple[str, ...],
    find_stack: Callable[[Mapping[str, bytes]], StackBound | None] = lambda files: None,
    optimize: str = "speed",
) -> dict[str, bytes]:
    """Every file of the output folder; the same inputs give the same bytes.

    ``find_stack`` says how much stack the C files need, and how large their code is, where a
    compiler can tell. ``optimize``: what they are to be compiled for, speed or size.
    """
    program = built.program
    texts = _texts(program, core, loaded, optimize)
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
            calibration=calibration,
            schedule=built.chosen,
            candidates=built.candidates,
            code_bytes=stack.code_bytes if stack else None,
            stack_bound_bytes=stack.bytes if stack else None,
            sources=tuple(path for path in texts if path.endswith(".c")),
            notes=notes,
            optimize=optimize,
        ),
    )
    return {
        **texts,
        **profile_files(),
        MANIFEST_FILE: manifest_text(manifest).encode(),
        ORACLE_FILE: dump_graph(integer),
        SCHEDULE_FILE: schedule_text(draw_arena(built.chosen.schedule, built.plan)).encode(),
        FLOAT_MODEL_FILE: loaded.proto.SerializeToString(deterministic=True),
    }


def code_size(
    program: CProgram, core: Core, loaded: LoadedModel, optimize: str = "speed"
) -> int | None:
    """Bytes of the program's code for ``core``; None where no compiler can tell."""
    texts = _texts(program, core, loaded, optimize)
    bound = stack_bound(texts, program.name, core, optimize)
    return None if bound is None else bound.code_bytes


def _texts(
    program: CProgram, core: Core, loaded: LoadedModel, optimize: str
) -> dict[str, bytes]:
    """C, headers and build files of ``program``, the model's own before the runtime's."""
    runtime = runtime_files((layer.kernel for layer in program.layers), program.unpacks)
    sources = tuple(path for path in runtime if path.endswith(".c"))
    origin = Origin(
        __version__, core.name, " ".join(core.gcc_flags), loaded.path.name, loaded.sha256, optimize
    )
    rendered = render(program, origin, sources)
    return {**{f.path: f.text.encode() for f in rendered}, **runtime}
