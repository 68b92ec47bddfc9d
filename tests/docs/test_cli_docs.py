"""docs/cli.md names every command, option and JSON key, and none that does not exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main

from squeeze2c.cli import main
from squeeze2c.cli.app import app
from squeeze2c.cli.compile import READERS
from squeeze2c.cli.config import read_config
from squeeze2c.target import BOARDS, CORES
from tests.support import onnx_models
from tests.support.tools import require_package, require_tool

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined] # a group
_CODE = re.compile(r"`([^`]+)`")
_FULL_MANIFEST = "output-format.md"


@pytest.fixture(scope="module")
def text(checkout: Path) -> str:
    return (checkout / "docs" / "cli.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sections(text: str) -> dict[str, str]:
    """What stands below each ``##`` heading."""
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options_of(command: Any) -> set[str]:
    """All spellings of the options, and the argument's metavar."""
    names = set()
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            names.add(parameter.metavar)
        else:
            names.update((*parameter.opts, *parameter.secondary_opts))
    return names


def first_cells(section: str) -> set[str]:
    """Everything in backquotes in the first column of the section's tables."""
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return {code for row in rows for code in _CODE.findall(row.split(" | ")[0])}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented(name: str, sections: dict[str, str]) -> None:
    common = first_cells(sections["What every command has in common"])
    assert options_of(COMMANDS[name]) - common <= first_cells(sections[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_documented_option_exists(name: str, sections: dict[str, str]) -> None:
    documented = {code for code in first_cells(sections[name]) if code.startswith("-")}
    assert documented <= options_of(COMMANDS[name])


def test_the_options_of_the_program(text: str) -> None:
    for parameter in typer.main.get_command(app).params:
        assert any(f"`squeeze2c {name}`" in text for name in parameter.opts)


def test_the_configuration_file_that_is_shown(text: str, tmp_path: Path) -> None:
    shown = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert shown is not None
    path = tmp_path / "squeeze.toml"
    path.write_text(shown[1], encoding="utf-8")
    assert read_config(path, READERS)["ram"] == 1 << 20


def test_cores_and_boards_are_documented(sections: dict[str, str]) -> None:
    assert set(CORES) <= set(_CODE.findall(sections["compile"]))
    assert set(BOARDS) <= set(_CODE.findall(sections["simulate"]))


def keys_of(document: Any, prefix: str = "") -> Iterator[str]:
    """Paths of all leaves: ``ram.arena_bytes``, ``layers[].name``."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from keys_of(value, f"{prefix}.{key}" if prefix else key)
    elif isinstance(document, list) and document and isinstance(document[0], dict):
        yield from keys_of(document[0], f"{prefix}[]")
    else:
        yield prefix


def documented_as(key: str, documented: set[str]) -> bool:
    """Whether the key or an object that it is part of is documented."""
    parts = key.split(".")
    return any(".".join(parts[: i + 1]) in documented for i in range(len(parts)))


def assert_documented(document: dict[str, Any], section: str) -> None:
    documented = first_cells(section)
    undocumented = [k for k in keys_of(document) if not documented_as(k, documented)]
    assert undocumented == []


def assert_exist(section: str, document: dict[str, Any]) -> None:
    leaves = set(keys_of(document))
    objects = {k.rpartition(".")[0].removesuffix("[]") for k in leaves if "." in k}
    keys = {c for c in first_cells(section) if re.fullmatch(r"[a-z0-9_.\[\]]+", c)}
    assert keys - leaves - objects == set()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    onnx_models.save(onnx_models.fire_net(), folder / "net.onnx")
    np.savez(folder / "images.npz", images=onnx_models.random_images(3, 24, 24))
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    capsys.readouterr()
    main([*map(str, arguments), "--json"])
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def test_keys_of_compile_and_verify(
    folder: Path, checkout: Path, sections: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    images = folder / "images.npz"
    document = run(
        capsys, "compile", folder / "net.onnx", "-o", folder / "out", "--calibration", images
    )
    assert_exist(sections["compile"].partition("### JSON")[2], document)
    full = (checkout / "docs" / _FULL_MANIFEST).read_text(encoding="utf-8")
    for key in keys_of(document):
        assert f'"{key.rpartition(".")[2]}"' in full, f"{_FULL_MANIFEST} lacks {key}"
    require_package("onnxruntime")
    require_tool("cc")
    document = run(capsys, "verify", folder / "out", "--images", images)
    assert_documented(document, sections["verify"])
    assert_exist(sections["verify"].partition("| key")[2], document)


def test_keys_of_inspect(
    folder: Path, sections: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    _, of_model, of_folder = re.split(r"^### JSON of a \w+$", sections["inspect"], flags=re.M)
    images = folder / "images.npz"
    run(capsys, "compile", folder / "net.onnx", "-o", folder / "c", "--calibration", images)
    for what, section in (("net.onnx", of_model), ("c", of_folder)):
        document = run(capsys, "inspect", folder / what)
        assert_documented(document, section)
        assert_exist(section, document)


def test_keys_of_the_schedule_file(
    folder: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, out = folder / "images.npz", folder / "s"
    run(capsys, "compile", folder / "net.onnx", "-o", out, "--calibration", images)
    document = json.loads((out / "reference" / "schedule.json").read_text(encoding="utf-8"))
    full = (checkout / "docs" / _FULL_MANIFEST).read_text(encoding="utf-8")
    section = full.partition("## reference/schedule.json")[2]
    assert_documented(document, section)
    assert_exist(section, document)


@pytest.mark.emulated
def test_keys_of_simulate(
    folder: Path, sections: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        require_tool(tool)
    images = folder / "images.npz"
    run(capsys, "compile", folder / "net.onnx", "-o", folder / "out", "--calibration", images)
    document = run(
        capsys, "simulate", folder / "out", "--board", "stm32f405", "--images", images
    )
    assert_documented(document, sections["simulate"])
    assert_exist(sections["simulate"].partition("| key")[2], document)


def test_keys_of_errors(sections: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    document = run(capsys, "inspect", "absent.onnx")
    assert_documented(document, sections["What every command has in common"])
