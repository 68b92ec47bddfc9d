"""How much stack generated C can need at most, and how large it is, as compilers say.

Frames are summed along the static call graph. It has no recursion and no calls through
pointers, so the sum is a bound. Not in it: what interrupts push, and on the PC the dynamic
linker, which may work on the stack of whoever first calls a function of the C library.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from squeeze2c.emulate.callgraph import CALLGRAPH_FLAG, CallGraph, CompiledUnit, Depth
from squeeze2c.emulate.toolchain import (
    COMPILE_FLAGS,
    OPTIMISATIONS,
    find_toolchain,
    knows_flag,
    run_tool,
)
from squeeze2c.errors import InternalError, ToolchainError
from squeeze2c.host.toolchain import HostCompiler
from squeeze2c.target import OPTIMISATION, Core

API = ("init", "check_weights", "run", "top_k", "softmax", "version")
PUSH_API = ("begin", "push_rows", "finish")
"""Functions of a generated model, without its name; the second group with pushed input only."""

_LIBRARY_BYTES = (
    (re.compile(r"__gnu_thumb1_case_\w+"), 8),
    (re.compile(r"__aeabi_u?idiv(mod)?"), 16),
    (re.compile(r"__aeabi_(lmul|llsl|llsr|lasr)"), 32),
    (re.compile(r"(__aeabi_)?mem(cpy|move|set|clr)[48]?"), 48),
)
OTHER_LIBRARY_BYTES = 128
"""For 64-bit division and whatever else a compiler may call. The most that GCC 12's libgcc,
picolibc or newlib-nano takes on any Cortex-M is 8, 8, 28, 36 and, here, 108 bytes."""


@dataclass(frozen=True, slots=True)
class StackBound:
    """The most stack that a call of a generated model can take.

    ``functions``: bytes by function of the API, without the model's name. ``path``: the
    calls that need most, outermost first. ``compiler``: what the bound holds for, with all
    its levels of optimisation or the one that is named. ``code_bytes``: code and its own
    constants, optimised as was asked for; without parameters and library functions.
    """

    functions: Mapping[str, int]
    path: tuple[str, ...]
    compiler: str
    code_bytes: int

    @property
    def bytes(self) -> int:
        """The largest of ``functions``."""
        return max(self.functions.values())


def stack_bound(
    files: Mapping[str, bytes], name: str, core: Core, optimize: str = "speed"
) -> StackBound | None:
    """The bound for the generated folder ``files`` (path to content) of the model ``name``.

    For ``core``, or for this machine where that is ``host``, at whatever level the code is
    optimised; its ``code_bytes`` are those of code for ``optimize``. None where there is no
    GCC 10 or later for it. Raises :class:`ToolchainError` where the C does not compile,
    :class:`InternalError` where it recurses, calls through a pointer, or takes an amount of
    stack that depends on its data.
    """
    try:
        command, compiler = _compiler(core)
    except ToolchainError:
        return None
    if not knows_flag(command, CALLGRAPH_FLAG):
        return None
    # Constants have no functions, and are most of the text.
    constants = f"{name}_weights.c"
    sources = [path for path in files if path.endswith(".c") and path != constants]
    lines = [((*command, level), path) for level in OPTIMISATIONS for path in sources]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        units = list(pool.map(lambda line: _compile(*line, _readable(files, line[1])), lines))
    count = len(sources)
    bounds = {
        level: bound_of_units(units[index * count : (index + 1) * count], name, compiler)
        for index, level in enumerate(OPTIMISATIONS)
    }
    return replace(_worst([*bounds.values()]), code_bytes=bounds[OPTIMISATION[optimize]].code_bytes)


def _readable(files: Mapping[str, bytes], source: str) -> tuple[tuple[str, bytes], ...]:
    """``source`` and the headers that it can include: those of the runtime know no model."""
    of_runtime = source.startswith("runtime/")
    return tuple(
        (path, content)
        for path, content in files.items()
        if path == source
        or (path.endswith(".h") and (path.startswith("runtime/") or not of_runtime))
    )


@lru_cache(maxsize=256)
def _compile(
    command: tuple[str, ...], source: str, files: tuple[tuple[str, bytes], ...]
) -> CompiledUnit:
    """``source``, one of ``files``, compiled; networks share most of their files."""
    with tempfile.TemporaryDirectory(prefix="squeeze2c-") as temporary:
        folder = Path(temporary)
        for path, content in files:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        flags = [*COMPILE_FLAGS, CALLGRAPH_FLAG, "-I.", "-Iruntime"]
        run_tool([*command, *flags, "-c", source, "-o", "unit.o"], folder)
        return CompiledUnit.read(folder / "unit.o")


def _worst(bounds: Sequence[StackBound]) -> StackBound:
    """What holds for all ``bounds``."""
    functions = {f: max(b.functions[f] for b in bounds) for f in bounds[0].functions}
    deepest = max(bounds, key=lambda bound: bound.bytes)
    return replace(deepest, functions=functions)


def bound_of_units(units: Sequence[CompiledUnit], name: str, compiler: str) -> StackBound:
    """The bound for the model ``name``, compiled to ``units`` by ``compiler``."""
    graph = CallGraph(library_bytes)
    for unit in units:
        graph.add(unit)
    wanted = [*API, *(PUSH_API if graph.has(f"{name}_begin") else ())]
    depths: dict[str, Depth] = {}
    for function in wanted:
        if not graph.has(f"{name}_{function}"):
            raise InternalError(f"{name}_{function} is not among the functions compiled")
        depths[function] = graph.depth(f"{name}_{function}")
    deepest = max(depths.values(), key=lambda depth: depth.stack_bytes)
    figures = {function: depth.stack_bytes for function, depth in depths.items()}
    code_bytes = sum(unit.flash_bytes for unit in units)
    return StackBound(figures, deepest.path, compiler, code_bytes)


def library_bytes(function: str) -> int:
    """What is set aside for a function of the C library or the compiler's own, in bytes."""
    return next(
        (size for pattern, size in _LIBRARY_BYTES if pattern.fullmatch(function)),
        OTHER_LIBRARY_BYTES,
    )


def _compiler(core: Core) -> tuple[Sequence[str], str]:
    """Command line for ``core``, and how to call it. Raises :class:`ToolchainError`."""
    if core.name == "host":
        host = HostCompiler.find()
        flags = [flag for flag in host.flags if not flag.startswith("-O")]
        return [*host.command, *flags], " ".join((*host.command, *flags))
    toolchain = find_toolchain()
    command = [toolchain.gcc, *core.gcc_flags, *toolchain.library_flags]
    return command, f"gcc {toolchain.version}, {toolchain.library}"
