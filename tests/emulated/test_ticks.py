"""Timing of layers on a device: SysTick as the counter, beside exact counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from squeeze2c.emulate import simulate
from squeeze2c.emulate.firmware import FirmwareBuild
from squeeze2c.emulate.outcome import STATUS_NAMES
from squeeze2c.emulate.qemu import run_firmware
from squeeze2c.emulate.records import RecordKind, read_records
from squeeze2c.emulate.ticks import ICOUNT
from squeeze2c.emulate.toolchain import find_toolchain
from squeeze2c.export import Artifact
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.target import board_named, core_named
from tests.emulated.conftest import MakeArtifact

pytestmark = pytest.mark.emulated

DEFAULT_COUNTER = 1000
MAIN = Path(__file__).parent / "c" / "timed.c"
OVERHEAD_TICKS = 2
"""Where a step begins and ends within a tick, and what an empty one takes, to a tick each."""


def _run(artifact: Artifact, board_name: str, core_name: str, folder: Path) -> dict[int, int]:
    """Number to value of the records that the firmware of ``MAIN`` writes."""
    board, core = board_named(board_name), core_named(core_name)
    board_core = core_named(board.core)
    build = FirmwareBuild(
        artifact, board, core, board_core, find_toolchain(), folder, artifact.optimisation
    )
    build.measured()
    (folder / "timed").mkdir()
    sources = {f"timed/{s.stem}.o": s for s in (MAIN, *artifact.sources)}
    build._compile(sources, '-DS2C_HOOKS_HEADER="s2c_ticks.h"')
    harness = [
        name for name in build._objects()
        if name.startswith("harness/") and Path(name).stem not in ("main", "s2c_port_simulate")
    ]  # fmt: skip
    elf = build._link("timed", [*harness, *sources], board.flash)
    outcome = run_firmware(elf, board, np.zeros(0, np.uint8), 60, lambda: None, ICOUNT)
    assert outcome.exit_code == 0, outcome.console
    records = read_records(outcome.results)
    return {r.first: r.second for r in records if r.kind is RecordKind.TICKS}


@pytest.mark.parametrize(
    ("board", "target", "core"),
    [
        ("mps2-an385", "cortex-m0", "cortex-m0"),
        ("mps2-an385", "cortex-m3", "cortex-m3"),
        ("mps2-an386", "cortex-m4", "cortex-m4"),
    ],
)
def test_systick_times_layers(
    board: str, target: str, core: str, make_artifact: MakeArtifact, tmp_path: Path
) -> None:
    artifact = make_artifact(target, options=ScheduleOptions("layerwise", input_mode="frame"))
    records = _run(artifact, board, core, tmp_path)
    # The emulator has no cycle counter, a Cortex-M0 neither.
    assert STATUS_NAMES[records.pop(DEFAULT_COUNTER)] == "S2C_ERROR_ARGUMENT"
    blank = np.zeros((1, *artifact.input_shape), np.uint8)
    result = simulate(artifact, board, blank)
    assert result.counting == "plugin"
    assert records.keys() == set(range(len(result.layers)))
    for index, layer in enumerate(result.layers):
        assert layer.instructions is not None
        assert abs(records[index] - layer.instructions / 40) <= OVERHEAD_TICKS
