"""One library of kernels per compiler and optimisation level, built once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.kernel_library import Build, Kernels, build_library
from tests.support.tools import require_tool

BUILDS = tuple(
    Build(compiler, flags)
    for compiler in ("gcc", "clang")
    for flags in (("-O0",), ("-O2",), ("-O3", "-march=native"))
)


# test_sanitised.py runs these tests once more on a library that AddressSanitizer watches.
SANITISED_LIBRARY = "S2C_SANITISED_LIBRARY"


@pytest.fixture(
    scope="session", params=["sanitised"] if SANITISED_LIBRARY in os.environ else BUILDS, ids=str
)
def kernels(request: pytest.FixtureRequest, build_dir: Path) -> Kernels:
    if request.param == "sanitised":
        return Kernels(Path(os.environ[SANITISED_LIBRARY]), guard_bytes=0)
    require_tool(request.param.compiler)
    return Kernels(build_library(request.param, build_dir))
