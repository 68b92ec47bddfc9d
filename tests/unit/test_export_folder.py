"""The output folder is written at once or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from squeeze2c.errors import ArtifactError, CodegenError, UsageError
from squeeze2c.export import read_artifact, write_folder

MANIFEST = b'{"squeeze2c_version": "0", "name": "net"}'
FILES = {"manifest.json": MANIFEST, "runtime/a.h": b"a"}
OTHER = {"manifest.json": MANIFEST, "net.c": b"other"}


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
        write_folder(out, OTHER)
    assert _content(out) == FILES
    write_folder(out, OTHER, force=True)
    assert _content(out) == OTHER


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("thesis.txt", "years"),
        ("manifest.json", '{"name": "a browser extension", "manifest_version": 3}'),
        ("manifest.json", "[]"),
        ("manifest.json", "{"),
    ],
)
def test_force_never_replaces_what_squeeze2c_did_not_write(
    tmp_path: Path, file: str, content: str
) -> None:
    out = tmp_path / "precious"
    out.mkdir()
    (out / file).write_text(content)
    with pytest.raises(UsageError, match="was not written by squeeze2c"):
        write_folder(out, FILES, force=True)
    assert _content(out) == {file: content.encode()}


@pytest.mark.parametrize("file", ["hooks.h", "network.c", "src/main.c", "runtime"])
def test_force_never_deletes_what_the_user_added(tmp_path: Path, file: str) -> None:
    out = tmp_path / "out"
    write_folder(out, OTHER)
    (out / file).parent.mkdir(exist_ok=True)
    (out / file).write_text("mine")
    with pytest.raises(UsageError, match=f"{file.split('/')[0]} is not from squeeze2c"):
        write_folder(out, FILES, force=True)
    assert (out / file).read_text() == "mine"


def test_force_replaces_what_make_built(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_folder(out, {**OTHER, "net_weights.h": b"", "Makefile": b"", "README.md": b""})
    (out / "build" / "runtime").mkdir(parents=True)
    (out / "build" / "runtime" / "a.o").write_bytes(b"")
    write_folder(out, FILES, force=True)
    assert _content(out) == FILES


def test_the_current_folder_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for out in (Path("."), Path(""), tmp_path):
        with pytest.raises(UsageError, match="the current folder"):
            write_folder(out, FILES)
    assert _content(tmp_path) == {}


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
        write_folder(out, OTHER, force=True)
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
