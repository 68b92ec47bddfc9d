"""Generated C as a Python object, and what it does about folders that are not right."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.errors import ArtifactError, InternalError, ShapeError, ToolchainError, UsageError
from squeeze2c.export import Artifact, read_artifact
from squeeze2c.host import HostModel, build_host_library
from squeeze2c.ir import load_graph
from squeeze2c.reference import evaluate_int
from squeeze2c.reference.softmax import softmax_constants, softmax_q16
from tests.support.artifacts import compiled
from tests.support.onnx_models import PIXEL_PREPROCESS, fire_net, random_images
from tests.support.tools import require_tool

ROWS, COLS, CLASSES = 25, 22, 7


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    require_tool("gcc")
    folder = tmp_path_factory.mktemp("host")
    calibration = random_images(8, ROWS, COLS)
    return compiled(fire_net(input_size=(ROWS, COLS)), folder, calibration, PIXEL_PREPROCESS)


@pytest.fixture(scope="module")
def open_model(build_dir: Path) -> Callable[[Artifact], HostModel]:
    def get(artifact: Artifact) -> HostModel:
        return HostModel(artifact, compiler="gcc", flags=("-O1",), cache_dir=build_dir)

    return get


@pytest.fixture(scope="module")
def model(artifact: Artifact, open_model: Callable[[Artifact], HostModel]) -> HostModel:
    return open_model(artifact)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    image: np.ndarray = random_images(1, ROWS, COLS, seed=5)[0]
    return image


@pytest.fixture
def copy_of(artifact: Artifact, tmp_path: Path) -> Callable[[str, str, str], Artifact]:
    """A copy of the folder in which one file has other text."""

    def edit(file: str, old: str, new: str) -> Artifact:
        folder = tmp_path / "copy"
        shutil.copytree(artifact.folder, folder)
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))
        return read_artifact(folder)

    return edit


def test_run_equals_the_oracle(model: HostModel, artifact: Artifact, image: np.ndarray) -> None:
    graph = load_graph(artifact.oracle_path)
    expected = evaluate_int(graph, image[None])
    logits = model.run(image)
    assert logits.dtype == np.int32
    np.testing.assert_array_equal(logits, expected[graph.output][0])
    layers = model.run_layers(image)
    assert list(layers) == [layer["output"] for layer in artifact.layers]
    for name, array in layers.items():
        np.testing.assert_array_equal(array, expected[name][0], name)


def test_images_need_not_be_contiguous(model: HostModel, image: np.ndarray) -> None:
    wide = np.zeros((ROWS, COLS, 6), np.uint8)
    wide[..., ::2] = image
    np.testing.assert_array_equal(model.run(wide[..., ::2]), model.run(image))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[None], r"shape \(1, 25, 22, 3\)"),
        (lambda x: x.transpose(2, 0, 1), r"shape \(3, 25, 22\)"),
        (lambda x: x[:-1], r"shape \(24, 22, 3\)"),
        (lambda x: x.astype(np.float32), "is float32, expected a NumPy array of uint8"),
        (lambda x: x.tolist(), "is list, expected a NumPy array of uint8"),
    ],
)
def test_wrong_images_are_refused(
    model: HostModel, image: np.ndarray, change: Callable[[np.ndarray], np.ndarray], message: str
) -> None:
    for run in (model.run, model.run_layers):
        with pytest.raises(ShapeError, match=message):
            run(change(image))


def test_top_k_is_a_stable_sort(model: HostModel) -> None:
    logits = np.array([3, -5, 9, 3, 9, 0, -5], np.int32)
    order = np.argsort(-logits, kind="stable")
    for k in (1, 3, CLASSES):
        expected = tuple((int(i), int(logits[i])) for i in order[:k])
        assert model.top_k(logits, k) == expected
    for k in (0, CLASSES + 1):
        with pytest.raises(UsageError, match=f"k is {k}"):
            model.top_k(logits, k)


def test_softmax_is_that_of_the_board(
    model: HostModel, artifact: Artifact, image: np.ndarray
) -> None:
    logits = model.run(image)
    ours = model.softmax(logits)
    expected = softmax_q16(logits, *softmax_constants(artifact.logit_scale))
    np.testing.assert_array_equal(ours, expected)
    real = np.exp(logits * artifact.logit_scale)
    np.testing.assert_allclose(ours / 65536, real / real.sum(), atol=1e-4)


@pytest.mark.parametrize("logits", [np.zeros(CLASSES), np.zeros(CLASSES - 1, np.int32)])
def test_wrong_logits_are_refused(model: HostModel, logits: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="logits are"):
        model.top_k(logits, 1)
    with pytest.raises(ShapeError, match="logits are"):
        model.softmax(logits)


def test_version_names_the_model(model: HostModel, artifact: Artifact) -> None:
    assert artifact.manifest["source"]["sha256"][:12] in model.version


def test_a_closed_model_opens_again(
    artifact: Artifact, open_model: Callable[[Artifact], HostModel], image: np.ndarray
) -> None:
    with open_model(artifact) as model:
        before = model.run(image)
    np.testing.assert_array_equal(model.run(image), before)


def test_missing_compiler_is_found_at_once(artifact: Artifact) -> None:
    with pytest.raises(ToolchainError, match="not installed"):
        HostModel(artifact, compiler="no-such-compiler")


def test_the_library_is_built_once_and_again_when_anything_changes(
    artifact: Artifact, copy_of: Callable[[str, str, str], Artifact], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"

    def build(source: Artifact, *flags: str, traced: bool = False) -> Path:
        return build_host_library(
            source, compiler="gcc", flags=flags or ("-O0",), traced=traced, cache_dir=cache
        )

    first = build(artifact)
    stamp = first.stat().st_ino
    assert build(artifact) == first and first.stat().st_ino == stamp
    in_source = copy_of("net.c", "network", "Network")
    others = {build(artifact, "-O1"), build(artifact, traced=True), build(in_source)}
    assert len(others | {first}) == 4
    header = in_source.folder / "runtime" / "s2c.h"
    header.write_text(header.read_text() + "\n/* changed */\n")
    assert build(in_source) not in others


def test_broken_c_is_a_toolchain_error(
    copy_of: Callable[[str, str, str], Artifact], open_model: Callable[[Artifact], HostModel]
) -> None:
    broken = copy_of("net.c", "#include <string.h>", "#error planted")
    with pytest.raises(ToolchainError, match="planted") as caught:
        open_model(broken).run(np.zeros((ROWS, COLS, 3), np.uint8))
    assert caught.value.command is not None and "net.c" in caught.value.command


def test_a_lost_source_is_an_artifact_error(
    copy_of: Callable[[str, str, str], Artifact], open_model: Callable[[Artifact], HostModel]
) -> None:
    lacking = copy_of("net.c", "network", "network")
    (lacking.folder / "net_weights.c").unlink()
    with pytest.raises(ArtifactError, match="cannot be read"):
        open_model(lacking).run(np.zeros((ROWS, COLS, 3), np.uint8))


def test_header_and_manifest_must_agree(
    copy_of: Callable[[str, str, str], Artifact], open_model: Callable[[Artifact], HostModel]
) -> None:
    changed = copy_of("net.h", "_LAYERS ", "_LAYERS 1u + ")
    with pytest.raises(ArtifactError, match="the C header says layers"):
        open_model(changed).run(np.zeros((ROWS, COLS, 3), np.uint8))


def test_a_lost_function_is_an_artifact_error(
    copy_of: Callable[[str, str, str], Artifact], open_model: Callable[[Artifact], HostModel]
) -> None:
    lacking = copy_of("net.c", "s2c_status net_top_k(", "s2c_status net_top_l(")
    with pytest.raises(ArtifactError, match="has no function net_top_k") as caught:
        open_model(lacking).top_k(np.zeros(CLASSES, np.int32), 1)
    assert caught.value.where == str(lacking.folder)


def test_changed_weights_fail_their_check(
    model: HostModel,
    artifact: Artifact,
    copy_of: Callable[[str, str, str], Artifact],
    open_model: Callable[[Artifact], HostModel],
) -> None:
    model.check_weights()
    match = re.search(r"\b0x[0-9a-f]{8},", (artifact.folder / "net_weights.c").read_text())
    assert match is not None
    other = f"0x{int(match[0][:-1], 16) ^ 0x10:08x},"
    changed = copy_of("net_weights.c", match[0], other)
    with pytest.raises(ArtifactError, match="weights are not those"):
        open_model(changed).check_weights()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_nothing_warns(
    compiler: str, artifact: Artifact, image: np.ndarray, build_dir: Path
) -> None:
    """Generated C, runtime and the host's own C together, with and without hooks."""
    require_tool(compiler)
    strict = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror")
    model = HostModel(artifact, compiler=compiler, flags=strict, cache_dir=build_dir)
    layers = model.run_layers(image)
    np.testing.assert_array_equal(model.run(image), layers[artifact.layers[-1]["output"]])


