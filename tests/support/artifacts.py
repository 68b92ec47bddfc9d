"""Compiled networks for tests that run generated code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx

from squeeze2c.export import Artifact
from squeeze2c.frontend import Preprocess
from squeeze2c.pipeline import compile_model
from tests.support.onnx_models import save


def compiled(
    model: onnx.ModelProto,
    folder: Path,
    calibration: np.ndarray,
    preprocess: Preprocess,
    name: str = "net",
    **options: Any,
) -> Artifact:
    """``model`` compiled into a new folder called ``name`` below ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = save(model, folder / f"{name}.onnx")
    return compile_model(
        path, folder / name, calibration=calibration, preprocess=preprocess, name=name, **options
    )
