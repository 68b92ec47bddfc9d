"""Weights in the order of the kernels for pairs of channels."""

from __future__ import annotations

import numpy as np
import pytest

from squeeze2c.kernels import pair_weights


def test_one_quad_of_one_pair() -> None:
    first, second = [1, -2, 3, -4], [10, 20, -30, -40]
    assert pair_weights(np.array([first, second], np.int8)).tolist() == [
        256 * 10 + 1, 256 * -30 + 3, 256 * 20 - 2, 256 * -40 - 4
    ]  # fmt: skip


def test_even_taps_of_all_quads_come_first() -> None:
    weight = np.array([range(8), [0] * 8], np.int8)
    assert pair_weights(weight).tolist() == [0, 2, 4, 6, 1, 3, 5, 7]


@pytest.mark.parametrize("outputs", [1, 2, 3, 5])
@pytest.mark.parametrize("taps", [1, 3, 4, 6, 27])
def test_both_channels_can_be_read_back(outputs: int, taps: int) -> None:
    """By the low byte, and by what is left of it; what is missing is zero."""
    rng = np.random.default_rng(0)
    weight = rng.integers(-127, 128, (outputs, taps)).astype(np.int8)
    weight[0, :1] = -127
    quads = -(-taps // 4)
    halves = pair_weights(weight).reshape(-1, 2, quads, 2)
    words = halves.transpose(0, 2, 3, 1).reshape(len(halves), 4 * quads)
    first = words.astype(np.int8)
    second = (words - first) // 256
    read = np.stack([first, second], axis=1).reshape(-1, 4 * quads)
    np.testing.assert_array_equal(read[:outputs, :taps], weight)
    assert not read[outputs:].any()
    assert not read[:, taps:].any()
