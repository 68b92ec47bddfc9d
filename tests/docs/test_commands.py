"""The commands that README.md and docs/cli.md show work as they stand there."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support import onnx_models
from tests.support.tools import missing, require_tool

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/cli.md", "docs/streaming.md")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHELL = ("sh", "bash", "console", "shell")


def shell_lines(document: str) -> Iterator[str]:
    """Commands in the document's fenced shell blocks and indented blocks, in order."""
    path = CHECKOUT / document
    if not path.exists():
        return
    text = path.read_text(encoding="utf-8")
    blocks = [body for language, body in _BLOCK.findall(text) if language in _SHELL]
    indented = [line[4:] for line in text.splitlines() if re.match(r"    (squeeze2c|make) ", line)]
    for block in (*blocks, "\n".join(indented)):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.removeprefix("$ ").partition("  #")[0].strip()
            if line:
                yield line


def commands(program: str, document: str) -> list[str]:
    """Concrete commands: a synopsis, with its capitals and brackets, is none."""
    lines = [line for line in shell_lines(document) if shlex.split(line)[0] == program]
    return [line for line in lines if not re.search(r"\[options\]|MODEL\.onnx| DIR\b", line)]


MAKE = sorted({line for document in DOCUMENTS for line in commands("make", document)})


@pytest.mark.parametrize("line", MAKE)
def test_make_targets_exist(line: str) -> None:
    require_tool("make")
    words = shlex.split(line)
    done = subprocess.run(
        [words[0], "-n", *words[1:]], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def prepare(line: str, folder: Path) -> None:
    """Make the files that a command reads, with a small network and photographs of noise."""
    words = shlex.split(line)
    for word in words:
        path = folder / word
        if word.endswith(".onnx") and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            onnx_models.save(onnx_models.fire_net(input_size=24, classes=10), path)
    for option in ("--calibration", "--images"):
        if option in words:
            path = folder / words[words.index(option) + 1]
            if path.suffix == "":
                path.mkdir(parents=True, exist_ok=True)
                write_photographs(path)
            elif path.suffix in (".jpg", ".jpeg", ".png"):
                write_photographs(path.parent, (path.name,))


def write_photographs(folder: Path, names: tuple[str, ...] = ("a.png", "b.png", "c.png")) -> None:
    """Of the network's size, so that they suit with and without resizing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in zip(names, onnx_models.random_images(len(names), 24, 24), strict=True):
        Image.fromarray(image).save(folder / name)


def check_tools(line: str) -> None:
    if " simulate " in line:
        require_tool("arm-none-eabi-gcc")
        require_tool("qemu-system-arm")
    if " verify " in line:
        require_tool("cc")
        package = "torch" if "pytorch" in line else "onnxruntime"
        if importlib.util.find_spec(package) is None:
            missing(f"{package} is not installed")


@pytest.mark.emulated
@pytest.mark.parametrize("document", [d for d in DOCUMENTS if commands("squeeze2c", d)])
def test_commands_work(document: str, tmp_path: Path) -> None:
    """In order, in one folder: later commands use what earlier ones wrote."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    for line in commands("squeeze2c", document):
        check_tools(line)
        prepare(line, tmp_path)
        command = [sys.executable, "-m", "squeeze2c", *shlex.split(line)[1:]]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
