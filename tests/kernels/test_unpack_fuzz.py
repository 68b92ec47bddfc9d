"""A short run of the fuzzer in ``bench/``, and that it finds what it is there to find."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from squeeze2c.resources import runtime_dir
from tests.support.tools import missing, require_tool

PROBE = """
#include <stddef.h>
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) { return size && *data > 255; }
"""
INPUTS = 20000


@pytest.fixture(scope="module")
def clang(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A clang that has libFuzzer's library."""
    compiler = require_tool("clang")
    folder = tmp_path_factory.mktemp("probe")
    (folder / "probe.c").write_text(PROBE)
    command = [compiler, "-fsanitize=fuzzer,address", "probe.c", "-o", "probe"]
    if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode:
        missing("clang has no libFuzzer")
    return compiler


def fuzz(checkout: Path, compiler: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "bench/fuzz_unpack.py", "--no-history", f"--inputs={INPUTS}",
         f"--compiler={compiler}", *options],
        cwd=checkout, env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_no_input_makes_the_decoder_fail(clang: str, checkout: Path) -> None:
    done = fuzz(checkout, clang)
    assert done.returncode == 0, done.stderr
    assert str(INPUTS) in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "right", "wrong", "complaint"),
    [
        ("s2c_unpack_rounds.c", "ROUND_BYTES_LOG2 4u", "ROUND_BYTES_LOG2 2u", "buffer-overflow"),
        ("s2c_unpack_rounds.c", "ROUND_BITS_LOG2 5u", "ROUND_BITS_LOG2 1u", "buffer-overflow"),
        ("s2c_unpack_tile.c", "at->bit >= bits", "bits == 0u", "buffer-overflow"),
        ("s2c_unpack_prepare.c", "size != layer->table_bytes", "size < 4u", "buffer-overflow"),
        ("s2c_unpack_prepare.c", "bits > S2C_UNPACK_CODE_BITS ||", "", "deadly signal"),
    ],
)
def test_planted_faults_are_found(
    file: str, right: str, wrong: str, complaint: str, clang: str, checkout: Path, tmp_path: Path
) -> None:
    shutil.copytree(runtime_dir() / "include", tmp_path / "include")
    (tmp_path / "src").mkdir()
    for source in (runtime_dir() / "src").glob("s2c_unpack_*.c"):
        shutil.copy(source, tmp_path / "src")
    text = (tmp_path / "src" / file).read_text()
    assert right in text
    (tmp_path / "src" / file).write_text(text.replace(right, wrong))
    done = fuzz(checkout, clang, f"--runtime={tmp_path}", f"--keep={tmp_path / 'work'}")
    assert done.returncode == 1
    assert complaint in done.stderr
