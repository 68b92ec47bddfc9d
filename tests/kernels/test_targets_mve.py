"""Kernels for Helium on the emulated core that has it, and in their C form on others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from squeeze2c.kernels.catalogue import CONV2D_MVE, CONV2D_SUM_MVE, CONV3X3_MVE
from tests.kernels import generate, generate_signed
from tests.kernels.test_requantise import exact, operands
from tests.kernels.test_targets import emulated_exit_code
from tests.support.vectors import Vectors

pytestmark = pytest.mark.emulated


@pytest.fixture(scope="module", params=["any", "3x3"])
def vectors(request: pytest.FixtureRequest, build_dir: Path) -> Path:
    """The folder of ``vectors.h``: all that the runner wants, most of it for Helium."""
    collected = Vectors()
    row = operands()[0]
    collected.add_requantise(*row, exact(*row))
    if request.param == "any":
        _add_any(collected)
    else:
        for conv in generate_signed.conv3x3_cases():
            collected.add_conv(conv, False, CONV3X3_MVE)
    for pool in generate.pool_cases()[::2]:
        collected.add_pool(pool)
    collected.add_add(generate.add_cases()[0])
    collected.add_softmax(np.arange(5, dtype=np.int32), 0.1)
    collected.set_crc(b"crc")
    folder = build_dir / f"vectors_mve_{request.param}"
    folder.mkdir()
    (folder / "vectors.h").write_text(collected.text)
    return folder


def _add_any(collected: Vectors) -> None:
    own = len(generate.conv_cases())
    for conv in (*generate.conv_cases()[::9], *generate_signed.conv_cases()[own:]):
        collected.add_conv(conv, False, CONV2D_MVE)
    own = len(generate.conv_sum_cases())
    for conv in (*generate.conv_sum_cases()[4::9], *generate_signed.conv_sum_cases()[own::2]):
        collected.add_conv(conv, True, CONV2D_SUM_MVE)


@pytest.mark.parametrize("level", ["-O0", "-Os", "-O2", "-O3"])
def test_helium(level: str, vectors: Path, tmp_path: Path) -> None:
    """At -O0 there is a frame pointer, in a register that the assembler counts in."""
    assert emulated_exit_code("cortex-m55", [level], vectors, tmp_path / "program.elf") == 0


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4"])
def test_plain_c(core: str, vectors: Path, tmp_path: Path) -> None:
    assert emulated_exit_code(core, ["-O2"], vectors, tmp_path / "program.elf") == 0
