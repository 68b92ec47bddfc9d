"""A wheel, installed away from the checkout, compiles the same bytes as the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from squeeze2c import __version__
from tests.support import onnx_models
from tests.support.tools import missing, require_package

pytestmark = pytest.mark.slow

COMPILE = ("compile", "net.onnx", "--calibration", "images.npz", "--mean", "127,127,127")


def run(command: Sequence[str | Path], folder: Path, **environment: str) -> str:
    """Standard output of ``command``, which must succeed, without this process's PYTHONPATH."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env={**inherited, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that was built from it."""
    for package in ("build", "hatchling"):
        try:
            __import__(package)
        except ImportError:
            missing(f"{package} is not installed")
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, checkout], folder)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return next(dist.glob("squeeze2c-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, and this one's packages for the rest."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run([python, "-m", "pip", "install", "--no-deps", wheel], folder)
    site = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                    folder).strip())  # fmt: skip
    # Sorts behind the wheel's own files; .pth files in the folder added are not read, so the
    # editable installation of the checkout stays out.
    (site / "zz_dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    onnx_models.save(onnx_models.fire_net(bypass=True), folder / "net.onnx")
    np.savez(folder / "images.npz", images=onnx_models.random_images(4, 24, 24))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_the_wheel_holds_what_the_compiler_reads(wheel: Path, checkout: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for resource in ("templates", "runtime_c"):
        files = [p for p in (checkout / resource).rglob("*") if p.is_file()]
        assert files
        for file in files:
            assert f"squeeze2c/_data/{file.relative_to(checkout).as_posix()}" in names
    assert "squeeze2c/py.typed" in names
    assert all(n.startswith(("squeeze2c/", f"squeeze2c-{__version__}.dist-info/")) for n in names)
    assert f"squeeze2c-{__version__}.dist-info/licenses/LICENSE" in names


def test_the_wheel_compiles_the_same_bytes(
    installed: Path, checkout: Path, work: Path
) -> None:
    where = run([installed, "-c", "import squeeze2c; print(squeeze2c.__file__)"], work).strip()
    assert Path(where).is_relative_to(installed.parent.parent)
    command = installed.parent / "squeeze2c"
    assert run([command, "--version"], work) == f"squeeze2c {__version__}\n"
    run([command, *COMPILE, "-o", "from_wheel", "--target", "cortex-m4"], work)
    run(
        [sys.executable, "-m", "squeeze2c", *COMPILE, "-o", "from_checkout", "-t", "cortex-m4"],
        work, PYTHONPATH=str(checkout),
    )  # fmt: skip
    ours = contents(work / "from_checkout")
    assert contents(work / "from_wheel") == ours
    assert {"net.c", "net.h", "net_weights.c", "manifest.json"} <= set(ours)


def test_the_wheel_verifies(installed: Path, work: Path) -> None:
    require_package("onnxruntime")
    command = installed.parent / "squeeze2c"
    run([command, *COMPILE, "-o", "verified"], work)
    shown = run([command, "verify", "verified", "--images", "images.npz"], work)
    assert "elements unlike the oracle's" in shown


def test_importing_it_needs_none_of_the_extras(installed: Path, work: Path) -> None:
    script = (
        "import sys\n"
        "blocked = ('onnxruntime', 'torch', 'onnx2torch', 'matplotlib', 'skimage', 'sklearn')\n"
        "sys.modules.update(dict.fromkeys(blocked))\n"
        "from squeeze2c.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    run([installed, "-c", script, *COMPILE, "-o", "plain"], work)
    run([installed, "-c", script, "inspect", "net.onnx"], work)
