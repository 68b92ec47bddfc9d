"""Several contexts at the same time: from threads, and one inside the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.host import HostModel
from tests.differential.conftest import Case
from tests.differential.programs import build_program, run_program
from tests.support.tools import require_tool


@pytest.mark.parametrize("name", ["branches", "signed maps", "one pixel"])
def test_a_run_inside_a_run(name: str, case_of: Callable[..., Case], tmp_path: Path) -> None:
    """Around every step and row of one image a whole other image is computed; neither notices."""
    require_tool("gcc")
    case = case_of(name)
    program = build_program(case.artifact, "nested", tmp_path / "program", "gcc", ("-O2",))
    (tmp_path / "images").write_bytes(case.images[:2].tobytes())
    run_program(program, tmp_path / "images", tmp_path / "output")
    output = np.fromfile(tmp_path / "output", np.int32)
    np.testing.assert_array_equal(output[:-1].reshape(2, -1), case.logits[:2])
    layers = case.artifact.layers
    rows = sum(layer["shape"][0] for layer in layers if len(layer["shape"]) == 3)
    assert output[-1] == 2 * case.layer_steps() + rows


def test_threads_share_a_model(case_of: Callable[..., Case], build_dir: Path) -> None:
    """Traced and plain runs on four threads, each with an image of its own."""
    case = case_of("v1.1 bypass")
    model = HostModel(case.artifact, flags=("-O2",), cache_dir=build_dir)
    model.run(case.images[0])
    model.run_layers(case.images[0])

    def run(job: int) -> None:
        index = job % len(case.images)
        image = case.images[index]
        if job % 3 == 0:
            for output, array in model.run_layers(image).items():
                np.testing.assert_array_equal(array, case.oracle[output][index], output)
        np.testing.assert_array_equal(model.run(image), case.logits[index])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(40)))
