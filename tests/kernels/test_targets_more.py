"""Kernels for Cortex-M0 and those that skip zeros, on the cores that choose them.

Apart from the vectors of other kernels, because there is not room for all on every board.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from squeeze2c.kernels.catalogue import (
    CONV2D_M0,
    CONV2D_SUM_M0,
    SPARSE_CONV2D_DSP,
    SPARSE_CONV2D_SUM_DSP,
)
from tests.kernels import generate, generate_m0, generate_sparse
from tests.kernels.test_requantise import exact, operands
from tests.kernels.test_targets import FLAGS, emulated_exit_code, exit_code, sources
from tests.support.kernel_library import run
from tests.support.tools import require_tool
from tests.support.vectors import Vectors


@pytest.fixture(scope="module")
def vectors(build_dir: Path) -> Path:
    """The folder of ``vectors.h``; of other kernels one vector each."""
    collected = Vectors()
    row = operands()[0]
    collected.add_requantise(*row, exact(*row))
    for conv in generate_sparse.conv_cases()[::2]:
        collected.add_conv(conv, False, SPARSE_CONV2D_DSP)
    for conv in generate_sparse.conv_sum_cases()[1::3]:
        collected.add_conv(conv, True, SPARSE_CONV2D_SUM_DSP)
    for conv in (*generate.conv_cases()[5::12], *generate_m0.conv_cases()[::2]):
        collected.add_conv(conv, False, CONV2D_M0)
    for conv in (*generate.conv_sum_cases()[9::12], *generate_m0.conv_cases()[1::2]):
        collected.add_conv(conv, True, CONV2D_SUM_M0)
    collected.add_pool(generate.pool_cases()[0])
    collected.add_add(generate.add_cases()[0])
    collected.add_softmax(np.array([-5, 0, 7], np.int32), 0.1)
    collected.set_crc(b"tail")
    folder = build_dir / "vectors_more"
    folder.mkdir()
    (folder / "vectors.h").write_text(collected.text)
    return folder


def test_vectors_on_this_machine(vectors: Path, tmp_path: Path) -> None:
    run([require_tool("gcc"), *FLAGS, "-O2", *sources(vectors), "-o", tmp_path / "program"])
    assert exit_code(tmp_path / "program") == 0


@pytest.mark.emulated
@pytest.mark.parametrize("level", ["-Os", "-O3"])
@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4", "cortex-m33"])
def test_vectors_on_cortex_m(core: str, level: str, vectors: Path, tmp_path: Path) -> None:
    assert emulated_exit_code(core, [level], vectors, tmp_path / "program.elf") == 0
