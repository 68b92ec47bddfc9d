"""Verification as a whole: what it finds, and what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squeeze2c.errors import ArtifactError, ShapeError, Squeeze2cError, UsageError
from squeeze2c.export import Artifact, read_artifact
from squeeze2c.frontend import ImageSet, Preprocess
from squeeze2c.host import HostModel
from squeeze2c.ir import load_graph
from squeeze2c.reference import evaluate_int
from squeeze2c.verification import VerifyReport, verify
from squeeze2c.verification.exact import ExactComparison
from squeeze2c.verification.metrics import kl_divergence
from tests.support.artifacts import compiled
from tests.support.onnx_builder import OnnxBuilder
from tests.support.onnx_models import (
    PIXEL_PREPROCESS,
    fire_net,
    random_images,
    run_onnxruntime,
    save,
)
from tests.support.tools import require_package, require_tool

require_package("onnxruntime")

ROWS, COLS, CLASSES, IMAGES = 25, 22, 7, 9
MODEL = fire_net(input_size=(ROWS, COLS), softmax=True)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    require_tool("gcc")
    folder = tmp_path_factory.mktemp("verify")
    return compiled(MODEL, folder, random_images(8, ROWS, COLS), PIXEL_PREPROCESS)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return random_images(IMAGES, ROWS, COLS, seed=5)


@pytest.fixture
def check(artifact: Artifact, build_dir: Path) -> Callable[..., VerifyReport]:
    def run(images: ImageSet | np.ndarray, of: Artifact = artifact, **options: Any) -> VerifyReport:
        return verify(
            of, images=images, compiler="gcc", flags=("-O1",), cache_dir=build_dir, **options
        )

    return run


def test_figures_are_those_of_their_definitions(
    check: Callable[..., VerifyReport], artifact: Artifact, images: np.ndarray, build_dir: Path
) -> None:
    labels = np.arange(IMAGES) % CLASSES
    report = check(images, labels=labels)

    batch = PIXEL_PREPROCESS.apply(images)
    tensors = run_onnxruntime(MODEL, batch, every_tensor=True)
    real = tensors["logits"].astype(np.float64)
    model = HostModel(artifact, compiler="gcc", flags=("-O1",), cache_dir=build_dir)
    traced = [model.run_layers(image) for image in images]
    integer = np.stack([t[artifact.layers[-1]["output"]] for t in traced])
    ours = integer * artifact.logit_scale

    assert report.images == IMAGES
    assert report.oracle_mismatches == 0 and report.exact and report.first_mismatch is None
    assert report.agreement == np.mean(real.argmax(axis=1) == integer.argmax(axis=1))
    assert report.real.top1 == np.mean(real.argmax(axis=1) == labels)
    assert report.integer.top1 == np.mean(integer.argmax(axis=1) == labels)
    best = np.argsort(-real, axis=1, kind="stable")[:, :5]
    assert report.real.top5 == np.mean((best == labels[:, None]).any(axis=1))
    assert report.mean_kl == pytest.approx(kl_divergence(real, ours).mean(), rel=1e-3)
    noise = np.square(real - ours).sum()
    assert report.logit_sqnr_db == pytest.approx(
        10 * np.log10(np.square(real).sum() / noise), abs=1e-3
    )

    graph = load_graph(artifact.oracle_path)
    assert len(report.layers) == len(artifact.layers) - 1
    assert [q.sqnr_db for q in report.layers] == sorted(q.sqnr_db for q in report.layers)
    for quality in report.layers:
        value = graph.values[quality.output]
        assert quality.onnx_tensor == value.source
        assert value.quant is not None
        expected = tensors[value.source].astype(np.float64)
        stored = np.stack([t[quality.output] for t in traced])
        error = expected - value.quant.dequantise(stored).transpose(0, 3, 1, 2)
        sqnr = 10 * np.log10(np.square(expected).sum() / np.square(error).sum())
        assert quality.sqnr_db == pytest.approx(sqnr, abs=1e-3), quality.name


def test_json_has_the_documented_keys(
    check: Callable[..., VerifyReport], images: np.ndarray
) -> None:
    found = json.loads(json.dumps(check(images, limit=3, labels=[0] * IMAGES).to_json()))
    assert found["images"] == 3
    assert set(found) == {
        "name", "reference", "compiler", "images", "float", "int", "agreement", "logit_sqnr_db",
        "mean_kl", "oracle_mismatches", "first_mismatch", "layers_reference", "layers",
    }  # fmt: skip
    assert set(found["float"]) == set(found["int"]) == {"top1", "top5"}
    assert set(found["layers"][0]) == {"index", "name", "output", "onnx_tensor", "sqnr_db"}
    assert found["reference"] == found["layers_reference"] == "onnxruntime"
    assert found["first_mismatch"] is None


def test_without_labels_top_k_is_null(
    check: Callable[..., VerifyReport], images: np.ndarray
) -> None:
    found = check(images[:2]).to_json()
    assert found["float"] == found["int"] == {"top1": None, "top5": None}
    json.dumps(found, allow_nan=False)


def test_labels_of_the_image_set_and_their_override(
    check: Callable[..., VerifyReport], images: np.ndarray
) -> None:
    names = tuple(f"{i}.png" for i in range(IMAGES))
    first = check(ImageSet(images, np.zeros(IMAGES, np.int64), names))
    best = check(images).to_json()
    assert first.real.top1 is not None and best["float"]["top1"] is None
    predicted = run_onnxruntime(MODEL, PIXEL_PREPROCESS.apply(images))["prob"].argmax(axis=1)
    override = check(ImageSet(images, np.zeros(IMAGES, np.int64), names), labels=predicted)
    assert override.real.top1 == 1.0


def test_progress_ends_with_all_images(
    check: Callable[..., VerifyReport], images: np.ndarray
) -> None:
    seen: list[tuple[str, int, int]] = []
    check(images, progress=lambda *step: seen.append(step))
    assert seen[0] == ("verifying", 0, IMAGES)
    assert seen[-1] == ("verifying", IMAGES, IMAGES)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_one_wrong_rounding_is_found_where_it_is(
    check: Callable[..., VerifyReport], artifact: Artifact, images: np.ndarray, tmp_path: Path
) -> None:
    """C whose third layer adds one to one channel's bias: the report points there."""
    layer = artifact.layers[2]
    folder = tmp_path / "copy"
    shutil.copytree(artifact.folder, folder)
    weights = folder / "net_weights.c"
    text = weights.read_text()
    start = text.index(f"{layer['name'].replace('/', '_')}_bias")
    brace = text.index("{", start) + 1
    stop = text.index(",", brace)
    changed = int(text[brace:stop]) + 2000
    weights.write_text(f"{text[:brace]}\n{changed}{text[stop:]}")

    names = tuple(f"photo {i}" for i in range(IMAGES))
    report = check(ImageSet(images, None, names), of=read_artifact(folder))
    assert not report.exact
    first = report.first_mismatch
    assert first is not None
    assert (first.image, first.layer) == ("photo 0", layer["name"])
    assert first.place[2] == 0 and first.generated > first.oracle
    assert layer["name"] in str(first)
    assert report.to_json()["first_mismatch"]["place"] == list(first.place)


