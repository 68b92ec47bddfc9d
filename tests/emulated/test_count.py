"""Instruction counts: exact, repeatable, by another way and with a reason where they cannot be."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squeeze2c.emulate import SimulationResult, count, disassembly, simulate
from squeeze2c.emulate import ticks as ticks_module
from squeeze2c.errors import ToolchainError
from squeeze2c.export import Artifact
from squeeze2c.host.toolchain import HostCompiler
from squeeze2c.resources import runtime_dir
from squeeze2c.schedule import ScheduleOptions
from tests.emulated.conftest import MakeArtifact
from tests.emulated.edits import insert_at_end, replace_once

pytestmark = pytest.mark.emulated

MARK_OVERHEAD = 16
"""More instructions than a step and its marks need around the work."""
COUNT_OVERHEAD = 16
"""Instructions between a mark of the plugin and the clock's reading, at most."""
INTERRUPT = 8
"""Instructions that it takes to count one wrap of the clock, at most."""


@pytest.fixture(scope="module")
def counted(portable: Artifact, images: np.ndarray) -> SimulationResult:
    return simulate(portable, "mps2-an386", images[:1])


def test_layers_add_up_to_the_whole(counted: SimulationResult, portable: Artifact) -> None:
    assert counted.not_counted is None
    assert counted.instructions is not None
    each = [layer.instructions for layer in counted.layers]
    assert all(n is not None and n > 0 for n in each)
    rest = counted.instructions - sum(n or 0 for n in each)
    received = portable.manifest["input"]["rows"] * portable.manifest["input"]["row_bytes"]
    assert abs(rest) < MARK_OVERHEAD * portable.manifest["schedule"]["steps"] + 8 * received


def test_counts_are_the_first_images_in_every_run(
    counted: SimulationResult, portable: Artifact, images: np.ndarray
) -> None:
    again = simulate(portable, "mps2-an386", images)
    assert again.instructions == counted.instructions
    assert [x.instructions for x in again.layers] == [x.instructions for x in counted.layers]


def test_every_instruction_counts(make_artifact: MakeArtifact, images: np.ndarray) -> None:
    """A loop of two instructions, 1000 and 4001 times."""

    def count_with_loop(iterations: int) -> int:
        loop = (
            f"uint32_t n = {iterations}u; "
            r'__asm__ volatile("1:\n\tsubs %0, %0, #1\n\tbne 1b" : "+r"(n) : : "cc");'
        )
        artifact = make_artifact("cortex-m4", edit=insert_at_end(loop))
        result = simulate(artifact, "mps2-an386", images[:1])
        assert result.mismatches == 0
        assert result.instructions is not None
        return result.instructions

    assert count_with_loop(4001) - count_with_loop(1000) == 2 * 3001


def test_a_whole_image_counts_as_the_same_image_pushed(
    counted: SimulationResult, make_artifact: MakeArtifact, images: np.ndarray
) -> None:
    """All calls of push_rows add up; rows are only copied besides."""
    frame = make_artifact(options=ScheduleOptions(input_mode="frame"))
    whole = simulate(frame, "mps2-an386", images[:1])
    assert whole.instructions is not None and counted.instructions is not None
    assert whole.instructions < counted.instructions < 1.01 * whole.instructions


def test_layers_are_profiled(counted: SimulationResult) -> None:
    """Functions, classes and parts of a layer each add up to its instructions."""
    assert (counted.counting, counted.granularity, counted.not_profiled) == ("plugin", 1.0, None)
    for layer in counted.layers:
        profile = layer.profile
        assert profile is not None and layer.kernel
        assert sum(profile.classes.values()) == layer.instructions
        assert sum(profile.parts.values()) == layer.instructions
        assert profile.cycles.keys() == {"cortex-m4", "cortex-m7"}
        assert profile.cycles["cortex-m4"] > layer.instructions
        kernel = next(f for f in profile.functions if f.name == layer.kernel)
        assert kernel.part == "product"
        assert kernel.classes["load"] > 0 and kernel.classes["branch"] > 0


