"""Generated C equals the oracle in every byte of every layer, whoever compiles it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.host import HostModel
from squeeze2c.verification import verify
from tests.differential.conftest import Case
from tests.differential.networks import NETWORKS
from tests.support.tools import require_package, require_tool

BUILDS = [
    pytest.param(compiler, flags, id=" ".join((compiler, *flags)))
    for compiler in ("gcc", "clang")
    for flags in (("-O0",), ("-O2",), ("-O3", "-march=native"))
]


@pytest.mark.parametrize(("compiler", "flags"), BUILDS)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_byte(
    name: str,
    compiler: str,
    flags: tuple[str, ...],
    case_of: Callable[..., Case],
    build_dir: Path,
) -> None:
    require_tool(compiler)
    case = case_of(name)
    model = HostModel(case.artifact, compiler=compiler, flags=flags, cache_dir=build_dir)
    for index, image in enumerate(case.images):
        traced = model.run_layers(image)
        assert list(traced) == case.outputs
        for output, array in traced.items():
            expected = case.oracle[output][index]
            assert array.dtype == expected.dtype
            np.testing.assert_array_equal(array, expected, f"image {index}, {output}")


@pytest.mark.parametrize("name", NETWORKS)
def test_without_hooks(name: str, case_of: Callable[..., Case], build_dir: Path) -> None:
    """The build that users get yields the same logits as the traced one."""
    case = case_of(name)
    model = HostModel(case.artifact, flags=("-O1",), cache_dir=build_dir)
    ours = np.stack([model.run(image) for image in case.images])
    np.testing.assert_array_equal(ours, case.logits)
    model.check_weights()


@pytest.mark.parametrize("name", NETWORKS)
def test_float_model_is_near(name: str, case_of: Callable[..., Case], build_dir: Path) -> None:
    """The integer network approximates the float model that was compiled, in every layer."""
    require_package("onnxruntime")
    case = case_of(name)
    report = verify(case.artifact, images=case.images, flags=("-O1",), cache_dir=build_dir)
    assert report.oracle_mismatches == 0
    assert report.logit_sqnr_db > 30
    maps = [layer for layer in case.artifact.layers if len(layer["shape"]) == 3]
    assert len(report.layers) == len(maps)
    assert report.layers[0].sqnr_db > 25
