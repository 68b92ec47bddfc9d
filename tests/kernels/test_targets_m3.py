"""The kernels for Cortex-M3 on it, on larger cores that run its code, and as C on a Cortex-M0.

Apart from the vectors of other kernels, because there is not room for all on every board.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from squeeze2c.kernels.catalogue import CONV2D_M3, CONV2D_SUM_M3
from tests.kernels import generate, generate_m3
from tests.kernels.test_requantise import exact, operands
from tests.kernels.test_targets import CORTEX, emulated_exit_code
from tests.support.vectors import Vectors


@pytest.fixture(scope="module")
def vectors(build_dir: Path) -> Path:
    """The folder of ``vectors.h``; of other kernels one vector each."""
    collected = Vectors()
    row = operands()[0]
    collected.add_requantise(*row, exact(*row))
    for conv in generate_m3.conv_cases()[::4]:
        if conv.weight.size < 2000:
            collected.add_conv(conv, False, CONV2D_M3)
    for conv in generate_m3.conv_sum_cases()[1::4]:
        if conv.weight.size < 2000:
            collected.add_conv(conv, True, CONV2D_SUM_M3)
    for pool in generate.pool_cases():
        collected.add_pool(pool)
    collected.add_add(generate.add_cases()[0])
    collected.add_softmax(np.array([-5, 0, 7], np.int32), 0.1)
    collected.set_crc(b"tail")
    folder = build_dir / "vectors_m3"
    folder.mkdir()
    (folder / "vectors.h").write_text(collected.text)
    return folder


@pytest.mark.emulated
@pytest.mark.parametrize("level", ["-O0", "-Os", "-O3"])
@pytest.mark.parametrize("core", CORTEX)
def test_vectors_on_cortex_m(core: str, level: str, vectors: Path, tmp_path: Path) -> None:
    assert emulated_exit_code(core, [level], vectors, tmp_path / "program.elf") == 0
