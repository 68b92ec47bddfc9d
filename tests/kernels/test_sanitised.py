"""The kernel tests once more under AddressSanitizer and UndefinedBehaviorSanitizer.

A sanitiser's runtime must be in the process before anything else, so this starts another
Python with it preloaded. There every buffer has exactly the size the kernel may touch.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.kernel_library import SANITISED_LIBRARY, Build, build_library, run
from tests.support.tools import missing, require_tool

COMMON = ("-O1", "-g", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
SANITISED = {
    "gcc": Build("gcc", (*COMMON, "-fsanitize=address,undefined")),
    # Clang's implicit-conversion also finds silent truncation, which C allows.
    "clang": Build(
        "clang",
        (*COMMON, "-shared-libsan", "-fsanitize=address,undefined,implicit-conversion"),
    ),
}
RUNTIME = {"gcc": "libasan.so", "clang": f"libclang_rt.asan-{platform.machine()}.so"}
TESTS = (
    "tests/kernels/test_layers.py", "tests/kernels/test_requantise.py",
    "tests/kernels/test_helpers.py", "tests/kernels/test_rows.py", "tests/kernels/test_input.py",
    "tests/property/test_program_random.py",
    "tests/property/test_stream_random.py::test_every_layer_equals_the_oracle",
)
PLANTED = """
#include <stdint.h>
#include <stdlib.h>
int overrun(int n) { uint8_t *p = malloc((size_t)n); p[n] = 1; int r = p[0]; free(p); return r; }
int overflow(int n) { return n + 2147483647; }
"""


def sanitiser(compiler: str) -> dict[str, str]:
    """The environment that preloads the sanitiser of ``compiler``."""
    require_tool(compiler)
    runtime = run([compiler, f"-print-file-name={RUNTIME[compiler]}"]).strip()
    if not Path(runtime).is_file():
        missing(f"{compiler} has no {RUNTIME[compiler]}")
    return {
        **os.environ, "LD_PRELOAD": runtime,
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


@pytest.mark.slow
@pytest.mark.parametrize("compiler", SANITISED)
def test_kernels_are_clean(compiler: str, build_dir: Path, checkout: Path) -> None:
    environment = sanitiser(compiler)
    environment[SANITISED_LIBRARY] = str(build_library(SANITISED[compiler], build_dir))
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS],
        env=environment, cwd=checkout, capture_output=True, text=True, check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-6000:]
    assert " passed" in result.stdout
    assert "skipped" not in result.stdout


@pytest.mark.parametrize("compiler", SANITISED)
@pytest.mark.parametrize(
    ("call", "complaint"),
    [("overrun(4)", "heap-buffer-overflow"), ("overflow(1)", "signed integer overflow")],
)
def test_the_sanitiser_does_watch(
    compiler: str, call: str, complaint: str, build_dir: Path, tmp_path: Path
) -> None:
    """A planted fault stops the same kind of process."""
    environment = sanitiser(compiler)
    source, library = tmp_path / "planted.c", tmp_path / "planted.so"
    source.write_text(PLANTED)
    run([compiler, *SANITISED[compiler].flags, "-shared", "-fPIC", source, "-o", library])
    script = (
        "import cffi; ffi = cffi.FFI(); ffi.cdef('int overrun(int); int overflow(int);'); "
        f"ffi.dlopen({str(library)!r}).{call}; print('survived')"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert complaint in result.stderr
    assert "survived" not in result.stdout
