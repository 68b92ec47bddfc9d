"""SMLAD on four words at once is SMLAD; kernels give the same bits with and without it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from squeeze2c.kernels import KernelSpec
from tests.kernels.test_layers import SUITES
from tests.support.kernel_library import (
    WARNINGS,
    Build,
    Kernels,
    include_flags,
    load_kernels,
    run,
)
from tests.support.tools import require_tool

FORMS = {
    "vectors of SSE2": ("-O2", "-msse2"),
    "vectors of GNU C": ("-O2", "-U__SSE2__"),
    "instruction by instruction": ("-O2", "-DS2C_DSP_EMULATE"),
}
COMPARISON = r"""
#include "s2c_dsp_lanes.h"

static const uint16_t halves[] = {0,   1,      2,      127,    128,    255,
                                  256, 0x7FFF, 0x8000, 0x8001, 0xFF80, 0xFFFF};
#define COUNT (sizeof halves / sizeof halves[0])

static uint32_t word(uint32_t i)
{
    return (uint32_t)halves[i % COUNT] << 16 | halves[i / COUNT];
}

int main(void)
{
    const uint32_t acc[4] = {0, 1, 0x80000000u, 0xFFFFFFFFu};
    for (uint32_t i = 0; i < COUNT * COUNT; ++i) {
        for (uint32_t k = 0; k < COUNT * COUNT; ++k) {
            const uint32_t a[4] = {word(i), word(i), word(k), word(k / 2u)};
            uint32_t got[4];
            uint32_t low[4];
            s2c_lanes_store4(low, s2c_lanes_sxtb16(s2c_lanes_load4(a)));
            s2c_lanes_store4(got, s2c_lanes_smlad(s2c_lanes_load4(a), s2c_lanes_all(word(k)),
                                                  s2c_lanes_load4(acc)));
            for (uint32_t lane = 0; lane < 4u; ++lane) {
                if (got[lane] != s2c_smlad(a[lane], word(k), acc[lane]) ||
                    low[lane] != s2c_sxtb16(a[lane])) {
                    return 1;
                }
            }
        }
    }
    return 0;
}
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("form", ["vectors of SSE2", "vectors of GNU C"])
def test_lanes_equal_the_instruction(form: str, compiler: str, tmp_path: Path) -> None:
    source, program = tmp_path / "lanes.c", tmp_path / "lanes"
    source.write_text(COMPARISON)
    run([require_tool(compiler), *WARNINGS, *FORMS[form], *include_flags(), source, "-o", program])
    assert subprocess.run([program], check=False, timeout=60).returncode == 0


@pytest.fixture(scope="module", params=FORMS)
def form(request: pytest.FixtureRequest, build_dir: Path) -> Kernels:
    return load_kernels(Build("gcc", FORMS[request.param]), build_dir)


@pytest.mark.parametrize("symbol", [s for s in SUITES if s.endswith("__dsp")])
def test_every_form_equals_the_oracle(form: Kernels, symbol: str) -> None:
    cases, check_case = SUITES[symbol]
    for case in cases():
        check_case(form, case, KernelSpec.parse(symbol))
