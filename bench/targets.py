"""What the project aims at, measured: one table of instructions, code and time.

Every network is compiled, run for one image on an emulated core and compared with the oracle in
every byte. Exit code 1 where a byte differs or an aim is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cmsis_nn
import host_speed
from common import (
    BUILD,
    CHECKOUT,
    PREPROCESS,
    V10,
    V11,
    any_images,
    append,
    append_to,
    find_model,
    show,
    stamp,
)

from squeeze2c.emulate import SimulationResult, simulate
from squeeze2c.emulate.elf import files_of_static_functions, read_elf
from squeeze2c.emulate.profile import part_of
from squeeze2c.errors import Squeeze2cError
from squeeze2c.export import Artifact
from squeeze2c.pipeline import compile_model
from squeeze2c.target import KIB

HISTORY_FILE = CHECKOUT / "bench" / "history.csv"
BOARDS = {
    "cortex-m0": "mps2-an385",
    "cortex-m3": "mps2-an385",
    "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500",
    "cortex-m55": "mps3-an547",
}
MILLION = 1e6
HOST_ROUNDS = 30
_CALIBRATION_IMAGES = 4
_INSTRUCTIONS, _BYTES, _RATIO = "M instr.", "bytes", "times"


@dataclass(frozen=True, slots=True)
class Case:
    """A network as it is compiled. ``more``: further options of ``compile_model``."""

    model: str
    target: str
    ram_kib: int
    weights: str = "plain"
    more: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """A case that was compiled and run; ``elf``: its firmware as it would ship."""

    artifact: Artifact
    result: SimulationResult
    elf: Path


@dataclass(frozen=True, slots=True)
class Aim:
    """``measure`` of ``case`` shall be ``at_most`` so many units, better still ``stretch``.

    ``baseline``: what CMSIS-NN takes, a number or words; None where nobody knows.
    """

    what: str
    case: Case
    measure: Callable[[Measured], float]
    at_most: float
    stretch: float | None = None
    baseline: float | str | None = None
    unit: str = _INSTRUCTIONS


def _whole(run: Measured) -> float:
    return (run.result.instructions or 0) / MILLION


def _layer(name: str) -> Callable[[Measured], float]:
    return lambda run: _sum(run, lambda layer: bool(layer["name"] == name))


def _pools(run: Measured) -> float:
    return _sum(run, lambda layer: "MaxPool" in layer["kind"])


def _sum(run: Measured, wanted: Callable[[Mapping[str, Any]], bool]) -> float:
    layers = zip(run.artifact.layers, run.result.layers, strict=True)
    return sum((result.instructions or 0) for layer, result in layers if wanted(layer)) / MILLION


def _kernel_code(run: Measured) -> float:
    """Code of the runtime that the linker kept: kernels and what they call."""
    files = files_of_static_functions(run.elf)
    sizes = (
        size
        for address, size, name in read_elf(run.elf).functions
        if part_of(files.get(address, name)) != "other" and name != "s2c_ticks_systick_interrupt"
    )
    return sum(sizes)


M4_256K = Case(V11, "cortex-m4", 256)
SMALL = Case(V11, "cortex-m4", 256, more=(("optimize", "size"),))
PACKED = Case(V11, "cortex-m4", 128, "packed", (("weights_budget_bytes", 480_000),))

# The performance that the project aims at, and the only place where it says so. The slowest last.
AIMS = (
    Aim("whole", M4_256K, _whole, 290, 230, cmsis_nn.V11_M4),
    Aim("max-pools", M4_256K, _pools, 4, None, cmsis_nn.POOLS_V11_M4),
    Aim("conv1", M4_256K, _layer("conv1"), 30, None, cmsis_nn.LAYERS_V11_M4["conv1"]),
    Aim("conv10", M4_256K, _layer("conv10"), 90, None, cmsis_nn.LAYERS_V11_M4["conv10"]),
    Aim("kernel code", M4_256K, _kernel_code, 24 * KIB, None, cmsis_nn.CODE_BYTES, _BYTES),
    Aim("kernel code", SMALL, _kernel_code, 12 * KIB, None, cmsis_nn.CODE_BYTES, _BYTES),
    Aim("whole", Case(V11, "cortex-m4", 64), _whole, 340, 290, cmsis_nn.NO_FIT),
    Aim("whole", Case(V11, "cortex-m7", 256), _whole, 290, None, cmsis_nn.V11_M7),
    Aim("whole", Case(V11, "cortex-m3", 256), _whole, 450, 340, cmsis_nn.V11_M3),
    Aim("whole", Case(V11, "cortex-m0", 256), _whole, 1000, 800),
    Aim("whole", Case(V11, "cortex-m55", 256), _whole, 60, 45, cmsis_nn.V11_M55),
    Aim("whole", Case(V10, "cortex-m4", 256), _whole, 620, 480, cmsis_nn.V10_M4),
    Aim("whole", PACKED, _whole, 390, 330, cmsis_nn.NO_FIT),
)
HOST_AT_MOST, HOST_STRETCH = 1.3, 1.0
"""Time of generated C on this machine, in times of ONNX Runtime's for the float network."""


