"""Camera pixels converted in C equal what the NumPy twin says the network sees."""

from __future__ import annotations

import numpy as np
import pytest

from squeeze2c.frontend.input_format import FORMATS, InputFormat
from tests.support.kernel_library import Kernels

CONVERTED = [f for f in FORMATS.values() if f.converts]


def convert(
    kernels: Kernels, pixels: InputFormat, row: np.ndarray, shift: int = 0
) -> np.ndarray:
    """RGB uint8 (cols, 3) of one camera row uint8 (bytes,); canaries watch both ends."""
    cols = row.size // pixels.pixel_bytes
    source, to = kernels.memory(row, shift), kernels.room(3 * cols, shift_bytes=shift)
    getattr(kernels.lib, f"shim_input_{pixels.name}")(to.address, source.address, cols)
    source.check()
    to.check()
    np.testing.assert_array_equal(source.array, row)
    return np.array(to.array).reshape(cols, 3)


@pytest.mark.parametrize("name", ["rgb565le", "rgb565be"])
def test_every_word_of_rgb565(kernels: Kernels, name: str) -> None:
    words = np.arange(65536, dtype="<u2" if name.endswith("le") else ">u2")
    row = words.view(np.uint8)
    ours = convert(kernels, FORMATS[name], row)
    np.testing.assert_array_equal(ours, FORMATS[name].decode(row[None], 3)[0])
    # Against the definition: a colour of n bits is a fraction of 2^n - 1, to within rounding.
    numbers = np.arange(65536)
    for channel, (shift, bits) in enumerate(((11, 5), (5, 6), (0, 5))):
        level = numbers >> shift & ((1 << bits) - 1)
        assert np.abs(ours[:, channel] - level * 255 / ((1 << bits) - 1)).max() <= 1
        assert (ours[:, channel] >> (8 - bits) == level).all()


def test_every_grey(kernels: Kernels) -> None:
    levels = np.arange(256, dtype=np.uint8)
    ours = convert(kernels, FORMATS["grey8"], levels)
    np.testing.assert_array_equal(ours, np.stack([levels] * 3, axis=1))


def test_bgr_is_reversed(kernels: Kernels) -> None:
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (500, 3)).astype(np.uint8)
    ours = convert(kernels, FORMATS["bgr888"], rgb[:, ::-1].ravel())
    np.testing.assert_array_equal(ours, rgb)


@pytest.mark.parametrize("cols", [0, 1, 2, 3, 7, 224])
@pytest.mark.parametrize("pixels", CONVERTED, ids=lambda f: f.name)
def test_rows_of_any_length_and_alignment(
    kernels: Kernels, pixels: InputFormat, cols: int
) -> None:
    rng = np.random.default_rng(cols)
    for shift in range(4):
        row = rng.integers(0, 256, cols * pixels.pixel_bytes).astype(np.uint8)
        expected = pixels.decode(row[None], 3)[0] if cols else np.zeros((0, 3), np.uint8)
        np.testing.assert_array_equal(convert(kernels, pixels, row, shift), expected)


@pytest.mark.parametrize("count", [0, 1, 3, 5, 672])
def test_bytes_are_copied(kernels: Kernels, count: int) -> None:
    row = np.random.default_rng(count).integers(0, 256, count).astype(np.uint8)
    source, to = kernels.memory(row, 1), kernels.room(count, shift_bytes=3)
    kernels.lib.shim_input_bytes(to.address, source.address, count)
    to.check()
    np.testing.assert_array_equal(to.array, row)
