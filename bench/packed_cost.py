"""What packed weights cost: SqueezeNet v1.1 with push input on a Cortex-M4, plain and packed.

Plain weights have 8 bits. Both under the same RAM budgets, and packed on a board of 512 KB
flash and 128 KB RAM. Instructions for one image as QEMU counts them.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import BUILD, PREPROCESS, V11, any_images, append, find_model, show, stamp

from squeeze2c.emulate import simulate
from squeeze2c.errors import Squeeze2cError
from squeeze2c.export import Calibration, read_artifact, write_folder
from squeeze2c.frontend import LoadedModel, load_onnx
from squeeze2c.ir import Graph, load_graph
from squeeze2c.lower import pack_weights
from squeeze2c.pipeline import build_program, compile_model, render_folder
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.schedule.cost import decoding_by_stage
from squeeze2c.target import BOARDS, KIB, core_named

TARGET = "cortex-m4"
ROOMY, REAL = "mps2-an386", "stm32f446"
WEIGHTS_BUDGET_BYTES = 480_000
BUDGETS = tuple(KIB * kib for kib in (64, 80, 96, 128, 256))
REAL_BUDGET_BYTES = 122 * KIB
"""Leaves room for a row of the image, the logits and what the firmware needs itself."""
AT_MOST = {128 * KIB: 1.25}
"""By budget, times the instructions of plain weights under the same budget; others are shown."""
_CALIBRATION_IMAGES = 40


class Network:
    """v1.1 with packed weights and with plain ones of 8 bits, scheduled under several budgets."""

    def __init__(
        self, graph: Graph, plain: Graph, loaded: LoadedModel, image: np.ndarray
    ) -> None:
        self._graphs = {True: graph, False: plain}
        self._loaded = loaded
        self._image = image
        self._packed = pack_weights(graph)

    def measure(self, ram_bytes: int, packed: bool, board: str) -> dict[str, Any]:
        """One image on ``board``."""
        graph = self._graphs[packed]
        built = build_program(
            graph, core_named(TARGET), V11, ScheduleOptions(ram_bytes=ram_bytes),
            packed=self._packed if packed else None,
        )  # fmt: skip
        kind = "packed" if packed else "plain"
        folder = BUILD / "packed_cost" / f"{kind}_{ram_bytes}"
        files = render_folder(
            built, graph, core_named(TARGET), self._loaded, PREPROCESS,
            Calibration(_CALIBRATION_IMAGES), (),
        )  # fmt: skip
        write_folder(folder, files, force=True)
        result = simulate(read_artifact(folder), board, self._image)
        if result.not_counted:
            print(f"not counted: {result.not_counted}", file=sys.stderr)
        schedule = built.chosen.schedule
        return {
            "model": V11,
            "board": board,
            "ram_budget": ram_bytes,
            "weights": kind,
            "parameters_bytes": built.program.parameters_bytes,
            "flash_bytes": result.memory.flash_bytes,
            "arena_bytes": built.program.arena_bytes,
            "ram_bytes": result.memory.ram_bytes,
            "strip_rows": _extent(schedule.strip_rows),
            "steps": len(schedule.steps),
            "predicted": built.chosen.instructions,
            "decoding": round(sum(decoding_by_stage(graph, schedule))),
            "executed": result.instructions or "",
            "mismatches": result.mismatches,
        }


def _extent(strips: Sequence[int]) -> str:
    least, most = min(strips), max(strips)
    return str(least) if least == most else f"{least}-{most}"


def rows_of(network: Network) -> list[dict[str, Any]]:
    """Plain and packed under each budget; last, packed on the real board."""
    rows = []
    for ram_bytes in BUDGETS:
        plain, packed = (network.measure(ram_bytes, kind, ROOMY) for kind in (False, True))
        rows += [{**plain, "times_plain": ""}, {**packed, "times_plain": _times(packed, plain)}]
    real = network.measure(REAL_BUDGET_BYTES, True, REAL)
    return [*rows, {**real, "times_plain": ""}]


def _times(packed: Mapping[str, Any], plain: Mapping[str, Any]) -> str:
    if not packed["executed"] or not plain["executed"]:
        return ""
    return f"{packed['executed'] / plain['executed']:.4f}"


def kept(row: Mapping[str, Any]) -> bool:
    """Whether a row of figures is what was aimed at."""
    board = BOARDS[row["board"]]
    return (
        not row["mismatches"]
        and float(row["times_plain"] or 0) <= AT_MOST.get(row["ram_budget"], math.inf)
        and row["flash_bytes"] <= board.flash.size_bytes
        and row["ram_bytes"] <= board.ram.size_bytes
    )


def compiled_graph(model: Path, weights: str, budget_bytes: int | None = None) -> Graph:
    """v1.1 with weights of ``budget_bytes`` in all."""
    artifact = compile_model(
        model, BUILD / "packed_cost" / weights, calibration=any_images(_CALIBRATION_IMAGES),
        name=V11, preprocess=PREPROCESS, target=TARGET, weights=weights,
        weights_budget_bytes=budget_bytes, force=True,
    )  # fmt: skip
    return load_graph(artifact.oracle_path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Exit code 1 where packed weights cost more than was aimed at."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--graph", type=Path, metavar="NPZ",
        help="reference/oracle.npz of v1.1 compiled with packed weights, instead of compiling it",
    )  # fmt: skip
    parser.add_argument("--no-history", action="store_true", help="do not record the figures")
    options = parser.parse_args(arguments)
    model = find_model(V11)
    if model is None:
        print(f"{V11}: no model here, skipped", file=sys.stderr)
        return 0
    if options.graph:
        graph = load_graph(options.graph)
    else:
        graph = compiled_graph(model, "packed", WEIGHTS_BUDGET_BYTES)
    stamped = stamp()
    plain = compiled_graph(model, "plain")
    network = Network(graph, plain, load_onnx(model), any_images(1))
    rows = [{**stamped, **row} for row in rows_of(network)]
    work = ("strip_rows", "steps", "predicted", "decoding", "executed", "mismatches", "times_plain")
    sizes = ("parameters_bytes", "flash_bytes", "arena_bytes", "ram_bytes")
    show("sizes", rows, skip=("date", "commit", "model", *work))
    show("work", rows, skip=("date", "commit", "model", *sizes))
    if not options.no_history:
        print(f"added to {append('packed_cost', rows)}")
    failed = [f"{row['weights']} at {row['ram_budget']}" for row in rows if not kept(row)]
    if failed:
        print(f"more than was aimed at: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Squeeze2cError as error:
        sys.exit(f"packed_cost: {error}")