@pytest.mark.parametrize(
    ("board", "target", "model"),
    [
        ("mps2-an385", "cortex-m0", "cortex-m0"),
        ("mps2-an385", "host", "cortex-m3"),
        ("mps2-an500", "host", "cortex-m7"),
        ("mps2-an505", "host", "cortex-m4"),
        ("mps3-an547", "host", "cortex-m55"),
        ("stm32f405", "cortex-m4", "cortex-m4"),
    ],
)
def test_every_core_is_counted_both_ways(
    board: str,
    target: str,
    model: str,
    make_artifact: MakeArtifact,
    images: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counts by SysTick agree with exact ones to a tick per step, whatever the board's clock."""
    artifact = make_artifact(target, options=ScheduleOptions("layerwise", input_mode="frame"))
    exact = simulate(artifact, board, images[:1])
    assert exact.counting == "plugin" and exact.mismatches == 0
    assert exact.profile is not None
    assert next(iter(exact.profile.cycles)) == model
    # Nothing but IT and NOP.
    assert exact.profile.classes.get("other", 0) < 0.05 * exact.profile.instructions
    _without_plugin(monkeypatch)
    ticks = simulate(artifact, board, images[:1])
    _check_agreement(exact, ticks)


def _check_agreement(exact: SimulationResult, ticks: SimulationResult, more: int = 0) -> None:
    assert ticks.counting == "icount" and ticks.mismatches == 0
    assert ticks.granularity is not None and 1 < ticks.granularity < 64
    assert exact.instructions is not None and ticks.instructions is not None
    close = ticks.granularity + COUNT_OVERHEAD + more
    for one, other in zip(exact.layers, ticks.layers, strict=True):
        assert one.instructions is not None and other.instructions is not None
        assert abs(one.instructions - other.instructions) <= close
    assert abs(exact.instructions - ticks.instructions) <= close


def _without_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(*_: Any, **__: Any) -> HostCompiler:
        raise ToolchainError("C compiler 'cc' is not installed")

    monkeypatch.setattr(HostCompiler, "find", find)


def test_no_compiler_for_this_machine(
    counted: SimulationResult,
    portable: Artifact,
    images: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Many short steps, each of which is off by a tick at most; ticks have 40 instructions here."""
    _without_plugin(monkeypatch)
    result = simulate(portable, "mps2-an386", images[:1])
    assert result.mismatches == 0
    assert (result.counting, result.granularity, result.profile) == ("icount", 40.0, None)
    assert result.not_counted is None
    assert "'cc' is not installed" in str(result.no_plugin)
    assert result.instructions is not None and counted.instructions is not None
    steps = portable.manifest["schedule"]["steps"]
    for one, other in zip(counted.layers, result.layers, strict=True):
        assert one.instructions is not None and other.instructions is not None
        assert abs(one.instructions - other.instructions) <= 40 * steps
    assert abs(result.instructions - counted.instructions) <= 40 * steps


def test_the_clock_wraps_within_a_layer(
    make_artifact: MakeArtifact, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """24 bits at 168 MHz are a hundred million instructions; the loop takes three times that."""
    loop = (
        "if (layer == 0u) { uint32_t n = 150000000u; "
        r'__asm__ volatile("1:\n\tsubs %0, %0, #1\n\tbne 1b" : "+r"(n) : : "cc"); }'
    )
    end = "S2C_ON_LAYER_END(layer);"
    artifact = make_artifact(
        "cortex-m4",
        options=ScheduleOptions("layerwise", input_mode="frame"),
        edit=replace_once(end, f"{loop} {end}"),
    )
    exact = simulate(artifact, "stm32f405", images[:1])
    assert exact.counting == "plugin"
    assert exact.instructions is not None and exact.instructions > 300_000_000
    _without_plugin(monkeypatch)
    _check_agreement(exact, simulate(artifact, "stm32f405", images[:1]), 3 * INTERRUPT)


def test_objdump_is_missing(
    portable: Artifact, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disassembly, "DISASSEMBLER", "no-such-objdump")
    result = simulate(portable, "mps2-an386", images[:1])
    assert result.counting == "plugin" and result.instructions is not None
    assert result.profile is None
    assert result.not_profiled == (
        "disassembly: no-such-objdump is not installed (apt install binutils-arm-none-eabi)"
    )


def test_blocks_do_not_add_up(
    portable: Artifact, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no profile then, but all the rest of the result."""
    simulation = sys.modules[simulate.__module__]
    read = simulation.read_blocks
    monkeypatch.setattr(simulation, "read_blocks", lambda path: read(path)[1:])
    result = simulate(portable, "mps2-an386", images[:1])
    assert result.counting == "plugin" and result.instructions is not None
    assert result.mismatches == 0 and result.profile is None
    assert "were counted" in str(result.not_profiled)


def test_qemu_refuses_the_plugin(
    portable: Artifact, images: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = runtime_dir() / "port" / "plugin" / "s2c_count_plugin.c"
    copy = tmp_path / source.relative_to(runtime_dir())
    copy.parent.mkdir(parents=True)
    version = "qemu_plugin_version = 1;"
    text = source.read_text(encoding="utf-8")
    assert version in text
    copy.write_text(text.replace(version, "qemu_plugin_version = 1000;"), encoding="utf-8")
    monkeypatch.setattr(count, "runtime_dir", lambda: tmp_path)
    result = simulate(portable, "mps2-an386", images[:1])
    assert result.counting == "icount"
    assert "plugin" in str(result.no_plugin)


def test_neither_plugin_nor_clock(
    portable: Artifact, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_plugin(monkeypatch)
    monkeypatch.setattr(ticks_module, "ICOUNT", ("-icount", "shift=nonsense"))
    result = simulate(portable, "mps2-an386", images[:1])
    assert result.mismatches == 0
    assert result.instructions is None and result.counting is None
    assert {layer.instructions for layer in result.layers} == {None}
    assert "'cc' is not installed" in str(result.not_counted)
    assert result.to_json()["not_counted"] == result.not_counted
