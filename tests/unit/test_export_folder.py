"""The output folder is written at once or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from squeeze2c.errors import ArtifactError, CodegenError, UsageError
from squeeze2c.export import read_artifact, write_folder

FILES = {"manifest.json": b"{}", "runtime/a.h": b"a"}


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_writes_nested_files_and_makes_parents(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "er" / "out"
    write_folder(out, FILES)
    assert _content(out) == FILES
    assert os.listdir(out.parent) == ["out"]


def test_empty_folder_is_taken(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    write_folder(out, FILES)
    assert _content(out) == FILES


def test_existing_folder_needs_force(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_folder(out, FILES)
    with pytest.raises(UsageError, match="--force"):
        write_folder(out, {"manifest.json": b"other"})
    assert _content(out) == FILES
    write_folder(out, {"manifest.json": b"other"}, force=True)
    assert _content(out) == {"manifest.json": b"other"}


def test_force_never_replaces_what_squeeze2c_did_not_write(tmp_path: Path) -> None:
    out = tmp_path / "precious"
    out.mkdir()
    (out / "thesis.txt").write_text("years")
    with pytest.raises(UsageError, match="was not written by squeeze2c"):
        write_folder(out, FILES, force=True)
    assert _content(out) == {"thesis.txt": b"years"}


def test_a_file_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(UsageError, match="not a folder"):
        write_folder(tmp_path / "out", FILES, force=True)


def test_failure_leaves_the_old_folder_and_no_debris(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_folder(out, FILES)

    def refuse(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(CodegenError, match="No space left"):
        write_folder(out, FILES, force=True)
    assert _content(out) == FILES
    assert os.listdir(tmp_path) == ["out"]


def test_failed_move_brings_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_folder(out, FILES)
    rename = os.rename

    def fail_into_place(source: Path, target: Path) -> None:
        if Path(source).name == "new":
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail_into_place)
    with pytest.raises(CodegenError, match="Input/output error"):
        write_folder(out, {"manifest.json": b"other"}, force=True)
    assert _content(out) == FILES


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, "no manifest.json"),
        (b"\xff\xfe", "not readable"),
        (b"{", "not readable"),
        (b"[]", "not a manifest"),
        (b"{}", "not a manifest"),
    ],
)
def test_folders_that_are_no_artifacts(
    tmp_path: Path, manifest: bytes | None, message: str
) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_bytes(manifest)
    with pytest.raises(ArtifactError, match=message):
        read_artifact(tmp_path)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such folder"):
        read_artifact(tmp_path / "nowhere")