def test_mismatches_are_counted_in_all_layers() -> None:
    layers = [{"name": name, "output": name} for name in ("a", "b")]
    oracle: dict[str, np.ndarray] = {"a": np.zeros((2, 2, 3), np.uint8), "b": np.zeros(4, np.int32)}
    ours = {name: array.copy() for name, array in oracle.items()}
    comparison = ExactComparison(layers)
    comparison.add("first", ours, oracle)
    assert (comparison.mismatches, str(comparison.first)) == (0, "None")
    ours["b"][3] = -7
    comparison.add("second", ours, oracle)
    ours["a"][1, 0, 2] = 5
    comparison.add("third", ours, oracle)
    assert comparison.mismatches == 3
    assert str(comparison.first) == ("image second, layer b, element [3]: C gives -7, the oracle 0")
    ours["a"] = ours["a"][:1]
    with pytest.raises(ArtifactError, match="layer a is uint8"):
        comparison.add("fourth", ours, oracle)


def test_an_oracle_of_another_network_is_refused(
    check: Callable[..., VerifyReport], artifact: Artifact, images: np.ndarray, tmp_path: Path
) -> None:
    other = compiled(
        fire_net(input_size=30), tmp_path, random_images(4, 30, 30), PIXEL_PREPROCESS, "other"
    )
    folder = tmp_path / "copy"
    shutil.copytree(artifact.folder, folder)
    shutil.copy(other.oracle_path, folder / "reference" / "oracle.npz")
    with pytest.raises(ArtifactError, match="another network"):
        check(images, of=read_artifact(folder))


