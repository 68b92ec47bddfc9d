"""External programs and optional packages that tests need."""

from __future__ import annotations

import importlib
import os
import shutil
from typing import Any, NoReturn

import pytest

REQUIRE_TOOLS = "S2C_REQUIRE_TOOLS"


def require_tool(name: str) -> str:
    """The path of the program ``name``; without it the test is skipped, see :func:`missing`."""
    found = shutil.which(name)
    if found is None:
        missing(f"{name} is not installed")
    return found


def require_package(name: str) -> Any:
    """The Python package ``name``; without it the test is skipped, see :func:`missing`."""
    try:
        return importlib.import_module(name)
    except ImportError:
        missing(f"the Python package {name} is not installed")


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where the environment says S2C_REQUIRE_TOOLS=1.

    A user's machine may lack a cross-compiler; continuous integration must not
    mistake that for success.
    """
    if os.environ.get(REQUIRE_TOOLS) == "1":
        pytest.fail(f"{reason}, and {REQUIRE_TOOLS}=1 demands it", pytrace=False)
    pytest.skip(reason, allow_module_level=True)
