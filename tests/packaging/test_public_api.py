"""``import squeeze2c``: what it offers, and that it costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import squeeze2c
from tests.support import onnx_models
from tests.support.tools import require_package, require_tool


def python(script: str, checkout: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_all_names_exist() -> None:
    for name in squeeze2c.__all__:
        assert getattr(squeeze2c, name) is not None
    assert dir(squeeze2c) == sorted(squeeze2c.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'bogus'"):
        squeeze2c.bogus  # noqa: B018 (the access is the test)


def test_importing_is_light(checkout: Path) -> None:
    heavy = "{'numpy', 'onnx', 'cffi', 'jinja2', 'PIL'}"
    python(f"import sys, squeeze2c; assert not {heavy} & set(sys.modules)", checkout)


def test_no_module_hides_a_function(checkout: Path) -> None:
    """Importing a submodule binds its name in the package: none may be called like the API."""
    python(
        "import importlib, inspect, pkgutil, squeeze2c\n"
        "for module in pkgutil.iter_modules(squeeze2c.__path__, 'squeeze2c.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
        "for name in set(squeeze2c.__all__) - {'errors'}:\n"
        "    assert not inspect.ismodule(getattr(squeeze2c, name)), name\n",
        checkout,
    )


def test_from_model_to_report(tmp_path: Path) -> None:
    require_tool("cc")
    require_package("onnxruntime")
    model = onnx_models.save(onnx_models.fire_net(), tmp_path / "net.onnx")
    images = onnx_models.random_images(4, 24, 24)
    artifact = squeeze2c.compile_model(
        model, tmp_path / "out", calibration=images, preprocess=onnx_models.PIXEL_PREPROCESS
    )
    loaded = squeeze2c.load(tmp_path / "out")
    assert loaded.artifact.manifest == artifact.manifest
    assert loaded.run(images[0]).dtype == np.int32
    assert squeeze2c.verify(loaded.artifact, images=images).exact
    with pytest.raises(squeeze2c.errors.ArtifactError):
        squeeze2c.load(tmp_path)
