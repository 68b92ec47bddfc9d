"""Instruction counts: exact, repeatable, and absent with a reason where they cannot be had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squeeze2c.emulate import SimulationResult, count, simulate
from squeeze2c.errors import ToolchainError
from squeeze2c.export import Artifact
from squeeze2c.host.toolchain import HostCompiler
from squeeze2c.resources import runtime_dir
from squeeze2c.schedule import ScheduleOptions
from tests.emulated.conftest import MakeArtifact
from tests.emulated.edits import insert_at_end

pytestmark = pytest.mark.emulated

MARK_OVERHEAD = 16
"""More instructions than a step and its marks need around the work."""


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


def test_no_compiler_for_this_machine(
    portable: Artifact, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(*_: Any, **__: Any) -> HostCompiler:
        raise ToolchainError("C compiler 'cc' is not installed")

    monkeypatch.setattr(HostCompiler, "find", find)
    _check_not_counted(simulate(portable, "mps2-an386", images[:1]), "'cc' is not installed")


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
    _check_not_counted(simulate(portable, "mps2-an386", images[:1]), "plugin")


def _check_not_counted(result: SimulationResult, reason: str) -> None:
    assert result.mismatches == 0
    assert result.instructions is None
    assert {layer.instructions for layer in result.layers} == {None}
    assert reason in str(result.not_counted)
    assert result.to_json()["not_counted"] == result.not_counted
