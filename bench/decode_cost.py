"""Bytes of entropy-coded weights, and instructions per weight to decode them, under QEMU.

The weights are those of real SqueezeNets, rounded to nearest: the point here is their
distribution, not accuracy. Firmware decodes all tiles of all layers and compares them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from common import V10, V11, append, find_model, show, stamp
from onnx import numpy_helper

from squeeze2c.emulate.count import Counter
from squeeze2c.emulate.elf import FirmwareImage, read_elf
from squeeze2c.emulate.qemu import find_emulator
from squeeze2c.emulate.toolchain import find_toolchain, run_tool
from squeeze2c.entropy import PackedLayer, encode_layer
from squeeze2c.errors import Squeeze2cError, ToolchainError
from squeeze2c.resources import runtime_dir
from squeeze2c.target import BOARDS, CORES

HERE = Path(__file__).resolve().parent
BOARD_OF = {"cortex-m4": "mps2-an386", "cortex-m3": "mps2-an385", "cortex-m0": "mps2-an385"}
FUNCTIONS = ("s2c_unpack_prepare", "s2c_unpack_rounds", "s2c_unpack_tile")
TILE_CHANNELS = 16
_LEVELS = 127
_BISECTIONS = 30
_LARGER_IS_COARSER = 0.2
"""Exponent: large layers get larger steps, as an allocation by sensitivity gives them."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Layers of one network, int8 (out_channels, taps) each."""

    name: str
    layers: tuple[np.ndarray, ...]

    @property
    def count(self) -> int:
        """Number of weights."""
        return sum(layer.size for layer in self.layers)

    @property
    def entropy_bytes(self) -> float:
        """Sum of the layers' entropies of order 0, in bytes."""
        return sum(map(entropy_bytes, self.layers))


def entropy_bytes(layer: np.ndarray) -> float:
    """Entropy of order 0 of all values of ``layer``, in bytes."""
    counts = np.bincount(layer.reshape(-1).astype(np.int64) + 128)
    counts = counts[counts > 0]
    return float(-(counts * np.log2(counts / layer.size)).sum() / 8)


def float_layers(model: Path) -> list[np.ndarray]:
    """Convolution weights of an ONNX model, (out_channels, rows * cols * in_channels)."""
    graph = onnx.load(model).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    kernels = [
        numpy_helper.to_array(constants[node.input[1]])
        for node in graph.node
        if node.op_type == "Conv"
    ]
    return [
        np.ascontiguousarray(k.transpose(0, 2, 3, 1)).reshape(k.shape[0], -1) for k in kernels
    ]


def one_step_per_layer(name: str, model: Path, target_bytes: float) -> Weights:
    """Rounded to multiples of a step for each layer, so that the entropy is ``target_bytes``."""
    layers = float_layers(model)
    mean = np.mean([layer.size for layer in layers])

    def rounded(scale: float) -> Weights:
        steps = [
            max(
                scale * layer.std() * (layer.size / mean) ** _LARGER_IS_COARSER,
                np.abs(layer).max() / _LEVELS,
            )
            for layer in layers
        ]
        return Weights(
            name,
            tuple(
                np.rint(layer / step).astype(np.int8)
                for layer, step in zip(layers, steps, strict=True)
            ),
        )

    low, high = 0.05, 3.0
    for _ in range(_BISECTIONS):
        middle = (low * high) ** 0.5
        if rounded(middle).entropy_bytes > target_bytes:
            low = middle
        else:
            high = middle
    return rounded(high)


def one_step_per_channel(name: str, model: Path, bits: int) -> Weights:
    """Rounded to ``bits`` bits with a step for each output channel; zeros stay zeros."""
    levels = 2 ** (bits - 1) - 1
    layers = []
    for layer in float_layers(model):
        largest = np.abs(layer).max(axis=1, keepdims=True)
        step = np.where(largest > 0, largest, 1.0) / levels
        layers.append(np.rint(layer / step).astype(np.int8))
    return Weights(name, tuple(layers))