def run_case(case: Case, model: Path) -> Measured:
    """Compile, run, compare."""
    more = "".join(f"_{value}" for _, value in case.more)
    name = f"{case.model}_{case.target}_{case.ram_kib}k_{case.weights}{more}"
    artifact = compile_model(
        model, BUILD / "targets" / name, calibration=any_images(_CALIBRATION_IMAGES),
        name=case.model, preprocess=PREPROCESS, target=case.target,
        ram_bytes=case.ram_kib * KIB, weights=case.weights, force=True, **dict(case.more),
    )  # fmt: skip
    work = BUILD / "targets" / f"{name}_firmware"
    result = simulate(artifact, BOARDS[case.target], any_images(1), work_dir=work)
    return Measured(artifact, result, work / "measured" / "firmware.elf")


def row_of(aim: Aim, run: Measured) -> dict[str, Any]:
    """A row of the table."""
    case, result = aim.case, run.result
    measured = aim.measure(run)
    row = {
        "what": aim.what, "model": case.model, "target": case.target, "ram_kib": case.ram_kib,
        "weights": _weights(case), "unit": aim.unit, "measured": _figure(measured),
        "at_most": aim.at_most, "stretch": aim.stretch or "",
        "verdict": _verdict(measured, aim.at_most, aim.stretch),
        "cmsis_nn": _figure(aim.baseline) if isinstance(aim.baseline, float | int)
        else aim.baseline or "-",
        "times_fewer": f"{aim.baseline / measured:.2f}"
        if isinstance(aim.baseline, float | int) and measured and aim.unit != _BYTES else "",
        "estimated_mcycles": "", "predicted": "", "error_percent": "",
        "mismatches": result.mismatches,
    }  # fmt: skip
    if aim.measure is _whole:
        cycles = result.profile.cycles if result.profile is not None else {}
        predicted = run.artifact.manifest["schedule"]["predicted_instructions"] / MILLION
        if cycles:
            row["estimated_mcycles"] = f"{next(iter(cycles.values())) / MILLION:.1f}"
        row["predicted"] = f"{predicted:.2f}"
        row["error_percent"] = f"{100 * (predicted / measured - 1):+.2f}" if measured else ""
    return row


def _weights(case: Case) -> str:
    options = " ".join(str(value) for _, value in case.more)
    return f"{case.weights} {options}".strip()


def _figure(value: float) -> str:
    return f"{value:.2f}" if value < 5000 else f"{value:.0f}"


def _verdict(measured: float, at_most: float, stretch: float | None) -> str:
    if not 0 < measured <= at_most:
        return "MISSED"
    return "stretch" if stretch is not None and measured <= stretch else "met"


def layer_rows(case: Case, run: Measured) -> list[dict[str, Any]]:
    """Every layer beside CMSIS-NN's of the same name, where that is known."""
    rows = []
    for layer in run.result.layers:
        executed = layer.instructions or 0
        v11_on_m4 = case.model == V11 and case.target == "cortex-m4"
        other = cmsis_nn.LAYERS_V11_M4.get(layer.name) if v11_on_m4 else None
        rows.append(
            {
                "model": case.model, "target": case.target, "ram_bytes": case.ram_kib * KIB,
                "layer": layer.name, "kernel": layer.kernel,
                "macs_m": f"{layer.macs / MILLION:.2f}",
                "executed_m": f"{executed / MILLION:.3f}", "cmsis_nn_m": other or "",
                "times_fewer": f"{other * MILLION / executed:.1f}" if other and executed else "",
            }
        )  # fmt: skip
    return rows


