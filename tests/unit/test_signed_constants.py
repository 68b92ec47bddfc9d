"""Constants in the order of the kernels for Helium."""

from __future__ import annotations

import numpy as np
import pytest

from squeeze2c.kernels import signed_constants


def test_blocks_of_two_channels_take_turns() -> None:
    weight = np.arange(64, dtype=np.int8).reshape(2, 32)
    weights, _ = signed_constants(weight, np.zeros(2, np.int32), np.ones(2, np.int32))
    first = [*range(16), *range(32, 48), *range(16, 32), *range(48, 64)]
    assert weights.ravel().tolist() == first + 64 * [0]


def test_a_quad_of_biases_and_multipliers() -> None:
    weight = np.array([[1], [2], [3], [4], [-1]], np.int8)
    bias = np.array([10, 20, 30, 40, 50], np.int32)
    multiplier = np.array([1, 2, 3, 4, 5], np.int32)
    _, numbers = signed_constants(weight, bias, multiplier)
    biases = (bias + 128 * weight[:, 0].astype(np.int32)).tolist()
    assert numbers.tolist() == [
        biases[0], biases[2], 128, 384, biases[1], biases[3], 256, 512,
        biases[4], 0, 640, 0, 0, 0, 0, 0,
    ]  # fmt: skip


def test_windows_of_three_columns_come_by_sixteen_channels() -> None:
    weight = np.arange(9 * 2, dtype=np.int8).repeat(16).reshape(1, -1)
    weights, _ = signed_constants(weight, np.zeros(1, np.int32), np.ones(1, np.int32), 2)
    # Blocks are (row, column, half) in memory, and read as (row, half, column).
    order = [row * 6 + col * 2 + half for row in range(3) for half in range(2) for col in range(3)]
    assert weights[0, :, 0, 0].tolist() == order


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_biases_fit_where_accumulators_do(sign: int) -> None:
    weight = np.full((1, 100), 127 * sign, np.int8)
    reach = 255 * 127 * 100
    bias = np.array([sign * (2**31 - 1 - reach)], np.int32)
    _, numbers = signed_constants(weight, bias, np.full(1, (1 << 23) - 1, np.int32))
    assert numbers[0] == bias[0] + sign * 128 * 127 * 100
    assert numbers[2] == ((1 << 23) - 1) * 128