def packed(weights: Weights) -> list[PackedLayer]:
    """All layers, with biases and multiplier indices of random numbers."""
    random = np.random.default_rng(0)
    return [
        encode_layer(
            layer,
            random.integers(-127, 128, len(layer)).astype(np.int8),
            random.integers(0, 16, len(layer)).astype(np.uint8),
            TILE_CHANNELS,
        )
        for layer in weights.layers
    ]


def c_header(weights: Weights, layers: Sequence[PackedLayer]) -> str:
    """``layers.h`` for ``decode_cost.c``."""
    text = ["static const int32_t multipliers[16] = {1};"]
    rows = []
    for i, (truth, layer) in enumerate(zip(weights.layers, layers, strict=True)):
        stream = np.frombuffer(layer.stream, np.uint32)
        text += [
            _array("uint32_t", f"stream_{i}", stream.tolist(), "u"),
            _array("uint8_t", f"table_{i}", layer.table),
            _array("uint16_t", f"offsets_{i}", layer.tile_offsets),
            _array("int8_t", f"bias_{i}", np.frombuffer(layer.bias, np.int8).tolist()),
            _array("uint8_t", f"index_{i}", layer.multiplier_index),
        ]
        rows.append(
            f"    {{{{stream_{i}, table_{i}, offsets_{i}, bias_{i}, index_{i}, multipliers, "
            f"{len(stream)}u, {layer.taps}u, {layer.out_channels}u, {layer.tile_channels}u, "
            f"{len(layer.table)}u, {layer.offset_shift}u, 7u, 16u}}, "
            f"{zlib.crc32(truth.tobytes())}u}},"
        )
    tile_bytes = max(layer.tile_channels * layer.taps for layer in layers)
    text += [
        f"#define MAX_TILE_BYTES {tile_bytes}u",
        f"#define MAX_TILE_CHANNELS {TILE_CHANNELS}u",
        "static const bench_layer layers[] = {",
        *rows,
        "};",
    ]
    return "\n".join(text) + "\n"


def _array(kind: str, name: str, values: Iterable[int], suffix: str = "") -> str:
    body = ",".join(f"{value}{suffix}" for value in values)
    return f"static const {kind} {name}[] = {{{body}}};"


def build(folder: Path, core: str, level: str) -> Path:
    """Firmware of ``layers.h`` in ``folder``. Raises ToolchainError."""
    toolchain = find_toolchain()
    board = BOARDS[BOARD_OF[core]]
    runtime = runtime_dir()
    elf = folder / f"{core}{level}.elf"
    flags = [*CORES[core].gcc_flags, level, "-std=c99", "-Wall", "-Wextra", "-Werror"]
    flags += [f"-I{runtime / 'include'}", f"-I{folder}"]
    flags += [*toolchain.library_flags, "--crt0=hosted", "--oslib=semihost", "-Tpicolibc.ld"]
    memory = {
        "__flash": board.flash.origin,
        "__flash_size": board.flash.size_bytes,
        "__ram": board.ram.origin,
        "__ram_size": board.ram.size_bytes,
        "__stack_size": 8192,
    }
    flags += [f"-Wl,--defsym={symbol}={value:#x}" for symbol, value in memory.items()]
    sources = [HERE / "decode_cost.c", runtime / "src" / "s2c_crc32.c"]
    sources += [runtime / "src" / f"{name}.c" for name in FUNCTIONS]
    run_tool([toolchain.gcc, *flags, *map(str, sources), "-o", str(elf)], folder)
    return elf