def host_row(model: Path, rounds: int) -> dict[str, Any]:
    """Generated C beside ONNX Runtime on this machine, in turns."""
    figures = host_speed.measure(V11, model, any_images(16), rounds, "cc")
    ratio = float(figures["ratio"])
    return {
        "what": "time of ONNX Runtime's", "model": V11, "target": "host", "ram_kib": "",
        "weights": "plain", "unit": _RATIO, "measured": f"{ratio:.2f}", "at_most": HOST_AT_MOST,
        "stretch": HOST_STRETCH, "verdict": _verdict(ratio, HOST_AT_MOST, HOST_STRETCH),
        "cmsis_nn": "-", "times_fewer": "", "estimated_mcycles": "", "predicted": "",
        "error_percent": "", "mismatches": 0,
    }  # fmt: skip


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the history as it is printed, narrower."""
    ram = f", {row['ram_kib']}K" if row["ram_kib"] else ""
    goal = f" ({row['stretch']:g})" if row["stretch"] else ""
    core = row["target"].removeprefix("cortex-").upper() if ram else row["target"]
    return {
        "model": f"{row['model'].removeprefix('squeezenet_')}, {core}{ram}, {row['weights']}",
        "what": row["what"], "measured": row["measured"],
        "at_most": f"{row['at_most']:g}{goal} {row['unit']}", "verdict": row["verdict"],
        "CMSIS-NN": row["cmsis_nn"], "times_fewer": row["times_fewer"],
        "est. Mcycles": row["estimated_mcycles"], "predicted": row["predicted"],
        "error_%": row["error_percent"], "mismatches": row["mismatches"],
    }  # fmt: skip


def measured_rows(
    aims: Sequence[Aim], layers: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Rows of all ``aims`` that can be measured here; appends those of layers to ``layers``."""
    runs: dict[Case, Measured] = {}
    for aim in aims:
        case = aim.case
        model = find_model(case.model)
        if model is None:
            print(f"{aim.what} of {case.model}, {case.target}: no model, skipped", file=sys.stderr)
            continue
        if case not in runs:
            print(f"{case.model}, {case.target}, {case.ram_kib}K ...", file=sys.stderr)
            runs[case] = run_case(case, model)
            layers += layer_rows(case, runs[case])
        yield row_of(aim, runs[case])


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Exit code 1 where a byte differs or an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--no-history", action="store_true", help="do not record the figures")
    parser.add_argument(
        "--no-packed", action="store_true", help="leave out packed weights, which take minutes"
    )
    parser.add_argument("--no-host", action="store_true", help="do not time code on this machine")
    parser.add_argument(
        "--only", metavar="CORE", help="measure aims on this core alone, such as cortex-m4"
    )
    parser.add_argument("--layers", action="store_true", help="print every layer too")
    options = parser.parse_args(arguments)
    aims = [
        aim for aim in AIMS
        if not (options.no_packed and aim.case.weights == "packed")
        and options.only in (None, aim.case.target)
    ]  # fmt: skip
    stamped = stamp()
    layers: list[dict[str, Any]] = []
    rows = list(measured_rows(aims, layers))
    model = find_model(V11)
    if model is not None and not options.no_host and options.only in (None, "host"):
        rows.append(host_row(model, HOST_ROUNDS))
    if not rows:
        return 0
    rows = [{**stamped, **row} for row in rows]
    if options.layers and layers:
        show("layers, beside CMSIS-NN", layers)
    show("aims; CMSIS-NN beside them; cycles are estimates of a model", [*map(_shown, rows)])
    if not options.no_history:
        print(f"added to {append_to(HISTORY_FILE, rows)}")
        if layers:
            append("kernel_layers", [{**stamped, **layer} for layer in layers])
    failed = [row for row in rows if row["verdict"] == "MISSED" or row["mismatches"]]
    for row in failed:
        print(f"missed: {row['what']} of {row['model']}, {row['target']}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Squeeze2cError as error:
        sys.exit(f"targets: {error}")
