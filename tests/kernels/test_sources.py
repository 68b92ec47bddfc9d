"""The runtime compiles without a warning, and holds nothing that firmware may not have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from squeeze2c.resources import runtime_dir
from squeeze2c.target import CORES, Core
from tests.support.kernel_library import WARNINGS, include_flags, kernel_sources, run
from tests.support.tools import require_tool

SHIPPED = sorted([*kernel_sources(), *(runtime_dir() / "include").glob("*.h")])
LEVELS = ("-O0", "-Os", "-O2", "-O3")
CROSS = tuple(core for core in CORES.values() if core.gcc_flags)
FORBIDDEN = r"\b(malloc|calloc|realloc|free|alloca|f?printf|puts|(set|long)jmp|float|double)\b"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_host_compilers_are_silent(compiler: str, level: str, tmp_path: Path) -> None:
    require_tool(compiler)
    for source in kernel_sources():
        run([compiler, *WARNINGS, level, *include_flags(), "-c", source, "-o", tmp_path / "k.o"])


@pytest.mark.parametrize("core", CROSS, ids=lambda core: core.name)
def test_cross_compiler_is_silent(core: Core, tmp_path: Path) -> None:
    compiler = require_tool("arm-none-eabi-gcc")
    for source in kernel_sources():
        run(
            [compiler, *WARNINGS, "-O2", *core.gcc_flags, "--specs=picolibc.specs",
             *include_flags(), "-c", source, "-o", tmp_path / "k.o"]
        )


@pytest.mark.parametrize("standard", ["c99", "c11", "c17", "gnu99"])
def test_every_header_stands_alone(standard: str, tmp_path: Path) -> None:
    compiler = require_tool("gcc")
    for header in (runtime_dir() / "include").glob("*.h"):
        unit = tmp_path / "unit.c"
        unit.write_text(f'#include "{header.name}"\n#include "{header.name}"\nint unit(void);\n')
        flags = [f for f in WARNINGS if not f.startswith("-std")]
        run([compiler, f"-std={standard}", *flags, *include_flags(), "-fsyntax-only", unit])


def test_public_headers_are_cpp(tmp_path: Path) -> None:
    compiler = require_tool("g++")
    for name in ("s2c.h", "s2c_kernels.h", "s2c_hooks.h"):
        unit = tmp_path / "unit.cpp"
        unit.write_text(f'#include "{name}"\nint unit();\n')
        run([compiler, "-std=c++11", "-Wall", "-Wextra", "-pedantic", "-Werror",
             *include_flags(), "-fsyntax-only", unit])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_no_heap_console_or_floating_point(path: Path) -> None:
    code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    assert not re.search(FORBIDDEN, code)
    assert not re.search(r"#include\s*<(stdio|stdlib|math)\.h>", code)


def test_no_mutable_data(tmp_path: Path) -> None:
    """No kernel leaves anything in .data or .bss."""
    compiler, size = require_tool("gcc"), require_tool("size")
    for source in kernel_sources():
        out = tmp_path / f"{source.stem}.o"
        run([compiler, "-std=c99", "-O2", *include_flags(), "-c", source, "-o", out])
        _, data, bss = run([size, out]).splitlines()[1].split()[:3]
        assert (data, bss) == ("0", "0"), source.name


def test_no_recursion(tmp_path: Path) -> None:
    """No kernel calls itself: the call graph that GCC writes has no cycle."""
    compiler = require_tool("gcc")
    for source in kernel_sources():
        run([compiler, "-std=c99", "-O0", "-fcallgraph-info", *include_flags(), "-c", source,
             "-o", tmp_path / f"{source.stem}.o"])
        text = (tmp_path / f"{source.stem}.ci").read_text()
        calls = re.findall(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', text)
        _assert_acyclic(calls)


def _assert_acyclic(edges: list[tuple[str, str]]) -> None:
    remaining = set(edges)
    while remaining:
        sources = {a for a, _ in remaining}
        leaves = {(a, b) for a, b in remaining if b not in sources}
        assert leaves, f"recursion among {sorted(remaining)}"
        remaining -= leaves
