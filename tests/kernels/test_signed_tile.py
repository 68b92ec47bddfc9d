"""Decoded tiles become what kernels for Helium read, as constants in flash are."""

from __future__ import annotations

import numpy as np
import pytest

from squeeze2c.kernels import block_taps, signed_channels, signed_constants
from tests.support.kernel_library import Kernels

CHANNELS = (1, 2, 3, 4, 5, 7, 8, 13, 64)
TAPS = (1, 9, 15, 16, 17, 27, 32, 147, 160)


def check_tile(kernels: Kernels, channels: int, taps: int, row_blocks: int) -> None:
    rng = np.random.default_rng(channels * taps)
    weight = rng.integers(-127, 128, (channels, taps)).astype(np.int8)
    bias = rng.integers(-(2**20), 2**20, channels).astype(np.int32)
    multiplier = rng.integers(1, 1 << 23, channels).astype(np.int32)
    expected, numbers = signed_constants(weight, bias, multiplier, row_blocks)
    room = signed_channels(channels)
    memory = kernels.room(room * block_taps(taps), "int8")
    memory.array[: weight.size] = weight.ravel()
    both = kernels.room(2 * room, "int32")
    both.array[:channels], both.array[room : room + channels] = bias, multiplier
    scratch = kernels.room(2 * taps, "int8")
    start = kernels.pointer(both, "int32_t")
    kernels.lib.s2c_signed_tile__mve(
        kernels.pointer(memory, "int8_t"), start, start + room, channels, taps, row_blocks,
        kernels.pointer(scratch, "int8_t"),
    )
    pairs = (channels + 1) // 2 * 2 * block_taps(taps)
    np.testing.assert_array_equal(memory.array[:pairs], expected.ravel()[:pairs])
    np.testing.assert_array_equal(both.array, numbers)
    for used in (memory, both, scratch):
        used.check()


@pytest.mark.parametrize("channels", CHANNELS)
def test_tiles_become_what_plain_constants_are(kernels: Kernels, channels: int) -> None:
    for taps in TAPS:
        check_tile(kernels, channels, taps, 0)
    for row_blocks in (1, 2, 3, 4):
        check_tile(kernels, channels, 9 * 16 * row_blocks, row_blocks)
