"""The kernels for Cortex-M0: segments, and products that are made of 16-bit ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squeeze2c.kernels import KernelSpec
from squeeze2c.reference.softmax import softmax_q16
from squeeze2c.schedule.cost_m0 import SEGMENT_TAPS, segments
from tests.kernels import check, generate, generate_m0
from tests.kernels.test_requantise import c_requantise, exact, operands
from tests.support.kernel_library import Build, Kernels, load_kernels

KERNELS: dict[str, Callable[..., None]] = {
    **{f"s2c_conv2d_u8_s8_u8_{n}x1__m0": check.check_conv for n in (8, 16, 88, 224)},
    **{f"s2c_conv2d_sum_u8_s8_s32_{n}x1__m0": check.check_conv_sum for n in (8, 16, 88)},
}
SHORT = Build("gcc", ("-O2", "-DS2C_NO_LONG_MULTIPLY=1"))
WORDS_PER_TAP = 19


@pytest.fixture(scope="module")
def short(build_dir: Path) -> Kernels:
    """A library as for a core that multiplies 32 bits by 32 and keeps 32."""
    return load_kernels(SHORT, build_dir)


@pytest.mark.parametrize("symbol", KERNELS)
def test_segments_and_groups(kernels: Kernels, symbol: str) -> None:
    for case in generate_m0.conv_cases():
        KERNELS[symbol](kernels, case, KernelSpec.parse(symbol))


def stream_of(kernels: Kernels, weights: np.ndarray) -> tuple[list[np.ndarray], int, int]:
    """Taps of each segment of a channel, the number that the function returns, and the total."""
    ffi = kernels.ffi
    taps = weights.size
    ffi.cdef(
        "uint32_t s2c_stream__m0(const int8_t *, uint32_t, uint32_t *, int32_t *);", override=True
    )
    memory = kernels.memory(weights)
    room = kernels.room(taps + taps % 2 + (taps + taps % 2) // 2 + 3, "uint32")
    total: Any = ffi.new("int32_t *")
    count = kernels.lib.s2c_stream__m0(
        kernels.pointer(memory, "int8_t"), taps, kernels.pointer(room, "uint32_t"), total
    )
    room.check()
    words, at, found = room.array, 0, []
    while int(words[at]) != 0xFFFFFFFE:
        length = (0xFFFFFFFF ^ int(words[at])) // WORDS_PER_TAP
        found.append(words[at + 1 : at + length].view(np.int32).copy())
        at += length
    return found, int(count), int(total[0])


def test_streams_hold_the_weights_in_segments_that_fit(kernels: Kernels) -> None:
    for case in (*generate_m0.conv_cases(), *generate.conv_cases()[::7]):
        if not case.weight.any():
            continue
        counts = segments(case.weight)
        for channel, expected in zip(case.weight, counts, strict=True):
            flat = channel.ravel()
            found, count, total = stream_of(kernels, flat)
            assert len(found) == count == expected, case.label
            assert total == int(flat.astype(int).sum())
            taps = np.concatenate(found)
            np.testing.assert_array_equal(taps[: flat.size], flat)
            assert not taps[flat.size :].any()
            assert all(np.abs(s).sum() <= 255 and len(s) <= SEGMENT_TAPS for s in found)


def test_requantisation_without_long_products(short: Kernels) -> None:
    rows = operands()
    acc, multiplier, shift = np.array(rows, np.int64).T
    columns = (acc.astype(np.int32), multiplier.astype(np.int32), shift.astype(np.uint8))
    np.testing.assert_array_equal(c_requantise(short, columns), [exact(*row) for row in rows])


def test_softmax_without_long_products(short: Kernels) -> None:
    rng = np.random.default_rng(33)
    ends = np.array([-(2**31), 2**31 - 1, 0, 1, -1, 2**31 - 2])
    for beta, shift in ((1, 16), (2**31 - 1, 16), (2**31 - 1, 62), (12345678, 40), (3, 30)):
        for spread in (1, 100, 10**6, 2**31 - 1):
            logits = rng.integers(-spread, spread, 50, endpoint=True)
            for values in (logits, np.append(logits, ends), logits[:1], logits[:1].repeat(7)):
                values = values.astype(np.int32)
                memory, out = short.memory(values), short.room(len(values), "uint32")
                short.lib.s2c_softmax_q16(
                    short.pointer(memory, "int32_t"), len(values), beta, shift,
                    short.pointer(out, "uint32_t"),
                )
                np.testing.assert_array_equal(out.array, softmax_q16(values, beta, shift))
