"""One library of kernels per compiler and optimisation level, built once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.kernel_library import SANITISED_LIBRARY, Build, Kernels, load_kernels

BUILDS = tuple(
    Build(compiler, flags)
    for compiler in ("gcc", "clang")
    for flags in (("-O0",), ("-O2",), ("-O3", "-march=native"))
)


# test_sanitised.py runs these tests once more, on one library.
ONE_BUILD = BUILDS[:1]


@pytest.fixture(
    scope="session", params=ONE_BUILD if SANITISED_LIBRARY in os.environ else BUILDS, ids=str
)
def kernels(request: pytest.FixtureRequest, build_dir: Path) -> Kernels:
    return load_kernels(request.param, build_dir)
