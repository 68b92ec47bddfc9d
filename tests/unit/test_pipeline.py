"""Compiling as a whole: what is refused early, and what the folder says."""

from __future__ import annotations

from pathlib import Path

import pytest

from squeeze2c.errors import DoesNotFitError, UnsupportedModelError, UsageError
from squeeze2c.pipeline import compile_model
from tests.support.onnx_models import OnnxBuilder, conv_chain, random_images, save
from tests.support.tools import require_tool

NOWHERE = Path("no") / "such" / "images"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(conv_chain(), tmp_path_factory.mktemp("model") / "chain.onnx")


@pytest.mark.parametrize(
    ("budget", "where"), [({"ram_bytes": 1500}, "--ram"), ({"flash_bytes": 100}, "--flash")]
)
def test_budgets_are_checked_before_calibration(
    model: Path, tmp_path: Path, budget: dict[str, int], where: str
) -> None:
    """The images do not even exist."""
    with pytest.raises(DoesNotFitError) as caught:
        compile_model(model, tmp_path / "out", calibration=NOWHERE, **budget)
    assert caught.value.where == where
    assert not (tmp_path / "out").exists()


def test_senseless_sizes_are_refused_at_once(tmp_path: Path) -> None:
    build = OnnxBuilder((1, 3, "H", "W"))
    output = build.classifier(build.input, 4)
    model = save(build.finish(output), tmp_path / "any.onnx")
    with pytest.raises(UnsupportedModelError, match="100,000 rows"):
        compile_model(
            model, tmp_path / "out", calibration=NOWHERE, input_shape=(1, 3, 100_000, 100_000)
        )


@pytest.mark.parametrize("name", ["string", "math", "float", "s2c_net", "9net", "Net"])
def test_names_that_c_has_taken(model: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot prefix C symbols"):
        compile_model(model, tmp_path / "out", calibration=NOWHERE, name=name)


def test_the_manifest_bounds_the_stack(model: Path, tmp_path: Path) -> None:
    require_tool("gcc")
    images = random_images(4, 16, 16)
    artifact = compile_model(model, tmp_path / "out", calibration=images)
    assert 64 < artifact.manifest["ram"]["stack_bound_bytes"] < 2048
