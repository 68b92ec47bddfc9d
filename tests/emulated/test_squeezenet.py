"""SqueezeNet v1.1 at 224 x 224, pushed row by row, on a board with 128 KB of RAM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from squeeze2c.emulate import simulate
from squeeze2c.errors import DoesNotFitError
from squeeze2c.export import Artifact
from squeeze2c.frontend import LoadedModel, Preprocess, read_onnx
from squeeze2c.lower import pack_weights
from squeeze2c.passes import run_passes
from squeeze2c.schedule import ScheduleOptions
from tests.emulated.conftest import MakeArtifact
from tests.support.artifacts import compiled
from tests.support.integer_graphs import with_random_integers
from tests.support.onnx_models import PIXEL_PREPROCESS, random_images, squeezenet

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

BOARD = "stm32f405"
KIB = 1024
SIZE = 224


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return random_images(1, SIZE, SIZE, seed=3)


def _compiled(folder: Path, classes: int) -> Artifact:
    return compiled(
        squeezenet("1.1", classes=classes), folder, random_images(2, SIZE, SIZE),
        PIXEL_PREPROCESS, target="cortex-m4",
    )  # fmt: skip


def test_ten_classes_run_in_128_kb(tmp_path: Path, images: np.ndarray) -> None:
    """The MPU forbids what the board does not have."""
    artifact = _compiled(tmp_path, 10)
    assert artifact.push
    result = simulate(artifact, BOARD, images)
    assert result.mismatches == 0
    memory = result.memory
    assert memory.frame_bytes == SIZE * 3
    assert memory.arena_bytes == artifact.manifest["ram"]["arena_bytes"] <= 56 * KIB
    assert result.stack_bound_bytes is not None
    assert memory.model_stack_bytes <= result.stack_bound_bytes <= 2048
    assert memory.ram_bytes < 64 * KIB
    predicted = artifact.manifest["schedule"]["predicted_instructions"]
    assert predicted == pytest.approx(result.instructions, rel=0.01)


def test_a_thousand_classes_are_too_much_for_its_flash(tmp_path: Path, images: np.ndarray) -> None:
    artifact = _compiled(tmp_path, 1000)
    with pytest.raises(DoesNotFitError) as caught:
        simulate(artifact, BOARD, images)
    error = caught.value
    assert (error.what, error.available_bytes) == ("the firmware's flash", 1024 * KIB)
    assert error.needed_bytes > artifact.manifest["flash"]["parameters_bytes"] > 1_200_000
    assert f"{error.needed_bytes - error.available_bytes:,} bytes too many" in str(error)


def test_packed_a_thousand_classes_run_in_512_kb_of_flash(
    make_artifact: MakeArtifact, images: np.ndarray
) -> None:
    """Every weight of every layer decoded on the board, in 128 KB of RAM."""
    loaded = LoadedModel(Path("net.onnx"), "0" * 64, squeezenet("1.1"))
    graph = run_passes(read_onnx(loaded), Preprocess())
    integer = with_random_integers(graph, seed=2, packable=True)
    packed = pack_weights(integer)
    assert len(packed) == 26
    options = ScheduleOptions(ram_bytes=122 * KIB)
    artifact = make_artifact("cortex-m4", graph=integer, options=options, packed=packed)
    result = simulate(artifact, "stm32f446", images)
    assert result.mismatches == 0
    assert result.memory.flash_bytes < 512 * KIB
    assert result.memory.ram_bytes < 128 * KIB
    assert result.memory.model_stack_bytes <= (result.stack_bound_bytes or 0)
    predicted = artifact.manifest["schedule"]["predicted_instructions"]
    assert predicted == pytest.approx(result.instructions, rel=0.01)
