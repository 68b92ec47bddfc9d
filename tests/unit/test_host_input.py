"""Images on their way into generated C: in portions of rows, and in a camera's pixel formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squeeze2c.errors import ArtifactError, UsageError
from squeeze2c.export import Artifact, read_artifact
from squeeze2c.frontend.input_format import FORMATS
from squeeze2c.host import HostModel
from squeeze2c.ir import load_graph
from squeeze2c.reference import evaluate_int
from squeeze2c.verify import verify
from tests.support.artifacts import compiled
from tests.support.onnx_models import PIXEL_PREPROCESS, fire_net, random_images
from tests.support.tools import require_tool

ROWS, COLS = 25, 22

MakeArtifact = Callable[..., Artifact]


@pytest.fixture(scope="module")
def make_artifact(tmp_path_factory: pytest.TempPathFactory) -> MakeArtifact:
    require_tool("gcc")
    model = fire_net(input_size=(ROWS, COLS))
    calibration = random_images(8, ROWS, COLS)
    made: dict[tuple[tuple[str, Any], ...], Artifact] = {}

    def make(**options: Any) -> Artifact:
        key = tuple(options.items())
        if key not in made:
            folder = tmp_path_factory.mktemp("input")
            made[key] = compiled(model, folder, calibration, PIXEL_PREPROCESS, **options)
        return made[key]

    return make


@pytest.fixture(scope="module")
def open_model(build_dir: Path) -> Callable[[Artifact], HostModel]:
    def get(artifact: Artifact) -> HostModel:
        return HostModel(artifact, compiler="gcc", flags=("-O1",), cache_dir=build_dir)

    return get


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    image: np.ndarray = random_images(1, ROWS, COLS, seed=5)[0]
    return image


@pytest.mark.parametrize("name", ["rgb888", *FORMATS])
def test_the_network_sees_what_the_format_leaves_of_an_image(
    name: str,
    make_artifact: MakeArtifact,
    open_model: Callable[[Artifact], HostModel],
    image: np.ndarray,
) -> None:
    artifact = make_artifact(input_format=name)
    pixels = artifact.input_format
    seen = pixels.decode(pixels.encode(image[None]), 3)
    assert np.array_equal(seen[0], image) == (name in ("rgb888", "raw", "bgr888"))
    graph = load_graph(artifact.oracle_path)
    expected = evaluate_int(graph, seen)
    model = open_model(artifact)
    np.testing.assert_array_equal(model.run(image), expected[graph.output][0])
    np.testing.assert_array_equal(model.push(image), expected[graph.output][0])
    for output, array in model.run_layers(image).items():
        np.testing.assert_array_equal(array, expected[output][0], output)


@pytest.mark.parametrize(
    "portions",
    [None, [ROWS], [1] * ROWS, [0, 7, 0, 7, 11, 0], [24, 1], [3] * 8 + [1]],
    ids=lambda p: "default" if p is None else str(len(p)),
)
def test_portions_do_not_matter(
    portions: Sequence[int] | None,
    make_artifact: MakeArtifact,
    open_model: Callable[[Artifact], HostModel],
    image: np.ndarray,
) -> None:
    model = open_model(make_artifact())
    np.testing.assert_array_equal(model.push(image, portions), model.run(image))


def test_portions_must_be_the_image(
    make_artifact: MakeArtifact, open_model: Callable[[Artifact], HostModel], image: np.ndarray
) -> None:
    model = open_model(make_artifact())
    for portions in ([ROWS - 1], [ROWS, 1], [], [ROWS + 1, -1]):
        with pytest.raises(UsageError, match="portions are"):
            model.push(image, portions)
    model.push(image)


@pytest.mark.parametrize("options", [{"input_mode": "frame"}, {"schedule": "layerwise"}], ids=str)
def test_a_model_of_whole_images_takes_no_rows(
    options: dict[str, str],
    make_artifact: MakeArtifact,
    open_model: Callable[[Artifact], HostModel],
    image: np.ndarray,
) -> None:
    artifact = make_artifact(**options)
    assert not artifact.push
    model = open_model(artifact)
    with pytest.raises(UsageError, match="whole images only"):
        model.push(image)
    np.testing.assert_array_equal(model.run(image), open_model(make_artifact()).run(image))


def test_header_and_manifest_must_agree_on_rows(
    make_artifact: MakeArtifact,
    open_model: Callable[[Artifact], HostModel],
    image: np.ndarray,
    tmp_path: Path,
) -> None:
    """A manifest of RGB565 beside code for whole pixels would read past the image."""
    artifact = make_artifact()
    other = make_artifact(input_format="rgb565le")
    swapped = Artifact(artifact.folder, other.manifest)
    with pytest.raises(ArtifactError, match="the C header says input_row_bytes = 66"):
        open_model(swapped).run(image)


@pytest.mark.parametrize("name", ["rgb565be", "grey8"])
def test_verification_gives_everybody_the_same_pixels(
    name: str, make_artifact: MakeArtifact, build_dir: Path
) -> None:
    """The float model gets them too, so a coarse format is no noise of the network's."""
    pytest.importorskip("onnxruntime")
    images = random_images(6, ROWS, COLS, seed=9)
    figures = [
        verify(
            read_artifact(make_artifact(input_format=chosen).folder),
            images=images, compiler="gcc", flags=("-O1",), cache_dir=build_dir,
        )
        for chosen in ("rgb888", name)
    ]  # fmt: skip
    assert [report.oracle_mismatches for report in figures] == [0, 0]
    exact, coarse = (report.logit_sqnr_db for report in figures)
    assert coarse > exact - 6


def test_verification_of_inner_tensors_in_a_coarse_format(
    make_artifact: MakeArtifact, build_dir: Path
) -> None:
    pytest.importorskip("onnxruntime")
    artifact = make_artifact(input_format="rgb565le")
    report = verify(
        artifact, images=random_images(3, ROWS, COLS, seed=9),
        compiler="gcc", flags=("-O1",), cache_dir=build_dir,
    )  # fmt: skip
    first = next(layer for layer in report.layers if layer.index == 0)
    assert first.sqnr_db > 30
