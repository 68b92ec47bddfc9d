"""The kernels for PCs in all their forms, also those that nothing selects on this machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from squeeze2c.kernels import KernelSpec, block_weights
from tests.kernels.test_layers import SUITES
from tests.support.kernel_library import Build, Kernels, load_kernels

AVX512 = ("avx512f", "avx512_vnni")
# What each form needs of the processor.
FORMS = {
    ("-O2", "-mavx512f", "-mavx512vnni"): AVX512,
    ("-O0", "-mavx512f", "-mavx512vnni"): AVX512,
    ("-O3", "-mavx2"): ("avx2",),
    ("-O0", "-mavx2"): ("avx2",),
    ("-O3",): (),
    # What other processors get.
    ("-O2", "-U__SSE2__"): (),
}
BUILDS = [("gcc", flags) for flags in FORMS] + [
    ("clang", flags) for flags in FORMS if "-O0" not in flags and len(flags) > 1
]


def processor_flags() -> set[str]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return {flag for line in lines if line.startswith("flags") for flag in line.split()}


@pytest.fixture(scope="module", params=BUILDS, ids=lambda b: " ".join((b[0], *b[1])))
def form(request: pytest.FixtureRequest, build_dir: Path) -> Kernels:
    compiler, flags = request.param
    lacking = set(FORMS[flags]) - processor_flags()
    if lacking:
        pytest.skip(f"this processor has no {', '.join(sorted(lacking))}")
    return load_kernels(Build(compiler, flags), build_dir)


@pytest.mark.parametrize("symbol", [s for s in SUITES if s.endswith("__host")])
def test_every_form_equals_the_oracle(form: Kernels, symbol: str) -> None:
    cases, check_case = SUITES[symbol]
    for case in cases():
        check_case(form, case, KernelSpec.parse(symbol))


@pytest.mark.parametrize("channels", [1, 3, 15, 16, 17, 33])
def test_tiles_become_what_plain_weights_are(kernels: Kernels, channels: int) -> None:
    rng = np.random.default_rng(channels)
    for shape in ((1, 1, 1), (1, 1, 16), (3, 3, 3), (2, 5, 7), (3, 1, 4), (1, 3, 6)):
        plain = rng.integers(-127, 128, (channels, *shape)).astype(np.int8)
        expected = block_weights(plain)
        memory, blocks = kernels.memory(plain), kernels.room(expected.size, "int8")
        window = kernels.ffi.new(
            "s2c_window *",
            {"in_channels": shape[2], "out_channels": channels, "kernel_rows": shape[0],
             "kernel_cols": shape[1]},
        )
        kernels.lib.s2c_block_tile__host(
            kernels.pointer(memory, "int8_t"), window, kernels.pointer(blocks, "int8_t")
        )
        np.testing.assert_array_equal(blocks.array, expected)
        blocks.check()
