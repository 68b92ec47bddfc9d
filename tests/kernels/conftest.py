"""One library of kernels per compiler and optimisation level, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kernel_library import Build, Kernels, build_library
from tests.support.tools import require_tool

BUILDS = tuple(
    Build(compiler, flags)
    for compiler in ("gcc", "clang")
    for flags in (("-O0",), ("-O2",), ("-O3", "-march=native"))
)


@pytest.fixture(scope="session", params=BUILDS, ids=str)
def kernels(request: pytest.FixtureRequest, build_dir: Path) -> Kernels:
    require_tool(request.param.compiler)
    return Kernels(build_library(request.param, build_dir))
