"""The port layer compiles without a warning for every core, and the plugin for this machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from squeeze2c.emulate.toolchain import find_toolchain
from squeeze2c.resources import runtime_dir
from squeeze2c.target import CORES, Core
from tests.support.tools import require_tool

pytestmark = pytest.mark.emulated

WARNINGS = (
    "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror",
)  # fmt: skip
CROSS = [core for core in CORES.values() if core.gcc_flags]
PORT = runtime_dir() / "port"


@pytest.mark.parametrize("level", ["-O0", "-O3"])
@pytest.mark.parametrize("core", CROSS, ids=lambda core: core.name)
def test_port_layer(core: Core, level: str, tmp_path: Path) -> None:
    toolchain = find_toolchain()
    define = ["-DS2C_PORT_ARMV8M"] if core.armv8m else []
    sources = sorted(str(source) for source in PORT.glob("*.c"))
    assert sources
    toolchain.run(
        [*core.gcc_flags, *toolchain.library_flags, *WARNINGS, level, *define,
         f"-I{runtime_dir() / 'include'}", f"-I{runtime_dir() / 'profile'}", "-c", *sources],
        tmp_path,
    )


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_plugin(compiler: str, tmp_path: Path) -> None:
    source = PORT / "plugin" / "s2c_count_plugin.c"
    subprocess.run(
        [require_tool(compiler), *WARNINGS, "-O2", "-fPIC", "-c", source, "-o", tmp_path / "p.o"],
        check=True,
    )
