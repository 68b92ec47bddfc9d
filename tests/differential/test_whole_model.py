"""SqueezeNet v1.1 at its full size: bits everywhere, and accuracy where there are images for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from squeeze2c.export import Artifact
from squeeze2c.frontend import Preprocess
from squeeze2c.host import HostModel
from squeeze2c.ir import load_graph
from squeeze2c.reference import evaluate_int
from squeeze2c.verification import verify
from tests.support.artifacts import compiled
from tests.support.onnx_models import random_images
from tests.support.tools import require_package, require_tool

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("compiler", "flags"),
    [("gcc", ("-O2",)), ("gcc", ("-O3", "-march=native")), ("clang", ("-O3", "-march=native"))],
)
def test_every_byte(
    compiler: str, flags: tuple[str, ...], v11_artifact: Artifact, build_dir: Path
) -> None:
    require_tool(compiler)
    images = random_images(2, 224, 224, seed=3)
    oracle = evaluate_int(load_graph(v11_artifact.oracle_path), images)
    with HostModel(v11_artifact, compiler=compiler, flags=flags, cache_dir=build_dir) as model:
        for index, image in enumerate(images):
            traced = model.run_layers(image)
            assert len(traced) == len(v11_artifact.layers) == 29
            for output, array in traced.items():
                np.testing.assert_array_equal(array, oracle[output][index], output)
            np.testing.assert_array_equal(model.run(image), traced[output])
        model.check_weights()


def test_size(v11_artifact: Artifact) -> None:
    """What the network is known to need: its multiplications, weights and largest maps."""
    manifest = v11_artifact.manifest
    fires = {2: 55, 3: 55, 4: 27, 5: 27, 6: 13, 7: 13, 8: 13, 9: 13}
    inputs, macs = 64, 111 * 111 * 64 * 27
    for index, size in fires.items():
        squeeze, expand = 16 * (index // 2), 64 * (index // 2)
        macs += size * size * squeeze * (inputs + (1 + 9) * expand)
        inputs = 2 * expand
    assert manifest["macs"] == macs + 13 * 13 * inputs * 1000
    assert v11_artifact.classes == 1000
    assert 1_235_496 < manifest["weights"]["bytes"] < 1_270_000
    ram = manifest["ram"]
    assert ram["lower_bound_bytes"] <= ram["arena_bytes"] <= 1.05 * ram["lower_bound_bytes"]
    assert ram["arena_bytes"] <= 49_152
    assert (manifest["input"]["mode"], ram["input_bytes"]) == ("push", 224 * 3)


@pytest.fixture(scope="module")
def imagenet(shared_data: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """40 images to calibrate with; 60 of other classes, and their labels."""
    with np.load(shared_data / "imagenet_sample_400.npz") as sample:
        images, labels = sample["images"], sample["labels"]
    calibrates = labels % 10 == 0
    return images[calibrates][:40], images[~calibrates][:60], labels[~calibrates][:60]


@pytest.fixture(scope="module")
def calibrated(
    imagenet: tuple[np.ndarray, np.ndarray, np.ndarray],
    v11_model: tuple[onnx.ModelProto, bool],
    tmp_path_factory: pytest.TempPathFactory,
) -> Artifact:
    model, has_weights = v11_model
    if not has_weights:
        pytest.skip("no ImageNet weights here: scripts/fetch_examples.sh fetches them")
    folder = tmp_path_factory.mktemp("calibrated")
    return compiled(model, folder, imagenet[0], Preprocess.named("caffe"), "squeezenet")


def test_accuracy_on_imagenet(
    calibrated: Artifact, imagenet: tuple[np.ndarray, np.ndarray, np.ndarray], build_dir: Path
) -> None:
    require_package("onnxruntime")
    _, images, labels = imagenet
    report = verify(calibrated, images=images, labels=labels, cache_dir=build_dir)
    assert report.exact, report.first_mismatch
    assert report.images == 60
    assert report.agreement >= 0.93
    assert report.logit_sqnr_db > 34.5
    assert report.mean_kl < 0.008
    assert report.real.top1 is not None and report.integer.top1 is not None
    assert report.real.top1 > 0.5
    assert abs(report.real.top1 - report.integer.top1) <= 0.05
    assert len(report.layers) == 28 and report.layers[0].sqnr_db > 19


def test_pytorch_says_what_onnx_runtime_says(
    calibrated: Artifact, imagenet: tuple[np.ndarray, np.ndarray, np.ndarray], build_dir: Path
) -> None:
    require_package("onnxruntime")
    require_package("torch")
    _, images, labels = imagenet
    runtime, torch = (
        verify(
            calibrated, reference=name, images=images, labels=labels, limit=6, cache_dir=build_dir
        )
        for name in ("onnxruntime", "pytorch")
    )
    assert torch.reference == "pytorch"
    assert (torch.real, torch.integer) == (runtime.real, runtime.integer)
    assert torch.logit_sqnr_db == pytest.approx(runtime.logit_sqnr_db, abs=0.01)
    assert torch.mean_kl == pytest.approx(runtime.mean_kl, rel=0.01)
    for ours, theirs in zip(torch.layers, runtime.layers, strict=True):
        assert ours.name == theirs.name
        assert ours.sqnr_db == pytest.approx(theirs.sqnr_db, abs=0.01)


def test_the_model_that_onnx_ships(build_dir: Path, tmp_path: Path) -> None:
    """Opset 9, weights that nodes compute, dropout with a ratio: from the model zoo's exporter."""
    require_package("onnxruntime")
    require_package("torch")
    shipped = Path(onnx.__file__).parent / "backend/test/data/light/light_squeezenet.onnx"
    images = random_images(3, 224, 224, seed=4)
    artifact = compiled(
        onnx.load(shipped), tmp_path, images[:2], Preprocess.named("torchvision"), "light"
    )
    for reference in ("onnxruntime", "pytorch"):
        report = verify(artifact, reference=reference, images=images[2:], cache_dir=build_dir)
        assert report.exact, report.first_mismatch
        assert report.logit_sqnr_db > 40
        assert len(report.layers) == len(artifact.layers) - 1
