"""Compiling with packed weights, from options to C that runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squeeze2c.cache import CACHE_VARIABLE
from squeeze2c.errors import AccuracyError, DoesNotFitError
from squeeze2c.export import Artifact
from squeeze2c.frontend import load_onnx, read_onnx
from squeeze2c.host import HostModel
from squeeze2c.ir import load_graph
from squeeze2c.packing import CalibrationLoss
from squeeze2c.passes import run_passes
from squeeze2c.pipeline import compile_model
from squeeze2c.reference import evaluate_float, evaluate_int
from squeeze2c.verification.metrics import LogitMeter
from tests.support.onnx_models import PIXEL_PREPROCESS, conv_chain, random_images, save

IMAGES = random_images(10, 16, 16)


class Compiler:
    """Compiles one small network, most of whose 35,000 weights are in two layers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = save(conv_chain((16, 48, 64), classes=6), folder / "net.onnx")

    def __call__(self, name: str, **options: Any) -> Artifact:
        return compile_model(
            self.model, self.folder / name, calibration=IMAGES, name="net",
            preprocess=PIXEL_PREPROCESS, force=True, **options,
        )  # fmt: skip


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    return Compiler(tmp_path_factory.mktemp("packed"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def contents(artifact: Artifact) -> dict[str, bytes]:
    files = (path for path in artifact.folder.rglob("*") if path.is_file())
    return {str(path.relative_to(artifact.folder)): path.read_bytes() for path in files}


def parameters(artifact: Artifact) -> int:
    return int(artifact.manifest["flash"]["parameters_bytes"])


def storages(artifact: Artifact) -> dict[str, str]:
    return {
        layer["name"]: layer["weights"]["storage"] for layer in artifact.layers if layer["weights"]
    }


def assert_exact(artifact: Artifact, build_dir: Path) -> None:
    oracle = load_graph(artifact.oracle_path)
    expected = evaluate_int(oracle, IMAGES[:2])
    with HostModel(artifact, flags=("-O1",), cache_dir=build_dir) as model:
        model.check_weights()
        for index, image in enumerate(IMAGES[:2]):
            for output, array in model.run_layers(image).items():
                np.testing.assert_array_equal(array, expected[output][index], output)


@pytest.mark.parametrize("budget", [9_000, 16_000])
def test_a_budget_for_packed_weights(budget: int, compiled: Compiler, build_dir: Path) -> None:
    artifact = compiled("budget", weights="packed", weights_budget_bytes=budget)
    assert 0.9 * budget < parameters(artifact) <= budget
    assert "packed" in storages(artifact).values()
    assert_exact(artifact, build_dir)


def test_the_manifest_says_how_weights_are_stored(compiled: Compiler) -> None:
    artifact = compiled("facts", weights="packed", weights_budget_bytes=12_000)
    manifest = artifact.manifest
    packed = [x["weights"] for x in artifact.layers if x["weights"]["storage"] == "packed"]
    assert packed
    for layer in artifact.layers:
        weights = layer["weights"]
        assert 0 < weights["bytes"] < layer["parameters_bytes"]
        if weights["storage"] == "packed":
            assert 0 < weights["bits_per_weight"] < 8
            assert weights["step"] > 0 and weights["expected_kl"] > 0
    expected = sum(x["expected_kl"] for x in packed)
    assert manifest["calibration"]["loss"]["expected_kl"] >= expected * (1 - 1e-9)
    flash = manifest["flash"]
    if flash["code_bytes"] is not None:
        assert flash["total_bytes"] == flash["code_bytes"] + flash["parameters_bytes"]


@pytest.mark.parametrize(
    "options", [{}, {"weights": "packed", "weights_budget_bytes": 12_000}], ids=["plain", "packed"]
)
def test_the_loss_is_that_of_the_oracle(options: dict[str, Any], compiled: Compiler) -> None:
    artifact = compiled("loss", **options)
    graph = run_passes(read_onnx(load_onnx(compiled.model), None), PIXEL_PREPROCESS)
    oracle = load_graph(artifact.oracle_path)
    meter = LogitMeter()
    meter.add(
        evaluate_float(graph, IMAGES)[graph.output], evaluate_int(oracle, IMAGES)[oracle.output],
        artifact.logit_scale, None,
    )  # fmt: skip
    loss = artifact.manifest["calibration"]["loss"]
    assert (loss["images"], loss["agreement"]) == (len(IMAGES), meter.agreement)
    assert loss["mean_kl"] == pytest.approx(meter.mean_kl, rel=1e-3, abs=1e-9)


def test_the_same_bytes_with_and_without_the_cache(compiled: Compiler, cache: Path) -> None:
    options: dict[str, Any] = {"weights": "packed", "weights_budget_bytes": 14_000}
    without = contents(compiled("a", cache=False, **options))
    assert not list(cache.glob("*.npz"))
    measured = contents(compiled("a", **options))
    kept = list(cache.glob("*.npz"))
    assert len(kept) == 1
    found = contents(compiled("a", **options))
    assert without == measured == found
    kept[0].write_bytes(b"damaged")
    assert contents(compiled("a", **options)) == without
    assert kept[0].stat().st_size > 1000


def test_auto_is_plain_where_plain_fits(compiled: Compiler) -> None:
    plain = contents(compiled("p", weights="plain"))
    assert contents(compiled("p")) == plain
    assert contents(compiled("p", weights_budget_bytes=60_000, flash_bytes=200_000)) == plain


def test_auto_packs_some_layers(compiled: Compiler, build_dir: Path) -> None:
    whole = parameters(compiled("whole"))
    artifact = compiled("some", weights_budget_bytes=whole - 9_000)
    assert parameters(artifact) <= whole - 9_000
    assert set(storages(artifact).values()) == {"plain", "packed"}
    largest = max(artifact.layers, key=lambda layer: layer["macs"])
    assert largest["weights"]["storage"] == "packed"
    assert_exact(artifact, build_dir)


def test_flash_holds_code_too(compiled: Compiler) -> None:
    artifact = compiled("code", weights="packed", target="cortex-m4", flash_bytes=50_000)
    flash = artifact.manifest["flash"]
    code = flash["code_bytes"]
    assert flash["parameters_bytes"] + (0 if code is None else code) <= 50_000


def test_nothing_but_entropy_coding(compiled: Compiler, build_dir: Path) -> None:
    artifact = compiled("fine", weights="packed")
    assert parameters(artifact) < parameters(compiled("whole"))
    assert artifact.manifest["calibration"]["loss"]["expected_kl"] is None
    assert_exact(artifact, build_dir)


def test_the_smallest_size_within_a_drop(compiled: Compiler, build_dir: Path) -> None:
    artifact = compiled("drop", weights="packed", max_drop_percent=20.0)
    assert artifact.manifest["calibration"]["loss"]["agreement"] >= 0.8
    assert parameters(artifact) < parameters(compiled("fine", weights="packed"))
    assert_exact(artifact, build_dir)


@pytest.mark.parametrize("weights", ["packed", "auto"])
def test_the_smallest_budget_that_is_named_works(weights: str, compiled: Compiler) -> None:
    with pytest.raises(DoesNotFitError, match="expected loss") as caught:
        compiled("small", weights=weights, weights_budget_bytes=2_000)
    needed = caught.value.needed_bytes
    assert caught.value.where == "--weights-budget"
    assert parameters(compiled("small", weights=weights, weights_budget_bytes=needed)) <= needed


def test_a_drop_that_a_budget_exceeds(
    compiled: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "squeeze2c.packing.store.calibration_loss", lambda logits: CalibrationLoss(10, 0.5, 0.1)
    )
    with pytest.raises(AccuracyError, match=r"50 % of 10 calibration images") as caught:
        compiled("bad", weights="packed", weights_budget_bytes=9_000, max_drop_percent=10.0)
    assert caught.value.where == "--max-drop"
    assert re.search(r"parameters of [\d,]+ bytes", str(caught.value))
    assert (caught.value.hint or "").startswith("allow more bytes; --weights packed without")
    assert not (compiled.folder / "bad").exists()


def test_plain_weights_may_exceed_the_drop_as_well(
    compiled: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "squeeze2c.packing.store.calibration_loss",
        lambda logits: CalibrationLoss(10, 0.9, 0.1),
    )
    with pytest.raises(AccuracyError, match="finest"):
        compiled("bad", max_drop_percent=5.0)
    assert parameters(compiled("good", max_drop_percent=10.0)) > 0
