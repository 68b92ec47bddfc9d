"""Configuration files: their keys are the options' names, and the command line wins."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from squeeze2c.cli.compile import READERS, compile_command
from squeeze2c.cli.config import merge, read_config
from squeeze2c.cli.preprocessing import preprocess_from
from squeeze2c.errors import UsageError
from squeeze2c.frontend import Preprocess

_ONLY_ON_THE_COMMAND_LINE = {"config", "dry-run", "json-output", "quiet", "verbose"}


def config_file(folder: Path, text: str) -> Path:
    path = folder / "squeeze.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_option_of_compile_is_a_key() -> None:
    parameters = {p.replace("_", "-") for p in inspect.signature(compile_command).parameters}
    assert set(READERS) == parameters - _ONLY_ON_THE_COMMAND_LINE


def test_all_keys(tmp_path: Path) -> None:
    path = config_file(
        tmp_path,
        """
        model = "net.onnx"
        output = "/firmware"
        name = "net"
        calibration = "photos"
        preprocess = "caffe"
        mean = [1, 2, 3]
        std = "4,5,6"
        channels = "bgr"
        resize = "none"
        crop = false
        target = "cortex-m4"
        ram = "128K"
        flash = 524288
        weights = "packed"
        weights-budget = "480K"
        max-drop = 2.5
        no-cache = true
        schedule = "stream"
        input = "push"
        input-format = "rgb565be"
        input-shape = [1, 3, 224, 224]
        force = true
        """,
    )
    assert read_config(path, READERS) == {
        "model": tmp_path / "net.onnx",
        "output": Path("/firmware"),
        "name": "net",
        "calibration": tmp_path / "photos",
        "preprocess": "caffe",
        "mean": (1.0, 2.0, 3.0),
        "std": (4.0, 5.0, 6.0),
        "channels": "bgr",
        "resize": None,
        "crop": False,
        "target": "cortex-m4",
        "ram": 131072,
        "flash": 524288,
        "weights": "packed",
        "weights-budget": 491520,
        "max-drop": 2.5,
        "no-cache": True,
        "schedule": "stream",
        "input": "push",
        "input-format": "rgb565be",
        "input-shape": (1, 3, 224, 224),
        "force": True,
    }


@pytest.mark.parametrize(
    ("key", "nearest"),
    [("targt", "target"), ("input_shape", "input-shape"), ("RAM", "ram"), ("calib", "calibration")],
)
def test_unknown_key_names_the_nearest(tmp_path: Path, key: str, nearest: str) -> None:
    path = config_file(tmp_path, f"{key} = 1\n")
    with pytest.raises(UsageError, match=f"unknown key '{key}'.*did you mean '{nearest}'"):
        read_config(path, READERS)


def test_wrong_values_name_file_and_key(tmp_path: Path) -> None:
    path = config_file(tmp_path, 'ram = "lots"\n')
    with pytest.raises(UsageError, match=r"squeeze\.toml: ram: 'lots' is not a size"):
        read_config(path, READERS)


@pytest.mark.parametrize("text", ["ram = ", "[ram", "ram = 1\nram = 2", "a\x00b"])
def test_broken_files(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="not a TOML file"):
        read_config(config_file(tmp_path, text), READERS)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.toml: No such file"):
        read_config(tmp_path / "absent.toml", READERS)
    with pytest.raises(UsageError, match="Is a directory"):
        read_config(tmp_path, READERS)
    (tmp_path / "latin1.toml").write_bytes(b"name = '\xe9'\n")
    with pytest.raises(UsageError, match="not a TOML file"):
        read_config(tmp_path / "latin1.toml", READERS)


def test_the_command_line_wins(tmp_path: Path) -> None:
    file = {"ram": 100, "target": "cortex-m0", "force": True}
    merged = merge({"ram": "1K", "target": None, "force": None}, file, READERS)
    assert (merged["ram"], merged["target"], merged["force"]) == (1024, "cortex-m0", True)
    assert merged["flash"] is None


def preprocess(**settings: object) -> Preprocess | None:
    everything = {k: settings.get(k) for k in READERS}
    return preprocess_from(everything, frozenset(settings))


def test_preprocessing_presets_and_their_refinement() -> None:
    assert preprocess() is None
    assert preprocess(preprocess="caffe") == Preprocess.named("caffe")
    refined = preprocess(preprocess="torchvision", resize=None, crop=False)
    assert refined is not None
    assert (refined.mean, refined.resize) == (Preprocess.named("torchvision").mean, None)
    assert not refined.crop
    assert preprocess(resize=300) == Preprocess(resize=300)


def test_preprocessing_without_preset() -> None:
    assert preprocess(mean=(127.5,)) == Preprocess(mean=(127.5,), std=(1.0,))
    assert preprocess(std=(255.0,)) == Preprocess(mean=(0.0,), std=(255.0,))
    assert preprocess(channels="bgr", mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0)) == Preprocess(
        "bgr", (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)
    )


def test_preprocessing_that_does_not_fit_together() -> None:
    with pytest.raises(UsageError, match="unknown preprocessing 'cafe'"):
        preprocess(preprocess="cafe")
    with pytest.raises(UsageError, match="mean has 1 entries and std has 3"):
        preprocess(preprocess="caffe", mean=(1.0,))
    with pytest.raises(UsageError, match="unknown channel order 'gbr'"):
        preprocess(channels="gbr")
