"""Timing of layers, with a counter that the test sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from squeeze2c.resources import runtime_dir
from squeeze2c.target import CORES, Core
from tests.support.kernel_library import WARNINGS, include_flags, run
from tests.support.tools import require_tool

FOLDER = runtime_dir() / "profile"
SOURCE = FOLDER / "s2c_ticks.c"
CROSS = tuple(core for core in CORES.values() if core.gcc_flags)
PROGRAM = r"""
#include <assert.h>
#include <string.h>

#include "s2c_hooks.h"
#include "s2c_ticks.h"

static uint32_t now;
static uint32_t bits_of_now;
static uint32_t cost; /* ticks that every reading takes */

static uint32_t counter(void)
{
    const uint32_t read = now & (UINT32_MAX >> (32u - bits_of_now));

    now += cost;
    return read;
}

static s2c_status start(uint64_t *ticks, uint32_t layers, uint32_t bits)
{
    bits_of_now = bits;
    return s2c_ticks_start(ticks, layers, counter, bits);
}

static void step(uint32_t layer, uint32_t taken)
{
    S2C_ON_LAYER_BEGIN(layer);
    now += taken;
    S2C_ON_LAYER_END(layer);
}

static void steps_add_up(uint32_t bits, uint32_t first, uint32_t each)
{
    uint64_t ticks[4] = {1, 2, 3, 4};

    now = first;
    assert(start(ticks, 3, bits) == S2C_OK);
    assert(ticks[0] == 0 && ticks[1] == 0 && ticks[2] == 0);
    step(0, 100);
    step(2, each);
    step(0, 23);
    step(2, each);
    step(3, 50); /* not one of the layers */
    s2c_ticks_stop();
    step(1, 50);
    assert(ticks[0] == 123);
    assert(ticks[1] == 0);
    assert(ticks[2] == 2u * (uint64_t)each);
    assert(ticks[3] == 4);
}

int main(void)
{
    uint64_t ticks[2] = {7, 7};

    step(0, 1); /* before any start */
    assert(s2c_ticks_start(NULL, 1, counter, 32) == S2C_ERROR_NULL);
    assert(start(ticks, 0, 32) == S2C_ERROR_ARGUMENT);
    assert(s2c_ticks_start(ticks, 1, counter, 0) == S2C_ERROR_ARGUMENT);
    assert(s2c_ticks_start(ticks, 1, counter, 33) == S2C_ERROR_ARGUMENT);
    assert(s2c_ticks_start(ticks, 1, NULL, 32) == S2C_ERROR_ARGUMENT); /* none here */
    step(0, 1);
    assert(ticks[0] == 7);
    for (cost = 0; cost < 12u; cost += 11u) {
        steps_add_up(32, 0, 1000);
        steps_add_up(32, UINT32_MAX - 60u, 3000000000u);
        steps_add_up(24, 0xFFFFF0u, 0xFFFF00u);
        steps_add_up(8, 250, 230);
    }
    return 0;
}
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_time_of_every_layer(compiler: str, tmp_path: Path) -> None:
    require_tool(compiler)
    program = tmp_path / "program.c"
    program.write_text(PROGRAM)
    run(
        [compiler, *WARNINGS, "-O2", *include_flags(), f"-I{FOLDER}",
         '-DS2C_HOOKS_HEADER="s2c_ticks.h"', program, SOURCE, "-o", tmp_path / "program"]
    )  # fmt: skip
    run([tmp_path / "program"])


@pytest.mark.parametrize("level", ["-O0", "-Os", "-O3"])
@pytest.mark.parametrize("core", CROSS, ids=lambda core: core.name)
def test_cross_compiler_is_silent(core: Core, level: str, tmp_path: Path) -> None:
    compiler = require_tool("arm-none-eabi-gcc")
    run(
        [compiler, *WARNINGS, level, *core.gcc_flags, "--specs=picolibc.specs",
         *include_flags(), f"-I{FOLDER}", "-c", SOURCE, "-o", tmp_path / "ticks.o"]
    )  # fmt: skip


def test_cores_with_a_cycle_counter(tmp_path: Path) -> None:
    """What a NULL source stands for is known to the preprocessor."""
    compiler = require_tool("arm-none-eabi-gcc")
    unit = tmp_path / "unit.c"
    unit.write_text('#include "s2c_ticks.h"\ncounter=S2C_TICKS_DWT systick=S2C_TICKS_SYSTICK\n')
    for core in CROSS:
        text = run([compiler, *core.gcc_flags, "--specs=picolibc.specs", *include_flags(),
                    f"-I{FOLDER}", "-E", "-P", unit])  # fmt: skip
        expected = "counter=0" if core.name == "cortex-m0" else "counter=1"
        assert text.splitlines()[-1] == f"{expected} systick=1", core.name
