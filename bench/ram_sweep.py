"""RAM budget against speed: SqueezeNet v1.1 with push input on a Cortex-M4.

For budgets from the smallest that works to 1 MiB: the schedule that ``--ram`` chooses, its
predicted instructions, and those that QEMU counts for one image. More RAM must never be slower.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    BUILD,
    HISTORY,
    PREPROCESS,
    V11,
    any_images,
    append,
    compiled,
    find_model,
    show,
    stamp,
)

from squeeze2c.emulate import simulate
from squeeze2c.errors import Squeeze2cError, ToolchainError
from squeeze2c.export import Calibration, read_artifact, write_folder
from squeeze2c.frontend import LoadedModel, load_onnx
from squeeze2c.ir import Graph, load_graph
from squeeze2c.pipeline import STACK_RESERVE_BYTES, Built, build_program, render_folder
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.target import KIB, core_named

TARGET = "cortex-m4"
BOARD = "mps2-an386"
BUDGETS = tuple(
    KIB * kib for kib in (56, 64, 80, 96, 112, 128, 160, 192, 256, 320, 384, 512, 640, 768, 1024)
)
_CALIBRATION_IMAGES = 4


class Sweep:
    """Builds one network under several budgets, and runs what comes out once each."""

    def __init__(self, graph: Graph, loaded: LoadedModel, image: np.ndarray, count: bool) -> None:
        self._graph = graph
        self._loaded = loaded
        self._image = image
        self._count = count
        self._executed: dict[int, tuple[Any, Any]] = {}

    def budgets(self) -> list[int]:
        """The smallest that works, then :data:`BUDGETS` above it."""
        built = self._build(None)
        arenas = [c.arena_bytes for c in built.candidates]
        smallest = min(arenas) + STACK_RESERVE_BYTES + built.program.interface_bytes
        return [smallest, *(b for b in BUDGETS if b > smallest)]

    def measure(self, ram_bytes: int) -> dict[str, Any]:
        """One row of figures."""
        built = self._build(ram_bytes)
        executed, mismatches = self._run(built)
        return {
            "model": V11,
            "ram_bytes": ram_bytes,
            "arena_bytes": built.program.arena_bytes,
            "schedule": built.chosen.kind,
            "strip_rows": max(built.chosen.schedule.strip_rows),
            "steps": len(built.program.steps),
            "predicted_instructions": built.chosen.instructions,
            "executed_instructions": executed,
            "mismatches": mismatches,
        }

    def _build(self, ram_bytes: int | None) -> Built:
        options = ScheduleOptions(ram_bytes=ram_bytes)
        return build_program(self._graph, core_named(TARGET), V11, options)

    def _run(self, built: Built) -> tuple[Any, Any]:
        """Instructions for one image and mismatches; empty where they are not counted."""
        key = built.program.arena_bytes
        if self._count and key not in self._executed:
            folder = BUILD / "ram_sweep" / str(key)
            files = render_folder(
                built, self._graph, core_named(TARGET), self._loaded, PREPROCESS,
                Calibration(_CALIBRATION_IMAGES), (),
            )  # fmt: skip
            write_folder(folder, files, force=True)
            self._executed[key] = self._simulated(folder)
        return self._executed.get(key, ("", ""))

    def _simulated(self, folder: Path) -> tuple[Any, Any]:
        try:
            document = simulate(read_artifact(folder), BOARD, self._image).to_json()
        except ToolchainError as error:
            print(f"not counted: {error}", file=sys.stderr)
            self._count = False
            return "", ""
        if document["not_counted"]:
            print(f"not counted: {document['not_counted']}", file=sys.stderr)
        return document["instructions"] or "", document["mismatches"]


def monotone(rows: Sequence[dict[str, Any]], column: str) -> bool:
    """Whether more RAM never costs instructions; rows without a figure count as fine."""
    figures = [row[column] for row in rows if row[column] != ""]
    return all(more >= less for more, less in pairwise(figures))


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Instructions beyond those of the largest budget, in percent, against the budget."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    # The same figures give the same bytes, and text stays text.
    pyplot.rcParams.update({"svg.hashsalt": "squeeze2c", "svg.fonttype": "none"})
    figure, axes = pyplot.subplots(figsize=(8.5, 4.2))
    budgets = [row["ram_bytes"] / KIB for row in rows]
    styles: dict[str, dict[str, Any]] = {
        "executed_instructions": {"marker": "o", "color": "#1f6fb2", "label": "counted in QEMU"},
        "predicted_instructions": {"linestyle": "--", "color": "#c2571a", "label": "predicted"},
    }
    for column, style in styles.items():
        figures = [row[column] for row in rows]
        if "" not in figures:
            beyond = [100 * (f / figures[-1] - 1) for f in figures]
            axes.step(budgets, beyond, where="post", **style)
    axes.set_xscale("log", base=2)
    ticks = [48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]
    axes.set_xticks(ticks, [str(t) for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel("--ram, KiB (arena and stack)")
    axes.set_ylabel("instructions beyond the fastest, %")
    axes.set_title("SqueezeNet v1.1, 224x224, push input, Cortex-M4")
    axes.grid(color="#d9dee4")
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Exit code 1 where more RAM is slower, or bits differ from the oracle's."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--no-count", action="store_true", help="predict only")
    parser.add_argument("--no-history", action="store_true", help="do not record the figures")
    options = parser.parse_args(arguments)
    model = find_model(V11)
    if model is None:
        print(f"{V11}: no model here, skipped", file=sys.stderr)
        return 0
    artifact = compiled(V11, model, any_images(_CALIBRATION_IMAGES), TARGET)
    graph = load_graph(artifact.oracle_path)
    sweep = Sweep(graph, load_onnx(model), any_images(1), not options.no_count)
    stamped = stamp()
    rows = [{**stamped, **sweep.measure(budget)} for budget in sweep.budgets()]
    show("RAM budget against instructions", rows, skip=("date", "commit", "model"))
    if not options.no_history:
        print(f"added to {append('ram_sweep', rows)}")
        plot = HISTORY / "ram_sweep.svg"
        draw(rows, plot)
        print(f"drew {plot}")
    failed = [
        column for column in ("predicted_instructions", "executed_instructions")
        if not monotone(rows, column)
    ]  # fmt: skip
    if failed:
        print(f"more RAM is slower: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed) or any(row["mismatches"] for row in rows))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Squeeze2cError as error:
        sys.exit(f"ram_sweep: {error}")
