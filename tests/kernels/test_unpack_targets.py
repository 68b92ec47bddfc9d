"""The decoder of packed weights on emulated Cortex-M, and with 32-bit pointers on this machine."""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.entropy import PackedLayer, decode_tile
from squeeze2c.resources import runtime_dir
from squeeze2c.target import BOARDS, CORES
from tests.kernels.test_targets import CORTEX, FLAGS, memory_flags
from tests.support.kernel_library import SHIM, run
from tests.support.tools import missing, require_tool
from tests.support.unpack import extreme_layers, pack, unpack_sources

RUNNER = SHIM.parent / "unpack_vectors.c"
TILE_CHANNELS = 5
BIAS_SHIFT = 9
MULTIPLIERS = np.random.default_rng(8).integers(1, 2**23, 16).astype(np.int32)


def array(kind: str, name: str, values: Iterable[int]) -> str:
    return f"static const {kind} {name}[] = {{{', '.join(map(str, values))}}};"


def crc(packed: PackedLayer) -> int:
    """Of what the C decoder has to write, tile by tile."""
    value = 0
    for tile in range(packed.tiles):
        weights, bias, index = decode_tile(packed, tile)
        for part in (weights, bias.astype(np.int32) << BIAS_SHIFT, MULTIPLIERS[index]):
            value = zlib.crc32(part.tobytes(), value)
    return value


@pytest.fixture(scope="module")
def vectors(build_dir: Path) -> Path:
    """The folder of ``unpack_vectors.h``."""
    lines = [array("int32_t", "multipliers", MULTIPLIERS.tolist())]
    rows = []
    layers = [pack(weights, TILE_CHANNELS) for weights in extreme_layers().values()]
    for i, packed in enumerate(layers):
        stream = np.frombuffer(packed.stream, np.uint32).tolist()
        lines += [
            array("uint32_t", f"stream_{i}", stream),
            array("uint8_t", f"table_{i}", packed.table),
            array("uint16_t", f"offsets_{i}", packed.tile_offsets),
            array("int8_t", f"bias_{i}", np.frombuffer(packed.bias, np.int8).tolist()),
        ]
        index = "NULL"
        if packed.multiplier_index:
            index = f"index_{i}"
            lines.append(array("uint8_t", index, packed.multiplier_index))
        numbers = (
            len(stream), packed.taps, packed.out_channels, TILE_CHANNELS, len(packed.table),
            packed.offset_shift, BIAS_SHIFT, len(MULTIPLIERS),
        )
        rows.append(
            f"{{{{stream_{i}, table_{i}, offsets_{i}, bias_{i}, {index}, multipliers, "
            f"{', '.join(map(str, numbers))}}}, {crc(packed)}u}},"
        )
    tile_bytes = max(TILE_CHANNELS * packed.taps for packed in layers)
    lines += [f"#define MAX_TILE_BYTES {tile_bytes}u", f"#define MAX_TILE_CHANNELS {TILE_CHANNELS}"]
    lines += ["static const vector vectors[] = {", *rows, "};"]
    folder = build_dir / "unpack_vectors"
    folder.mkdir()
    (folder / "unpack_vectors.h").write_text("\n".join(lines) + "\n")
    return folder


def sources(vectors: Path) -> list[str | Path]:
    runtime = runtime_dir()
    crc32 = runtime / "src" / "s2c_crc32.c"
    return [f"-I{runtime / 'include'}", f"-I{vectors}", RUNNER, crc32, *unpack_sources()]


def exit_code(program: Path) -> int:
    return subprocess.run([program], check=False, timeout=60).returncode


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


def test_wrong_results_are_seen(vectors: Path, tmp_path: Path) -> None:
    header = (vectors / "unpack_vectors.h").read_text()
    wrong = header.replace("bias_18[] = {", "bias_18[] = {1 + ", 1)
    assert wrong != header
    (tmp_path / "unpack_vectors.h").write_text(wrong)
    run([require_tool("gcc"), *FLAGS, *sources(tmp_path), "-o", tmp_path / "program"])
    assert exit_code(tmp_path / "program") == 1


@pytest.mark.emulated
@pytest.mark.parametrize("level", ["-Os", "-O3"])
@pytest.mark.parametrize("core", CORTEX)
def test_vectors_on_cortex_m(core: str, level: str, vectors: Path, tmp_path: Path) -> None:
    compiler, emulator = require_tool("arm-none-eabi-gcc"), require_tool("qemu-system-arm")
    board = BOARDS[CORTEX[core]]
    specs = ["--specs=picolibc.specs", "--crt0=hosted", "--oslib=semihost"]
    probe = [compiler, specs[0], "-E", "-xc", "/dev/null"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        missing("arm-none-eabi-gcc has no picolibc")
    program = tmp_path / "program.elf"
    run([compiler, *FLAGS, level, *CORES[core].gcc_flags, *specs, *memory_flags(board),
         *sources(vectors), "-o", program])  # fmt: skip
    done = subprocess.run(
        [emulator, "-M", board.machine, "-display", "none", "-monitor", "none", "-serial", "none",
         "-semihosting-config", "enable=on,target=native", "-kernel", program],
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0
