"""External programs that tests need."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

REQUIRE_TOOLS = "S2C_REQUIRE_TOOLS"


def require_tool(name: str) -> str:
    """The path of the program ``name``; without it the test is skipped, see :func:`missing`."""
    found = shutil.which(name)
    if found is None:
        missing(f"{name} is not installed")
    return found


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where the environment says S2C_REQUIRE_TOOLS=1.

    A user's machine may lack a cross-compiler; continuous integration must not
    mistake that for success.
    """
    if os.environ.get(REQUIRE_TOOLS) == "1":
        pytest.fail(f"{reason}, and {REQUIRE_TOOLS}=1 demands it", pytrace=False)
    pytest.skip(reason)
