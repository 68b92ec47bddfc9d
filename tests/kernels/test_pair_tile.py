"""Decoded weights become pairs of channels in place, as those in flash are."""

from __future__ import annotations

import numpy as np
import pytest

from squeeze2c.kernels import pair_weights
from tests.support.kernel_library import Kernels

CHANNELS = (1, 2, 3, 4, 7, 8)
TAPS = (*range(1, 14), 27, 64, 147)


@pytest.mark.parametrize("channels", CHANNELS)
def test_tiles_become_what_plain_weights_are(kernels: Kernels, channels: int) -> None:
    rng = np.random.default_rng(channels)
    for taps in TAPS:
        for weight in (
            rng.integers(-127, 128, (channels, taps)), rng.choice([-127, 127], (channels, taps))
        ):
            plain = weight.astype(np.int8)
            expected = pair_weights(plain).view(np.int8)
            memory = kernels.room(expected.size, "int8")
            memory.array[: plain.size] = plain.ravel()
            kernels.lib.s2c_pair_tile__dsp(kernels.pointer(memory, "int8_t"), channels, taps)
            np.testing.assert_array_equal(memory.array, expected)
            memory.check()
