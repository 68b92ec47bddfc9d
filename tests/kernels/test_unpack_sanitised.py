"""The decoder's tests once more under AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernels.test_sanitised import SANITISED, sanitiser
from tests.support.kernel_library import Build
from tests.support.unpack import SANITISED_UNPACK, build_unpacker

TESTS = ("tests/kernels/test_unpack.py", "tests/property/test_entropy_random.py")


@pytest.mark.slow
@pytest.mark.parametrize("unaligned", [0, 1])
@pytest.mark.parametrize("compiler", SANITISED)
def test_the_decoder_is_clean(
    compiler: str, unaligned: int, build_dir: Path, checkout: Path
) -> None:
    environment = sanitiser(compiler)
    flags = (*SANITISED[compiler].flags, f"-DS2C_UNPACK_UNALIGNED={unaligned}")
    library = build_unpacker(Build(compiler, flags), build_dir)
    environment[SANITISED_UNPACK] = str(library)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS],
        env=environment, cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-6000:]
    assert " passed" in result.stdout
    assert "skipped" not in result.stdout
