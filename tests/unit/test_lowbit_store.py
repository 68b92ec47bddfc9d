"""Sensitivities on disk."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.cache import CACHE_VARIABLE
from squeeze2c.ir import Graph, GraphBuilder
from squeeze2c.quantize import QuantizeOptions
from squeeze2c.quantize.lowbit.sensitivity import Sensitivity
from squeeze2c.quantize.lowbit.store import kept, key_of

OPTIONS = QuantizeOptions()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


class Measurement:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> tuple[Sensitivity, ...]:
        self.calls += 1
        rng = np.random.default_rng(0)
        return tuple(
            Sensitivity(f"conv/{i}", rng.normal(0, 1, (4, 9)), float(rng.random()))
            for i in range(3)
        )


def assert_same(left: tuple[Sensitivity, ...], right: tuple[Sensitivity, ...]) -> None:
    assert [(s.node, s.kl_per_step2) for s in left] == [(s.node, s.kl_per_step2) for s in right]
    for a, b in zip(left, right, strict=True):
        assert a.weight.dtype == b.weight.dtype
        np.testing.assert_array_equal(a.weight, b.weight)


def test_measured_once_and_the_same_afterwards(cache: Path) -> None:
    measure = Measurement()
    first, again = kept("k", measure), kept("k", measure)
    assert measure.calls == 1
    assert_same(first, again)
    assert [file.name for file in cache.iterdir()] == ["k.npz"]


@pytest.mark.parametrize("damage", ["empty", "half", "flipped", "foreign"])
def test_a_damaged_file_is_measured_and_written_again(damage: str, cache: Path) -> None:
    measure = Measurement()
    expected = kept("k", measure)
    file = cache / "k.npz"
    good = file.read_bytes()
    middle = len(good) // 2
    file.write_bytes({
        "empty": b"",
        "half": good[:middle],
        "flipped": good[:middle] + bytes([good[middle] ^ 0xFF]) + good[middle + 1 :],
        "foreign": b"not a zip file at all",
    }[damage])
    assert_same(kept("k", measure), expected)
    assert measure.calls == 2
    assert file.read_bytes() == good


def test_a_folder_that_cannot_be_written_does_not_matter(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("squeeze2c.quantize.lowbit.store._write", refuse)
    measure = Measurement()
    assert_same(kept("k", measure), kept("k", measure))
    assert measure.calls == 2


def test_a_cache_that_is_no_folder_does_not_matter(cache: Path) -> None:
    cache.write_text("a file")
    measure = Measurement()
    assert_same(kept("k", measure), kept("k", measure))
    assert measure.calls == 2


def test_files_in_use_are_not_old(cache: Path) -> None:
    kept("k", Measurement())
    os.utime(cache / "k.npz", (1, 1))
    kept("k", Measurement())
    assert (cache / "k.npz").stat().st_mtime > 1e9


def graph(seed: int = 0) -> Graph:
    build = GraphBuilder(8, 8, 3, seed=seed)
    return build.finish(build.gap(build.conv(build.input, 4)))


def test_the_key_depends_on_everything_that_matters() -> None:
    images = np.zeros((2, 8, 8, 3), np.uint8)
    other = images.copy()
    other[1, 7, 7, 2] = 1
    keys = [
        key_of(graph(), images, OPTIONS),
        key_of(graph(1), images, OPTIONS),
        key_of(graph(), other, OPTIONS),
        key_of(graph(), images[:1], OPTIONS),
        key_of(graph(), images, replace(OPTIONS, damping=0.05)),
        key_of(graph(), images, replace(OPTIONS, equalisation_exponent=0.5)),
    ]
    assert len(set(keys)) == len(keys)
    assert key_of(graph(), images, OPTIONS) == keys[0]
    assert key_of(graph(), images, replace(OPTIONS, weight_steps={"a": 1.0})) == keys[0]


def test_the_key_depends_on_version_and_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.zeros((1, 8, 8, 3), np.uint8)
    keys = {key_of(graph(), images, OPTIONS)}
    with monkeypatch.context() as patch:
        patch.setattr("squeeze2c.quantize.lowbit.store.__version__", "9.9.9")
        keys.add(key_of(graph(), images, OPTIONS))
    with monkeypatch.context() as patch:
        patch.setattr("squeeze2c.quantize.lowbit.store._sources", lambda: [b"changed"])
        keys.add(key_of(graph(), images, OPTIONS))
    assert len(keys) == 3
