"""Renders all text files of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from squeeze2c.codegen.environment import environment
from squeeze2c.codegen.symbols import Symbols
from squeeze2c.codegen.views import Origin, program_view
from squeeze2c.lower import CProgram


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A text file below the output folder."""

    path: str
    text: str


def render(
    program: CProgram, origin: Origin, runtime_sources: Sequence[str]
) -> tuple[RenderedFile, ...]:
    """C and build files of ``program``. ``runtime_sources``: .c files relative to the folder."""
    view = program_view(program, origin)
    symbols = Symbols(program.name)
    templates = {
        symbols.header: "model.h.j2",
        symbols.source: "model.c.j2",
        symbols.weights_header: "weights.h.j2",
        symbols.weights_source: "weights.c.j2",
        "CMakeLists.txt": "project/CMakeLists.txt.j2",
        "Makefile": "project/Makefile.j2",
        "README.md": "project/README.md.j2",
    }
    sources = (symbols.source, symbols.weights_source, *runtime_sources)
    return tuple(
        RenderedFile(path, environment().get_template(name).render(m=view, sources=sources))
        for path, name in templates.items()
    )
