"""RAM for push input on a Cortex-M4, beside what was aimed at and what other tools take.

Arena and lower bound as planned; stack as the emulated firmware used it, and its bound.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import V10, V11, V11_128, any_images, append, compiled, find_model, show, stamp

from squeeze2c.emulate import simulate
from squeeze2c.errors import Squeeze2cError, ToolchainError
from squeeze2c.export import Artifact
from squeeze2c.ir import load_graph
from squeeze2c.pipeline import build_program
from squeeze2c.target import core_named

TARGET = "cortex-m4"
BOARD = "mps2-an386"
STACK_AT_MOST_BYTES = 2048
_CALIBRATION_IMAGES = 4


@dataclass(frozen=True, slots=True)
class Network:
    """``at_most_bytes``: what the arena may take. Others' RAM: None where it is not known."""

    name: str
    size: int
    at_most_bytes: int
    tflite_micro_bytes: int | None = None
    st_bytes: int | None = None


# TensorFlow Lite Micro: tensor arena of the int8 model. ST: X-CUBE-AI's
# published activations for the int8 model with 5 classes.
NETWORKS = (
    Network(V11, 224, 57_344, 1_022_832, 829 * 1024),
    Network(V10, 224, 90_112, 1_533_936),
    Network(V11_128, 128, 36_864, st_bytes=272 * 1024),
)


def measure(network: Network, model: Path) -> dict[str, Any]:
    """One row of figures."""
    images = any_images(_CALIBRATION_IMAGES, network.size)
    artifact = compiled(network.name, model, images, TARGET)
    ram = artifact.manifest["ram"]
    schedule = artifact.manifest["schedule"]
    arena = ram["arena_bytes"]
    return {
        "model": network.name,
        "arena_bytes": arena,
        "lower_bound_bytes": ram["lower_bound_bytes"],
        "at_most_bytes": network.at_most_bytes,
        **_simulated(artifact, network.size),
        "predicted_instructions": schedule["predicted_instructions"],
        "scheduling_s": f"{_scheduling_seconds(artifact):.1f}",
        "tflite_micro_bytes": network.tflite_micro_bytes or "",
        "times_less": _quotient(network.tflite_micro_bytes, arena),
        "st_bytes": network.st_bytes or "",
        "times_less_than_st": _quotient(network.st_bytes, arena),
    }


def _simulated(artifact: Artifact, size: int) -> dict[str, Any]:
    """What one image on the emulated board shows; empty figures without the tools."""
    columns = ("stack_bytes", "stack_bound_bytes", "mismatches", "executed_instructions")
    try:
        document = simulate(artifact, BOARD, any_images(1, size)).to_json()
    except ToolchainError as error:
        print(f"{artifact.name}: not simulated: {error}", file=sys.stderr)
        return dict.fromkeys(columns, "")
    ram = document["ram"]
    figures = (
        ram["model_stack_bytes"], ram["model_stack_bound_bytes"], document["mismatches"],
        document["instructions"] or "",
    )  # fmt: skip
    return dict(zip(columns, figures, strict=True))


def _scheduling_seconds(artifact: Artifact) -> float:
    """How long it takes to schedule, plan, check and lower the network."""
    graph = load_graph(artifact.oracle_path)
    start = time.perf_counter()
    build_program(graph, core_named(TARGET), artifact.name)
    return time.perf_counter() - start


def _quotient(others_bytes: int | None, arena_bytes: int) -> str:
    return f"{others_bytes / arena_bytes:.1f}" if others_bytes else ""


def kept(row: dict[str, Any]) -> bool:
    """Whether a row of figures is what was aimed at."""
    return (
        row["arena_bytes"] <= row["at_most_bytes"]
        and row["arena_bytes"] <= 1.05 * row["lower_bound_bytes"]
        and (row["stack_bytes"] or 0) <= STACK_AT_MOST_BYTES
        and not row["mismatches"]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Exit code 1 where a network takes more than was aimed at."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--no-history", action="store_true", help="do not record the figures")
    options = parser.parse_args(arguments)
    stamped = stamp()
    rows = []
    for network in NETWORKS:
        model = find_model(network.name)
        if model is None:
            print(f"{network.name}: no model here, skipped", file=sys.stderr)
            continue
        rows.append({**stamped, **measure(network, model)})
    if not rows:
        return 0
    work = ("executed_instructions", "predicted_instructions", "scheduling_s", "mismatches")
    others = tuple(column for column in rows[0] if column.startswith(("tflite", "times", "st_")))
    show("RAM with push input", rows, skip=("date", "commit", *work, *others))
    memory = ("lower_bound_bytes", "at_most_bytes", "stack_bytes", "stack_bound_bytes")
    show("beside other tools", rows, skip=("date", "commit", *memory, *work))
    show("work", rows, skip=("date", "commit", "arena_bytes", *memory, *others))
    if not options.no_history:
        print(f"added to {append('arena', rows)}")
    failed = [row["model"] for row in rows if not kept(row)]
    if failed:
        print(f"more than was aimed at: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Squeeze2cError as error:
        sys.exit(f"arena: {error}")
