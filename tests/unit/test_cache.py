"""The cache of files that take long to make."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from squeeze2c.cache import CACHE_VARIABLE, cached_file


def writer(content: bytes, calls: list[Path] | None = None) -> Callable[[Path], None]:
    def build(path: Path) -> None:
        if calls is not None:
            calls.append(path)
        path.write_bytes(content)

    return build


def test_builds_once(tmp_path: Path) -> None:
    calls: list[Path] = []
    first = cached_file("a.so", tmp_path / "cache", writer(b"1", calls))
    again = cached_file("a.so", tmp_path / "cache", writer(b"2", calls))
    assert first == again == tmp_path / "cache" / "a.so"
    assert first.read_bytes() == b"1"
    assert len(calls) == 1


def test_new_folders_are_private(tmp_path: Path) -> None:
    cached_file("a.so", tmp_path / "cache", writer(b""))
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cached_file("a.so", tmp_path, fail)
    assert list(tmp_path.iterdir()) == []


def test_simultaneous_builds_never_show_half_a_file(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def build(path: Path) -> None:
        path.write_bytes(b"half")
        together.wait()
        path.write_bytes(b"whole")

    def get(_: int) -> bytes:
        return cached_file("a.so", tmp_path, build).read_bytes()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(get, range(4))) == {b"whole"}
    assert [p.name for p in tmp_path.iterdir()] == ["a.so"]


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "mine"))
    assert cached_file("a.so", None, writer(b"")) == tmp_path / "mine" / "a.so"


def test_the_default_is_below_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cached_file("a.so", None, writer(b"")).parent == tmp_path / "squeeze2c" / "host"


def test_a_default_that_cannot_be_written_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    found = cached_file("a.so", None, writer(b"1"))
    assert found.read_bytes() == b"1"
    assert tmp_path not in found.parents


def test_a_named_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError):
        cached_file("a.so", tmp_path / "file", writer(b""))


def test_libraries_that_nobody_used_for_long_go(tmp_path: Path) -> None:
    for name in ("old.so", "used.so", "other.txt"):
        cached_file(name, tmp_path, writer(b""))
        long_ago = time.time() - 100 * 24 * 3600
        os.utime(tmp_path / name, (long_ago, long_ago))
    cached_file("used.so", tmp_path, writer(b""))
    cached_file("new.so", tmp_path, writer(b""))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new.so", "other.txt", "used.so"]


def test_what_killed_builds_left_goes_too(tmp_path: Path) -> None:
    for name in ("build-killed", "build-running"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.so").write_bytes(b"half")
    long_ago = time.time() - 100 * 24 * 3600
    os.utime(tmp_path / "build-killed", (long_ago, long_ago))
    cached_file("new.so", tmp_path, writer(b""))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["build-running", "new.so"]