def test_a_function_as_reference(
    check: Callable[..., VerifyReport], artifact: Artifact, images: np.ndarray
) -> None:
    """The oracle itself, dequantised: no difference at all is left."""
    graph = load_graph(artifact.oracle_path)
    logits = iter(evaluate_int(graph, images)[graph.output] * artifact.logit_scale)

    def exact(batch: np.ndarray) -> np.ndarray:
        return np.stack([next(logits) for _ in batch])

    report = check(images, reference=exact)
    assert report.agreement == 1.0
    assert report.mean_kl == 0.0
    assert report.reference == "exact"
    found = report.to_json()
    assert found["logit_sqnr_db"] is None or found["logit_sqnr_db"] > 200


@pytest.mark.parametrize(
    ("reference", "error", "message"),
    [
        (lambda x: np.full((len(x), CLASSES), 1 / CLASSES), UsageError, "returned probabilities"),
        (lambda x: np.zeros((len(x), CLASSES + 1)), ShapeError, "returned logits of shape"),
        (lambda x: np.zeros(()), ShapeError, "returned logits of shape"),
        (lambda x: np.full((len(x), CLASSES), np.nan), Exception, "not finite"),
    ],
)
def test_references_must_return_logits(
    check: Callable[..., VerifyReport],
    images: np.ndarray,
    reference: object,
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        check(images, reference=reference)


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        (lambda x: x[0], {}, ShapeError, "images have shape"),
        (lambda x: x[:, 1:], {}, ShapeError, "images have shape"),
        (lambda x: x.astype(np.float32), {}, ShapeError, "expected uint8"),
        (lambda x: x[:0], {}, UsageError, "no images"),
        (lambda x: x, {"limit": 0}, UsageError, "limit is 0"),
        (lambda x: x, {"labels": [1, 2]}, UsageError, "expected 9 integers"),
        (lambda x: x, {"labels": [0.5] * IMAGES}, UsageError, "expected 9 integers"),
        (lambda x: x, {"labels": [CLASSES] * IMAGES}, UsageError, "label 7 is none of the 7"),
        (lambda x: x, {"labels": [-1] * IMAGES}, UsageError, "label -1 is none of the 7"),
    ],
)
def test_wrong_arguments_are_refused(
    check: Callable[..., VerifyReport],
    images: np.ndarray,
    change: Callable[[np.ndarray], np.ndarray],
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        check(change(images), **options)


def test_pixels_as_they_are_of_one_channel(tmp_path: Path) -> None:
    """The preprocessing that compile assumes by default is made for three."""
    build = OnnxBuilder((1, 1, 9, 8))
    x = build.conv(build.input, 4, 3, gain=1 / 64)
    model = build.finish(build.classifier(x, 3))
    grey = random_images(4, 9, 8)[..., :1]
    artifact = compiled(model, tmp_path, grey, Preprocess())
    assert verify(artifact, images=grey, cache_dir=tmp_path).exact


def test_a_reference_that_reads_other_images(
    check: Callable[..., VerifyReport], images: np.ndarray, tmp_path: Path
) -> None:
    other = save(fire_net(input_size=(ROWS, COLS + 1)), tmp_path / "other.onnx")
    with pytest.raises(Squeeze2cError, match=r"cannot run the model on images \(3, 25, 22\)"):
        check(images, reference=other)
