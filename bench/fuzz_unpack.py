"""Fuzzes the decoder of packed weights with libFuzzer, AddressSanitizer and UBSan."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import append, processor, show, stamp

from squeeze2c.entropy import PackedLayer, encode_layer
from squeeze2c.errors import Squeeze2cError, ToolchainError
from squeeze2c.resources import runtime_dir

HERE = Path(__file__).resolve().parent / "fuzz"
SANITISERS = "address,undefined,implicit-conversion"
FUNCTIONS = ("prepare", "rounds", "tile")
MAX_INPUT_BYTES = 1536
CRASHED = 77
PATIENCE_S = 1200
"""For one input. It is wall-clock time, and machines may be busy or asleep."""
_SEEDS = 60


def build(folder: Path, compiler: str, runtime: Path) -> Path:
    """The fuzzer of the decoder in ``runtime``, in ``folder``. Raises ToolchainError."""
    found = shutil.which(compiler)
    if found is None:
        raise ToolchainError(f"{compiler} is not installed", hint="apt install clang")
    flags = ["-std=c99", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-fno-sanitize-recover=all"]
    flags += ["-fno-omit-frame-pointer", f"-I{runtime / 'include'}"]
    aligned = ["-DS2C_UNPACK_UNALIGNED=0"]
    aligned += [f"-Ds2c_unpack_{name}=aligned_unpack_{name}" for name in FUNCTIONS]
    objects = []
    for name in FUNCTIONS:
        source = str(runtime / "src" / f"s2c_unpack_{name}.c")
        for prefix, extra in (("unaligned", []), ("aligned", aligned)):
            target = folder / f"{prefix}_{name}.o"
            _run([found, *flags, *extra, f"-fsanitize=fuzzer-no-link,{SANITISERS}", "-c", source,
                  "-o", str(target)])  # fmt: skip
            objects.append(str(target))
    fuzzer = folder / "fuzz_unpack"
    harness = str(HERE / "fuzz_unpack.c")
    _run([found, *flags, f"-fsanitize=fuzzer,{SANITISERS}", harness, *objects, "-o", str(fuzzer)])
    return fuzzer


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolchainError(
            "the fuzzer does not build", command=" ".join(command), stderr=done.stderr
        )


def seed(packed: PackedLayer, tile_channels: int) -> bytes | None:
    """``packed`` as an input of the harness; None where it is too large for one."""
    words = len(packed.stream) // 4
    if not (words < 256 and packed.taps <= 97 and packed.out_channels <= 40):
        return None
    table_bytes = len(packed.table)
    more = max(0, -(-(table_bytes - 255) // 16))
    if more > 15:
        return None
    head = struct.pack(
        "9B", 2, packed.taps - 1, packed.out_channels - 1, tile_channels - 1,
        packed.offset_shift | 7 << 3, table_bytes - 16 * more, more, words, 16,
    )  # fmt: skip
    index = packed.multiplier_index or bytes((packed.out_channels + 1) // 2)
    offsets = np.array(packed.tile_offsets, np.uint16).tobytes()
    return head + packed.table + offsets + packed.bias + index + packed.stream


def write_seeds(folder: Path) -> int:
    """Valid layers of many distributions, and the same with tables to complete; how many."""
    random = np.random.default_rng(0)
    written = 0
    for number in range(_SEEDS):
        shape = int(random.integers(1, 17)), int(random.integers(1, 33))
        spread = float(random.choice([0.3, 1, 4, 20, 80]))
        weights = np.clip(np.rint(random.laplace(0, spread, shape)), -127, 127).astype(np.int8)
        weights *= random.random(shape) < random.choice([0.2, 0.6, 1.0])
        tile_channels = int(random.integers(1, 21))
        packed = encode_layer(
            weights,
            random.integers(-127, 128, shape[0]).astype(np.int8),
            random.integers(0, 16, shape[0]).astype(np.uint8),
            tile_channels,
        )
        data = seed(packed, tile_channels)
        if data is not None:
            (folder / f"valid_{number}").write_bytes(data)
            (folder / f"complete_{number}").write_bytes(bytes([data[0] | 1]) + data[1:])
            written += 2
    return written


def fuzz(fuzzer: Path, corpus: Path, inputs: int, seed_number: int) -> dict[str, str]:
    """Figures of one run. Raises ToolchainError with the report where an input fails."""
    command = [str(fuzzer), f"-runs={inputs}", f"-max_len={MAX_INPUT_BYTES}"]
    command += [f"-timeout={PATIENCE_S}"]
    command += [f"-seed={seed_number}", "-print_final_stats=1", f"-error_exitcode={CRASHED}"]
    command += [f"-artifact_prefix={corpus.parent}/", str(corpus)]
    start = time.monotonic()
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        env={**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"}, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - start
    if done.returncode != 0:
        raise ToolchainError(
            "an input made the decoder fail", command=" ".join(command), stderr=_found(done.stderr)
        )
    executed = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
    coverage = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", done.stderr)
    if executed is None or int(executed[1]) < inputs or not coverage:
        raise ToolchainError("libFuzzer ended early", stderr=done.stderr)
    return {
        "inputs": executed[1],
        "failures": "0",
        "seconds": f"{seconds:.0f}",
        "edges": coverage[-1][0],
        "features": coverage[-1][1],
        "corpus": coverage[-1][2],
    }


def _found(report: str) -> str:
    """The lines of libFuzzer's report that say what happened, and where the input is."""
    telling = ("ERROR: ", "SUMMARY: ", "runtime error: ", "Test unit written", "s2c_unpack_")
    return "\n".join(
        line for line in report.splitlines() if any(mark in line for mark in telling)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000_000, help="how many (default 10 M)")
    parser.add_argument("--seed", type=int, default=1, help="of libFuzzer (default 1)")
    parser.add_argument("--compiler", default="clang")
    parser.add_argument("--runtime", type=Path, default=runtime_dir(), help="with include/, src/")
    parser.add_argument("--keep", type=Path, help="folder for the fuzzer, its corpus and crashes")
    parser.add_argument("--no-history", action="store_true", help="do not record the figures")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        corpus = folder / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        write_seeds(corpus)
        fuzzer = build(folder, options.compiler, options.runtime)
        stamped = stamp()
        figures = fuzz(fuzzer, corpus, options.inputs, options.seed)
    rows = [{**stamped, **figures, "compiler": options.compiler, "processor": processor()}]
    show("s2c_unpack under AddressSanitizer and UBSan", rows, skip=("date", "commit", "processor"))
    if not options.no_history:
        print(f"added to {append('fuzz_unpack', rows)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Squeeze2cError as error:
        sys.exit(f"fuzz_unpack: {error}")
