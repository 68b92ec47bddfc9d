"""The inline functions that every kernel shares, against exact integers."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from squeeze2c.reference import requantise
from squeeze2c.reference.fixed_point import MULTIPLIER_LIMIT, clamp_u8
from tests.support.kernel_library import Kernels

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
LARGEST = MULTIPLIER_LIMIT - 1
Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def exact(acc: int, multiplier: int, shift: int) -> int:
    """Round half up of acc * multiplier / 2**shift in unbounded integers."""
    return (2 * acc * multiplier + (1 << shift)) >> (shift + 1)


def boundaries(multiplier: int, shift: int) -> set[int]:
    """Accumulators around the ends, around zero and around ties of the rounding."""
    centres = [INT32_MIN, INT32_MAX, 0]
    for r in (-256, -255, -1, 0, 1, 127, 254, 255):
        centres.append(((2 * r - 1) << shift) // (2 * multiplier))
    # Where the result itself reaches the ends of int32.
    for r in (INT32_MIN, INT32_MAX):
        centres.append((r << shift) // multiplier)
    near = {c + d for c in centres for d in range(-2, 3)}
    return {
        a for a in near
        if INT32_MIN <= a <= INT32_MAX and INT32_MIN <= exact(a, multiplier, shift) <= INT32_MAX
    }


def operands() -> list[tuple[int, int, int]]:
    multipliers = (1, 2, 3, 255, 65537, 2**22 - 1, 2**22, LARGEST - 1, LARGEST)
    return [
        (acc, multiplier, shift)
        for multiplier, shift in itertools.product(multipliers, range(1, 31))
        for acc in sorted(boundaries(multiplier, shift))
    ]


def c_requantise(kernels: Kernels, columns: Columns) -> np.ndarray:
    memory = [kernels.memory(column) for column in columns]
    out = kernels.room(len(columns[0]), "int32")
    kernels.lib.shim_requantise(
        kernels.pointer(memory[0], "int32_t"), kernels.pointer(memory[1], "int32_t"),
        kernels.pointer(memory[2], "uint8_t"), len(columns[0]), kernels.pointer(out, "int32_t"),
    )
    out.check()
    return np.array(out.array)


def test_requantise_at_every_boundary(kernels: Kernels) -> None:
    rows = operands()
    assert len(rows) > 5000
    acc, multiplier, shift = np.array(rows, np.int64).T
    columns = (acc.astype(np.int32), multiplier.astype(np.int32), shift.astype(np.uint8))
    expected = [exact(*row) for row in rows]
    np.testing.assert_array_equal(c_requantise(kernels, columns), expected)


def test_requantise_of_random_numbers(kernels: Kernels) -> None:
    rng = np.random.default_rng(8)
    for shift in range(1, 31):
        multiplier = rng.integers(1, min(MULTIPLIER_LIMIT, 1 << shift), 2000, endpoint=False)
        acc = rng.integers(INT32_MIN, INT32_MAX, 2000, endpoint=True)
        shifts = np.full(2000, shift, np.uint8)
        columns = (acc.astype(np.int32), multiplier.astype(np.int32), shifts)
        np.testing.assert_array_equal(
            c_requantise(kernels, columns), requantise(acc, multiplier, shift)
        )


@given(
    st.integers(INT32_MIN, INT32_MAX), st.integers(1, MULTIPLIER_LIMIT - 1), st.integers(1, 30)
)
def test_numpy_requantise_is_exact(acc: int, multiplier: int, shift: int) -> None:
    got = requantise(np.array([acc], np.int32), multiplier, shift)
    assert got.dtype == np.int64
    assert int(got[0]) == exact(acc, multiplier, shift)


def test_saturate_at_every_boundary(kernels: Kernels) -> None:
    centres = (INT32_MIN + 2, -256, -128, 0, 128, 256, INT32_MAX - 2)
    near = [c + d for c in centres for d in range(-2, 3)]
    levels = (0, 1, 127, 128, 254, 255)
    rows = np.array(list(itertools.product(near, levels, levels)), np.int64)
    memory = [
        kernels.memory(rows[:, i].astype(dtype))
        for i, dtype in enumerate((np.int32, np.uint8, np.uint8))
    ]
    out = kernels.room(len(rows))
    kernels.lib.shim_saturate_u8(
        kernels.pointer(memory[0], "int32_t"), memory[1].address, memory[2].address, len(rows),
        out.address,
    )
    out.check()
    expected = [int(clamp_u8(np.array(r + zp), minimum)) for r, zp, minimum in rows.tolist()]
    np.testing.assert_array_equal(out.array, expected)