def test_an_overrun_of_the_arena_is_noticed(
    copy_of: Callable[[str, str, str], Artifact], open_model: Callable[[Artifact], HostModel]
) -> None:
    overrun = copy_of(
        "net.c",
        "S2C_ERROR_NOT_INITIALISED;\n    }",
        "S2C_ERROR_NOT_INITIALISED;\n    }\n    ctx->arena[NET_ARENA_BYTES + 3] = 0;",
    )
    with pytest.raises(InternalError, match="outside its arena"):
        open_model(overrun).run(np.zeros((ROWS, COLS, 3), np.uint8))


@pytest.mark.parametrize(
    ("hook", "message"),
    [
        ("S2C_ON_ROW(0u, 2u, ctx->arena, 12u, 8u, 8u);", "row 2 2 times instead of once"),
        ("S2C_ON_ROW(0u, 999u, ctx->arena, 12u, 8u, 8u);", "1 rows fit no layer"),
        ("S2C_ON_ROW(0u, 2u, ctx->arena, 12u, 7u, 8u);", "1 rows fit no layer"),
        ("S2C_ON_ROW(99u, 2u, ctx->arena, 12u, 8u, 8u);", "1 rows fit no layer"),
    ],
)
def test_rows_must_come_exactly_once(
    hook: str,
    message: str,
    artifact: Artifact,
    copy_of: Callable[[str, str, str], Artifact],
    open_model: Callable[[Artifact], HostModel],
) -> None:
    assert artifact.layers[0]["shape"] == [12, 10, 8], "the hooks above are written for this"
    hook = hook.replace("12u", "10u")
    planted = copy_of(
        "net.c", "S2C_ERROR_NOT_INITIALISED;\n    }", f"S2C_ERROR_NOT_INITIALISED;\n    }}\n {hook}"
    )
    model = open_model(planted)
    image = np.zeros((ROWS, COLS, 3), np.uint8)
    with pytest.raises(InternalError, match=message):
        model.run_layers(image)
    model.run(image)
