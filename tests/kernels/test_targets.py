"""The kernels on 32-bit machines: the same vectors on x86, on Cortex-M under QEMU, and on -m32."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.kernels.catalogue import (
    CONV2D,
    CONV2D_DSP,
    CONV2D_SUM,
    CONV2D_SUM_DSP,
)
from squeeze2c.resources import runtime_dir
from squeeze2c.target import BOARDS, CORES, Board
from tests.kernels import generate, generate_paired
from tests.kernels.test_requantise import exact, operands
from tests.support.kernel_library import SHIM, include_flags, kernel_sources, run
from tests.support.tools import missing, require_tool
from tests.support.vectors import Vectors

RUNNER = SHIM.parent / "vectors.c"
FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror")
# One board per core; the M3 board runs the code of an M0 too.
CORTEX = {
    "cortex-m0": "mps2-an385", "cortex-m3": "mps2-an385", "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500", "cortex-m33": "mps2-an505", "cortex-m55": "mps3-an547",
}


@pytest.fixture(scope="module")
def vectors(build_dir: Path) -> Path:
    """The folder of ``vectors.h``."""
    collected = Vectors()
    for row in operands()[::7]:
        collected.add_requantise(*row, exact(*row))
    for conv in generate.conv_cases()[::6]:
        collected.add_conv(conv, False, CONV2D)
    for conv in generate.conv_sum_cases()[3::6]:
        collected.add_conv(conv, True, CONV2D_SUM)
    for conv in generate_paired.conv_cases()[::3]:
        collected.add_conv(conv, False, CONV2D_DSP)
    for conv in generate_paired.conv_sum_cases()[1::3]:
        collected.add_conv(conv, True, CONV2D_SUM_DSP)
    for pool in generate.pool_cases():
        collected.add_pool(pool)
    for addition in generate.add_cases()[:-1]:
        collected.add_add(addition)
    rng = np.random.default_rng(11)
    for scale in (1e-9, 1e-5, 0.1, 1e3):
        logits = np.clip(rng.normal(0, 4 / scale, 100), -(2**31), 2**31 - 1)
        collected.add_softmax(logits.astype(np.int32), scale)
    collected.set_crc(bytes(range(256)) + b"tail")
    folder = build_dir / "vectors"
    folder.mkdir()
    (folder / "vectors.h").write_text(collected.text)
    return folder


def sources(vectors: Path) -> list[str | Path]:
    return [*include_flags(), f"-I{vectors}", RUNNER, *kernel_sources()]


def exit_code(program: Path) -> int:
    return subprocess.run([program], check=False, timeout=60).returncode


@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_vectors_on_this_machine(level: str, vectors: Path, tmp_path: Path) -> None:
    run([require_tool("gcc"), *FLAGS, level, *sources(vectors), "-o", tmp_path / "program"])
    assert exit_code(tmp_path / "program") == 0


def wrong_rounding(folder: Path) -> str:
    """The flag that puts a rounding that is off in place of the right one."""
    right = (runtime_dir() / "include" / "s2c_requantise.h").read_text()
    assert "(shift - 1u))" in right
    wrong = right.replace("(shift - 1u))", "(shift - 1u)) - 1u")
    (folder / "s2c_requantise.h").write_text(wrong)
    return f"-I{folder}"


def test_wrong_results_are_seen(vectors: Path, tmp_path: Path) -> None:
    run(
        [require_tool("gcc"), *FLAGS, "-O2", wrong_rounding(tmp_path), *sources(vectors),
         "-o", tmp_path / "program"]
    )
    assert exit_code(tmp_path / "program") == 1


@pytest.mark.parametrize("level", ["-O0", "-O2", "-O3"])
def test_vectors_with_32_bit_pointers(level: str, vectors: Path, tmp_path: Path) -> None:
    compiler = require_tool("gcc")
    probe = tmp_path / "probe.c"
    probe.write_text("#include <string.h>\nint main(void) { return 0; }\n")
    linked = subprocess.run(
        [compiler, "-m32", probe, "-o", tmp_path / "probe"], capture_output=True, check=False
    )
    if linked.returncode:
        pytest.skip("gcc -m32 has no C library here (gcc-multilib is not installed)")
    run([compiler, *FLAGS, "-m32", level, *sources(vectors), "-o", tmp_path / "program"])
    assert exit_code(tmp_path / "program") == 0


def memory_flags(board: Board) -> list[str]:
    flash = board.vectors or board.flash
    return [
        f"-Wl,--defsym=__flash={flash.origin:#x}", f"-Wl,--defsym=__flash_size={flash.size_bytes}",
        f"-Wl,--defsym=__ram={board.ram.origin:#x}",
        f"-Wl,--defsym=__ram_size={board.ram.size_bytes}", "-Wl,--defsym=__stack_size=8192",
        "-Tpicolibc.ld",
    ]


def emulated_exit_code(core: str, flags: list[str], vectors: Path, program: Path) -> int:
    """Build the vectors for ``core`` and run them on its board."""
    compiler, emulator = require_tool("arm-none-eabi-gcc"), require_tool("qemu-system-arm")
    board = BOARDS[CORTEX[core]]
    assert CORES[board.core].runs(core)
    specs = ["--specs=picolibc.specs", "--crt0=hosted", "--oslib=semihost"]
    probe = [compiler, specs[0], "-E", "-xc", "/dev/null"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        missing("arm-none-eabi-gcc has no picolibc")
    run(
        [compiler, *FLAGS, *flags, *CORES[core].gcc_flags, *specs, *memory_flags(board),
         *sources(vectors), "-o", program]
    )
    return subprocess.run(
        [emulator, "-M", board.machine, "-display", "none", "-monitor", "none", "-serial", "none",
         "-semihosting-config", "enable=on,target=native", "-kernel", program],
        check=False, timeout=120,
    ).returncode


@pytest.mark.emulated
@pytest.mark.parametrize("level", ["-Os", "-O3"])
@pytest.mark.parametrize("core", CORTEX)
def test_vectors_on_cortex_m(core: str, level: str, vectors: Path, tmp_path: Path) -> None:
    assert emulated_exit_code(core, [level], vectors, tmp_path / "program.elf") == 0


@pytest.mark.emulated
def test_wrong_results_are_seen_on_cortex_m(vectors: Path, tmp_path: Path) -> None:
    flags = ["-Os", wrong_rounding(tmp_path)]
    assert emulated_exit_code("cortex-m4", flags, vectors, tmp_path / "program.elf") == 1
