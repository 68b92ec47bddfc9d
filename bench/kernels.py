"""Instructions of every layer on an emulated core, beside those of CMSIS-NN.

Compiles SqueezeNet for the core, runs one image in QEMU and compares every byte with the
oracle. Exit code 1 where one differs, or where a network takes more than was aimed at.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import BUILD, PREPROCESS, V10, V11, any_images, append, find_model, show, stamp

from squeeze2c.emulate import SimulationResult, simulate
from squeeze2c.errors import Squeeze2cError
from squeeze2c.export import Artifact
from squeeze2c.pipeline import compile_model
from squeeze2c.target import KIB, core_named

BOARDS = {"cortex-m4": "mps2-an386", "cortex-m7": "mps2-an500", "cortex-m55": "mps3-an547"}
_CALIBRATION_IMAGES = 4
MILLION = 1e6

# CMSIS-NN at -O3 (GCC 12), millions of instructions counted in the same way: by layer of v1.1 on a
# Cortex-M4, and for whole networks.
CMSIS_NN_LAYERS = {
    "conv1": 81.41, "pool1": 14.60, "pool3": 6.86, "pool5": 3.14,
    "fire2/squeeze1x1": 6.37, "fire3/squeeze1x1": 10.78,
    "fire2/expand1x1": 12.25, "fire3/expand1x1": 12.25,
    "fire2/expand3x3": 56.87, "fire3/expand3x3": 56.87,
    "fire4/expand1x1": 8.05, "fire5/expand1x1": 8.05,
    "fire4/expand3x3": 48.95, "fire5/expand3x3": 48.95,
    "fire6/expand3x3": 24.66, "fire7/expand3x3": 24.66,
    "fire8/squeeze1x1": 6.43, "fire9/squeeze1x1": 8.43,
    "fire8/expand3x3": 43.01, "fire9/expand3x3": 43.01, "conv10": 131.64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """``at_most``: millions of instructions aimed at. ``cmsis_nn``: what it takes."""

    model: str
    target: str
    ram_bytes: int
    at_most: float
    cmsis_nn: float


CASES = (
    Case(V11, "cortex-m4", 64 * KIB, 340, 700.9),
    Case(V11, "cortex-m4", 128 * KIB, 290, 700.9),
    Case(V11, "cortex-m4", 256 * KIB, 290, 700.9),
    Case(V11, "cortex-m7", 256 * KIB, 290, 696.5),
    Case(V10, "cortex-m4", 256 * KIB, 620, 1571.2),
    Case(V11, "cortex-m55", 256 * KIB, 60, 107.5),
)


def kernel_code_bytes(artifact: Artifact) -> int:
    """Code of the kernels for the core's architecture, at -O3."""
    sources = [path for path in artifact.sources if path.stem.endswith(("__dsp", "__mve"))]
    flags = core_named(artifact.target).gcc_flags
    with tempfile.TemporaryDirectory() as folder:
        total = 0
        for source in sources:
            target = Path(folder) / f"{source.stem}.o"
            includes = [f"-I{path}" for path in artifact.include_dirs]
            command = ["arm-none-eabi-gcc", "--specs=picolibc.specs", "-O3", "-std=c99"]
            subprocess.run([*command, *flags, *includes, "-c", source, "-o", target], check=True)
            sizes = subprocess.run(
                ["arm-none-eabi-size", target], check=True, capture_output=True, text=True
            ).stdout
            total += int(sizes.splitlines()[1].split()[0])
    return total


def measure(case: Case, model: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A row of figures of the network, and one for each of its layers."""
    artifact = compile_model(
        model, BUILD / f"{case.model}_{case.target}_{case.ram_bytes}",
        calibration=any_images(_CALIBRATION_IMAGES), name=case.model, preprocess=PREPROCESS,
        target=case.target, ram_bytes=case.ram_bytes, force=True,
    )  # fmt: skip
    result = simulate(artifact, BOARDS[case.target], any_images(1))
    executed = result.instructions or 0
    head = {"model": case.model, "target": case.target, "ram_bytes": case.ram_bytes}
    network = head | {
        "arena_bytes": artifact.manifest["ram"]["arena_bytes"],
        "kernel_code_bytes": kernel_code_bytes(artifact),
        "executed_m": f"{executed / MILLION:.2f}",
        "predicted_m": f"{artifact.manifest['schedule']['predicted_instructions'] / MILLION:.2f}",
        "at_most_m": case.at_most, "cmsis_nn_m": case.cmsis_nn,
        "times_fewer": f"{case.cmsis_nn * MILLION / executed:.2f}" if executed else "",
        "mismatches": result.mismatches,
    }  # fmt: skip
    return network, [head | row for row in _layers(case, artifact, result)]


def _layers(case: Case, artifact: Artifact, result: SimulationResult) -> list[dict[str, Any]]:
    rows = []
    for layer, described in zip(result.layers, artifact.layers, strict=True):
        executed = layer.instructions or 0
        other = CMSIS_NN_LAYERS.get(layer.name) if case.model == V11 else None
        rows.append(
            {
                "layer": layer.name, "kernel": described["kernel"],
                "macs_m": f"{(layer.macs or 0) / MILLION:.2f}",
                "executed_m": f"{executed / MILLION:.3f}", "cmsis_nn_m": other or "",
                "times_fewer": f"{other * MILLION / executed:.1f}" if other and executed else "",
            }
        )
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 where a byte differs or a network takes more than was aimed at."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--no-history", action="store_true", help="do not append to the history")
    options = parser.parse_args(arguments)
    networks, layers = [], []
    for case in CASES:
        model = find_model(case.model)
        if model is None:
            print(f"{case.model} is not here, skipped")
            continue
        network, rows = measure(case, model)
        networks.append(stamp() | network)
        layers += [stamp() | row for row in rows]
        show(f"{case.model} on {case.target}, --ram {case.ram_bytes // KIB}K", rows)
    show("instructions", networks)
    if not options.no_history:
        append("kernels", networks)
        append("kernel_layers", layers)
    over = any(float(row["executed_m"]) > row["at_most_m"] for row in networks)
    return int(over or any(row["mismatches"] for row in networks))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Squeeze2cError as error:
        sys.exit(f"bench: {error}")
