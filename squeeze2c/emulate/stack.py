"""How much stack generated C can need at most, from the compiler's own figures.

Frames are summed along the static call graph. It has no recursion and no calls through
pointers, so the sum is a bound. Not in it: what interrupts push, and on the PC the dynamic
linker, which may work on the stack of whoever first calls a function of the C library.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from squeeze2c.emulate.callgraph import CALLGRAPH_FLAG, Depth, read_call_graph
from squeeze2c.emulate.toolchain import (
    COMPILE_FLAGS,
    OPTIMISATION,
    find_toolchain,
    knows_flag,
    run_tool,
)
from squeeze2c.errors import InternalError, ToolchainError
from squeeze2c.host.toolchain import HostCompiler
from squeeze2c.target import Core

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
    calls that need most, outermost first. ``compiler``: what the bound holds for.
    """

    functions: Mapping[str, int]
    path: tuple[str, ...]
    compiler: str

    @property
    def bytes(self) -> int:
        """The largest of ``functions``."""
        return max(self.functions.values())


def stack_bound(files: Mapping[str, bytes], name: str, core: Core) -> StackBound | None:
    """The bound for the generated folder ``files`` (path to content) of the model ``name``.

    Compiled for ``core`` as firmware is, or for this machine where it is ``host``. None
    where there is no GCC 10 or later for it. Raises :class:`ToolchainError` where the C
    does not compile, :class:`InternalError` where it recurses, calls through a pointer, or
    takes an amount of stack that depends on its data.
    """
    try:
        command, compiler = _compiler(core)
    except ToolchainError:
        return None
    if not knows_flag(command, CALLGRAPH_FLAG):
        return None
    with tempfile.TemporaryDirectory(prefix="squeeze2c-") as temporary:
        folder = Path(temporary)
        for path, content in files.items():
            if path.endswith((".c", ".h")):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
        # Constants have no functions, and are most of the text.
        constants = f"{name}_weights.c"
        sources = [path for path in files if path.endswith(".c") and path != constants]
        objects = [folder / f"{number}.o" for number in range(len(sources))]
        flags = [*COMPILE_FLAGS, CALLGRAPH_FLAG, "-I.", "-Iruntime"]
        commands = [
            [*command, *flags, "-c", source, "-o", target.name]
            for source, target in zip(sources, objects, strict=True)
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda line: run_tool(line, folder), commands))
        return bound_of_objects(objects, name, compiler)


def bound_of_objects(objects: Iterable[Path], name: str, compiler: str) -> StackBound:
    """The bound for the model ``name``, compiled to ``objects`` with call graphs beside them."""
    graph = read_call_graph(objects, library_bytes)
    wanted = [*API, *(PUSH_API if graph.has(f"{name}_begin") else ())]
    depths: dict[str, Depth] = {}
    for function in wanted:
        if not graph.has(f"{name}_{function}"):
            raise InternalError(f"{name}_{function} is not among the functions compiled")
        depths[function] = graph.depth(f"{name}_{function}")
    deepest = max(depths.values(), key=lambda depth: depth.stack_bytes)
    figures = {function: depth.stack_bytes for function, depth in depths.items()}
    return StackBound(figures, deepest.path, compiler)


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
        return [*host.command, *host.flags], host.description
    toolchain = find_toolchain()
    command = [toolchain.gcc, *core.gcc_flags, OPTIMISATION, *toolchain.library_flags]
    return command, f"gcc {toolchain.version}, {toolchain.library}, {OPTIMISATION}"