def count(elf: Path, core: str, counter: Counter) -> list[int]:
    """Instructions between each mark_begin and the next mark_end. Raises ToolchainError."""
    image = read_elf(elf)
    marks = ",".join(f"mark={image.function(f'mark_{n}')[0]:#x}" for n in ("begin", "end"))
    command = [find_emulator(), "-M", BOARDS[BOARD_OF[core]].machine, "-display", "none"]
    command += ["-monitor", "none", "-serial", "none"]
    command += ["-semihosting-config", "enable=on,target=native", "-kernel", elf.name]
    command += ["-plugin", f"{counter.plugin},out=count.txt,{marks}"]
    done = subprocess.run(command, cwd=elf.parent, capture_output=True, check=False)
    if done.returncode != 0:
        raise ToolchainError(f"firmware ended with exit code {done.returncode}", where=elf.name)
    lines = (elf.parent / "count.txt").read_text(encoding="ascii").splitlines()
    passed = [int(line.split()[1]) for line in lines]
    return [end - begin for begin, end in zip(passed[::2], passed[1::2], strict=True)]


def code_bytes(image: FirmwareImage) -> int:
    """Code of the decoder, with its constants left out."""
    return sum(image.function(name)[1] for name in FUNCTIONS)


def measure(weights: Weights, cores: Sequence[str], level: str, folder: Path) -> dict[str, Any]:
    """One row of figures."""
    layers = packed(weights)
    channels = sum(layer.out_channels for layer in layers)
    beside = channels + sum(len(layer.multiplier_index) for layer in layers)
    size = sum(layer.size_bytes for layer in layers)
    row: dict[str, Any] = {
        "weights": weights.name,
        "entropy_bytes": round(weights.entropy_bytes),
        "packed_bytes": size - beside,
        "over_percent": f"{100 * ((size - beside) / weights.entropy_bytes - 1):.2f}",
        "bias_and_index_bytes": beside,
    }
    (folder / "layers.h").write_text(c_header(weights, layers), encoding="ascii")
    counter = Counter.build(folder)
    for core in cores:
        elf = build(folder, core, level)
        counts = count(elf, core, counter)
        tables, tiles = _split(counts, layers)
        short = core.removeprefix("cortex-")
        row[f"{short}_per_weight"] = f"{tiles / weights.count:.2f}"
        row[f"{short}_per_table"] = round(tables / len(layers))
        row[f"{short}_code_bytes"] = code_bytes(read_elf(elf))
    return row


def _split(counts: list[int], layers: Sequence[PackedLayer]) -> tuple[int, int]:
    """(instructions that built tables, instructions that decoded tiles)."""
    remaining = iter(counts)
    tables = tiles = 0
    for layer in layers:
        tables += next(remaining)
        tiles += sum(next(remaining) for _ in range(layer.tiles))
    return tables, tiles


def _networks() -> Iterator[Weights]:
    """What is measured, as far as its model is here."""
    v11, v10 = find_model(V11), find_model(V10)
    if v11 is not None:
        yield one_step_per_layer("v1.1, 460 KB", v11, 460e3)
        yield one_step_per_layer("v1.1, 390 KB", v11, 390e3)
    if v10 is not None:
        yield one_step_per_channel("v1.0, 8 bits", v10, 8)
        yield one_step_per_channel("v1.0, 7 bits", v10, 7)
    for name, model in ((V11, v11), (V10, v10)):
        if model is None:
            print(f"{name}: no model here, skipped", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--level", default="-O2", help="optimisation of GCC (default -O2)")
    parser.add_argument("--no-history", action="store_true", help="do not record the figures")
    options = parser.parse_args(arguments)
    rows: list[Mapping[str, Any]] = []
    stamped = stamp()
    for weights in _networks():
        with tempfile.TemporaryDirectory() as folder:
            figures = measure(weights, tuple(BOARD_OF), options.level, Path(folder))
        rows.append({**stamped, "level": options.level, **figures})
    if rows:
        show("decoding every weight once", rows, skip=("date", "commit"))
        if not options.no_history:
            print(f"added to {append('decode_cost', rows)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Squeeze2cError as error:
        sys.exit(f"decode_cost: {error}")
