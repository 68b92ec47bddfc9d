"""A folder that is optimised for size, in its firmware."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from squeeze2c.emulate import simulate
from squeeze2c.emulate.stack import stack_bound
from squeeze2c.export import read_artifact, write_folder
from squeeze2c.ir import Graph
from squeeze2c.pipeline import build_program
from squeeze2c.target import core_named
from tests.support.programs import files_of

pytestmark = pytest.mark.emulated

CORE = core_named("cortex-m4")


def test_firmware_is_built_for_size(tiny: Graph, images: np.ndarray, tmp_path: Path) -> None:
    results = {}
    for aim in ("speed", "size"):
        built = build_program(tiny, CORE, "tiny")
        write_folder(tmp_path / aim, files_of(built, tiny, optimize=aim))
        artifact = read_artifact(tmp_path / aim)
        results[aim] = simulate(artifact, "mps2-an386", images[:1])
        assert results[aim].mismatches == 0
        assert read_artifact(tmp_path / aim).manifest["ram"]["stack_measured_board"] == "mps2-an386"
    assert results["speed"].compiler.endswith("-O3")
    assert results["size"].compiler.endswith("-Os")


def test_its_code_is_smaller(tiny: Graph) -> None:
    files = files_of(build_program(tiny, CORE, "tiny"), tiny)
    bounds = {aim: stack_bound(files, "tiny", CORE, aim) for aim in ("speed", "size")}
    speed, size = bounds["speed"], bounds["size"]
    assert speed is not None and size is not None
    assert size.code_bytes < 0.8 * speed.code_bytes
    assert size.functions == speed.functions
