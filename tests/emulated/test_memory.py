"""Boards that are too small say by how many bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from squeeze2c.emulate import simulate
from squeeze2c.emulate.firmware import FirmwareBuild
from squeeze2c.emulate.toolchain import find_toolchain
from squeeze2c.errors import DoesNotFitError
from squeeze2c.export import Artifact
from squeeze2c.ir import Graph
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.target import BOARDS, Region, core_named
from tests.emulated.conftest import MakeArtifact
from tests.support.programs import camera_builder, quantised, random_images

pytestmark = pytest.mark.emulated

KIB = 1024


@pytest.fixture(scope="session")
def wide_image() -> Graph:
    """A network whose image alone is larger than the RAM of an STM32F405."""
    build = camera_builder(240, 200)
    x = build.conv(build.input, 2, kernel=3, stride=8, relu=True, name="stem")
    return quantised(build.finish(build.conv(x, 2, global_pool=True, name="end")), images=2)


@pytest.fixture(scope="session")
def heavy_weights() -> Graph:
    """A network with more than 512 KB of weights and little else."""
    build = camera_builder(4, 4)
    x = build.conv(build.input, 96, kernel=4, relu=True, name="stem")
    return quantised(build.finish(build.conv(x, 5600, global_pool=True, name="end")), images=2)


def test_too_little_ram(
    wide_image: Graph, make_artifact: MakeArtifact, tmp_path: Path
) -> None:
    artifact = make_artifact(graph=wide_image, options=ScheduleOptions(input_mode="frame"))
    error = _refused(artifact, wide_image, "stm32f405")
    assert (error.what, error.available_bytes) == ("the firmware's RAM", 128 * KIB)
    assert error.needed_bytes == _needed(artifact, "stm32f405", tmp_path, ram_bytes=1 << 20)
    assert f"{error.needed_bytes - 128 * KIB:,} bytes too many" in str(error)
    assert f"arena {artifact.manifest['ram']['arena_bytes']:,} bytes" in str(error)
    assert f"image {240 * 200 * 3:,} bytes" in str(error)


def test_a_pushed_image_needs_no_more_than_a_row(
    wide_image: Graph, make_artifact: MakeArtifact
) -> None:
    artifact = make_artifact(graph=wide_image)
    images = random_images(wide_image, 2)
    result = simulate(artifact, "stm32f405", images, count_instructions=False)
    assert result.mismatches == 0
    assert result.memory.frame_bytes == 200 * 3
    assert result.memory.ram_bytes < 16 * KIB


def test_too_little_flash(
    heavy_weights: Graph, make_artifact: MakeArtifact, tmp_path: Path
) -> None:
    """Fits an STM32F405 with its megabyte, but not an STM32F446."""
    artifact = make_artifact(graph=heavy_weights)
    error = _refused(artifact, heavy_weights, "stm32f446")
    assert (error.what, error.available_bytes) == ("the firmware's flash", 512 * KIB)
    assert error.needed_bytes == _needed(artifact, "stm32f446", tmp_path, flash_bytes=1 << 20)
    assert f"parameters {artifact.manifest['flash']['parameters_bytes']:,} bytes" in str(error)
    result = simulate(artifact, "stm32f405", random_images(heavy_weights, 1))
    assert result.mismatches == 0


def test_both_are_reported(
    heavy_weights: Graph, make_artifact: MakeArtifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(BOARDS["stm32f446"], ram=Region("RAM", "ram", 0x2000_0000, 4 * KIB))
    monkeypatch.setitem(BOARDS, "stm32f446", replace(small, bulk=small.ram))
    error = _refused(make_artifact(graph=heavy_weights), heavy_weights, "stm32f446")
    assert error.what == "the firmware's flash"
    assert "its RAM needs" in str(error)


def test_hooks_may_use_flash_that_only_the_emulator_has(
    portable: Artifact, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Firmware that fills the board to the last bytes can still be traced."""
    board = BOARDS["stm32f446"]
    used = simulate(portable, board.name, images[:1]).memory.flash_bytes
    full = replace(board, flash=replace(board.flash, size_bytes=used + 32))
    monkeypatch.setitem(BOARDS, board.name, full)
    result = simulate(portable, board.name, images[:1])
    assert (result.mismatches, result.not_counted) == (0, None)
    monkeypatch.setitem(BOARDS, board.name, replace(full, emulated_flash_bytes=None))
    with pytest.raises(DoesNotFitError, match="the trace build's flash"):
        simulate(portable, board.name, images[:1])


def _refused(artifact: Artifact, graph: Graph, board: str) -> DoesNotFitError:
    with pytest.raises(DoesNotFitError) as caught:
        simulate(artifact, board, random_images(graph, 1))
    return caught.value


def _needed(
    artifact: Artifact,
    name: str,
    folder: Path,
    *,
    ram_bytes: int | None = None,
    flash_bytes: int | None = None,
) -> int:
    """What the linker places in the region that is enlarged to so many bytes."""
    board = BOARDS[name]
    if ram_bytes:
        ram = replace(board.ram, size_bytes=ram_bytes)
        board, region = replace(board, ram=ram, bulk=ram), ram
    else:
        assert flash_bytes
        region = replace(board.flash, size_bytes=flash_bytes)
        board = replace(board, flash=region)
    core = core_named(board.core)
    toolchain = find_toolchain()
    build = FirmwareBuild(artifact, board, core, core, toolchain, folder, artifact.optimisation)
    with build.measured().open("rb") as stream:
        ends = [
            header["p_vaddr"] + header["p_memsz"] - region.origin
            for header in ELFFile(stream).iter_segments("PT_LOAD")
            if region.origin <= header["p_vaddr"] < region.end
        ]
    return int(np.max(ends))
