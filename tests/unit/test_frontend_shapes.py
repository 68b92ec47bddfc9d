"""Shape arithmetic against enumeration of windows and against NumPy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squeeze2c.frontend.shapes import (
    ceil_padding,
    flattened,
    normalised_axes,
    reshaped,
    resolve_window,
    same_padding,
    show,
    squeezed,
)
from squeeze2c.ir import Padding, Window


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4))
def test_same_padding_fits_a_window_per_stride(size: int, kernel: int, stride: int) -> None:
    before, after = same_padding(size, kernel, stride, "SAME_UPPER")
    assert same_padding(size, kernel, stride, "SAME_LOWER") == (after, before)
    assert after - before in (0, 1)
    windows = range(-before, size + after - kernel + 1, stride)
    assert len(windows) == math.ceil(size / stride)
    if before or after:
        assert windows[-1] + kernel == size + after, "no more padding than the last window needs"


@given(
    st.integers(1, 40), st.integers(1, 7), st.integers(1, 4), st.integers(0, 6), st.integers(0, 6)
)
def test_ceil_padding_adds_the_windows_that_start_inside(
    size: int, kernel: int, stride: int, before: int, after: int
) -> None:
    before, after = min(before, kernel - 1), min(after, kernel - 1)
    result = ceil_padding(size, kernel, stride, before, after)
    assert after <= result

    # Starts of all windows in ceil mode: those that fit, and one that hangs over the end.
    fitting = list(range(-before, size + after - kernel + 1, stride))
    extra = -before + len(fitting) * stride
    hangs_over = (size + before + after - kernel) % stride != 0
    if not fitting:
        # Rounding up allows one window on a map smaller than the kernel by less than a stride.
        hangs_over = -(size + before + after - kernel) < stride
        extra = -before
    expected = fitting + ([extra] if hangs_over and extra < size else [])
    assert list(range(-before, size + result - kernel + 1, stride)) == expected
    # As pooling needs it: no window holds padding only.
    assert all(start < size and start + kernel > 0 for start in expected)


def test_ceil_mode_of_squeezenet() -> None:
    for size, pooled in ((111, 55), (109, 54), (54, 27), (55, 27), (27, 13), (13, 6), (8, 4)):
        window = resolve_window((size, size), (3, 3), (2, 2), ceil_mode=True)
        assert window.counts(size, size) == (pooled, pooled)
        assert window.padding == Padding(0, 0, 1 - size % 2, 1 - size % 2)


def test_explicit_pads_are_kept() -> None:
    window = resolve_window((10, 12), (3, 2), (1, 2), pads=(1, 0, 2, 1))
    assert window == Window((3, 2), (1, 2), Padding(1, 0, 2, 1))
    assert window.counts(10, 12) == (11, 6)


@pytest.mark.parametrize("auto_pad", ["VALID", "SAME_UPPER", "SAME_LOWER"])
def test_auto_pad_ignores_pads(auto_pad: str) -> None:
    window = resolve_window((10, 10), (3, 4), (1, 1), pads=(9, 9, 9, 9), auto_pad=auto_pad)
    expected = {
        "VALID": Padding(),
        "SAME_UPPER": Padding(1, 1, 1, 2),
        "SAME_LOWER": Padding(1, 2, 1, 1),
    }
    assert window.padding == expected[auto_pad]


def test_window_larger_than_the_map() -> None:
    assert min(Window((3, 3)).counts(2, 9)) == 0
    assert min(Window((9, 3), (2, 1)).counts(1, 9)) < 1


# --- reshaping ------------------------------------------------------------------------


def test_reshape_agrees_with_numpy() -> None:
    shape = (2, 3, 4)
    for target in itertools.product((-1, 1, 2, 3, 4, 6, 12, 24), repeat=2):
        try:
            expected = np.empty(shape).reshape(target).shape
        except ValueError:
            expected = None
        assert reshaped(shape, target) == expected, target


def test_reshape_copies_axes() -> None:
    assert reshaped((1, 10, 1, 1), (0, -1)) == (1, 10)
    assert reshaped((1, 10, 1, 1), (0, 0)) == (1, 10)
    assert reshaped((1, 10), (0, 0, 0)) is None
    assert reshaped((1, 10), (0, -1), allow_zero=True) is None
    assert reshaped((0, 10), (0, 3), allow_zero=True) == (0, 3)
    assert reshaped((1, 10), (-2, -5)) is None
    assert reshaped((1, 10), ()) is None
    assert reshaped((1, 1), ()) == ()


def test_flatten() -> None:
    shape = (2, 3, 4, 5)
    assert [flattened(shape, axis) for axis in range(5)] == [
        (1, 120), (2, 60), (6, 20), (24, 5), (120, 1),
    ]
    assert flattened(shape, -3) == (2, 60)
    assert flattened(shape, -4) == (1, 120)
    assert flattened(shape, 5) is None
    assert flattened(shape, -5) is None


def test_squeeze() -> None:
    assert squeezed((1, 10, 1, 1), (2, 3)) == (1, 10)
    assert squeezed((1, 10, 1, 1), (-1,)) == (1, 10, 1)
    assert squeezed((1, 10, 1, 1), None) == (10,)
    assert squeezed((1, 10, 1, 1), (1,)) is None
    assert squeezed((1, 10, 1, 1), (4,)) is None
    assert squeezed((1, 10, 1, 1), ()) == (1, 10, 1, 1)


def test_normalised_axes() -> None:
    assert normalised_axes((-1, 2, 3), 4) == (2, 3)
    assert normalised_axes((-5,), 4) is None


def test_show() -> None:
    assert show((1, 3, "n", "?")) == "(1, 3, n, ?)"
    assert show(()) == "()"
