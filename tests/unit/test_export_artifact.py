"""Reading a folder back: whatever the manifest has become, it is an artifact or a clear error."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from squeeze2c.errors import ArtifactError
from squeeze2c.export import Artifact, read_artifact, write_folder
from tests.support.programs import every_operator_graph, generated_files, quantised

FOREIGN: tuple[Any, ...] = (None, -1, "x", 1.5, True, [], {}, ["x"], {"x": 1})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact") / "net"
    write_folder(folder, generated_files(quantised(every_operator_graph())))
    return folder


@pytest.fixture(scope="module")
def manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return manifest


def with_manifest(folder: Path, manifest: dict[str, Any]) -> Artifact:
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return read_artifact(folder)


def places(item: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all members of nested dictionaries and lists."""
    members = item.items() if isinstance(item, dict) else enumerate(item)
    for key, value in members:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def edited(manifest: dict[str, Any], path: tuple[Any, ...], *value: Any) -> dict[str, Any]:
    """A copy in which what is at ``path`` is ``value``, or gone where none is given."""
    result = copy.deepcopy(manifest)
    parent: Any = result
    for key in path[:-1]:
        parent = parent[key]
    if value:
        parent[path[-1]] = value[0]
    else:
        del parent[path[-1]]
    return result


def read_everything(artifact: Artifact) -> None:
    """What the other stages read of an artifact."""
    assert artifact.name and artifact.layers and artifact.classes > 0
    assert all(isinstance(number, int) for number in artifact.input_shape)
    assert all(source.is_file() for source in artifact.sources)
    assert artifact.logit_scale > 0 and artifact.preprocess and artifact.include_dirs is not None
    assert artifact.manifest["flash"]["parameters_bytes"] >= 0
    assert artifact.manifest["ram"]["arena_bytes"] >= 0
    assert artifact.manifest["weights"]["crc32"] >= 0
    for layer in artifact.layers:
        assert layer["macs"] >= 0 and len(layer["shape"]) in (1, 3) and layer["output"]


def test_an_intact_folder(folder: Path, manifest: dict[str, Any]) -> None:
    read_everything(with_manifest(folder, manifest))


def test_no_edit_of_the_manifest_ends_in_a_traceback(
    folder: Path, manifest: dict[str, Any]
) -> None:
    refused = 0
    for path in places(manifest):
        for value in ((), *((f,) for f in FOREIGN)):
            try:
                read_everything(with_manifest(folder, edited(manifest, path, *value)))
            except ArtifactError:
                refused += 1
    assert refused > 500


@pytest.mark.parametrize(
    "path",
    [
        ("name",), ("build", "sources"), ("input", "rows"), ("input", "preprocess", "mean"),
        ("output", "logit_scale"), ("ram", "arena_alignment"), ("weights", "crc32"),
        ("layers", 0, "shape"), ("layers", 1, "macs"), ("layers", 2, "output"),
    ],
)
def test_what_is_missing_is_named(
    folder: Path, manifest: dict[str, Any], path: tuple[Any, ...]
) -> None:
    with pytest.raises(ArtifactError, match=f"damaged manifest: .*{path[-1]}") as caught:
        with_manifest(folder, edited(manifest, path))
    assert caught.value.where == str(folder / "manifest.json")


@pytest.mark.parametrize("missing", ["tiny.c", "reference/oracle.npz", "reference/model.onnx"])
def test_missing_files_are_named(
    folder: Path, manifest: dict[str, Any], missing: str, tmp_path: Path
) -> None:
    (folder / missing).rename(tmp_path / "away")
    try:
        with pytest.raises(ArtifactError, match=f"{missing} is missing"):
            with_manifest(folder, manifest)
    finally:
        (tmp_path / "away").rename(folder / missing)
