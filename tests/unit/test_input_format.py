"""Camera pixel formats: what the camera delivers, and what the network sees of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squeeze2c.errors import UsageError
from squeeze2c.frontend.input_format import FORMATS, RAW, InputFormat, input_format

ALL = list(FORMATS.values())
KEEP_ALL = ("raw", "bgr888")
COLOURS = {
    # red, green, blue: BGR bytes, RGB565 word, grey
    (0, 0, 0): ((0, 0, 0), 0x0000, 0),
    (255, 255, 255): ((255, 255, 255), 0xFFFF, 255),
    (255, 0, 0): ((0, 0, 255), 0xF800, 76),
    (0, 255, 0): ((0, 255, 0), 0x07E0, 150),
    (0, 0, 255): ((255, 0, 0), 0x001F, 29),
    (0x12, 0x34, 0x56): ((0x56, 0x34, 0x12), 0x11AA, 46),
}


def images(rows: int = 3, cols: int = 5, seed: int = 0) -> np.ndarray:
    shape = (2, rows, cols, 3)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def pixel(colour: tuple[int, int, int]) -> np.ndarray:
    return np.array(colour, np.uint8).reshape(1, 1, 3)


@pytest.mark.parametrize("colour", COLOURS)
def test_known_colours(colour: tuple[int, int, int]) -> None:
    bgr, word, grey = COLOURS[colour]
    encoded = {name: tuple(f.encode(pixel(colour)).ravel().tolist()) for name, f in FORMATS.items()}
    assert encoded == {
        "raw": colour,
        "bgr888": bgr,
        "rgb565be": (word >> 8, word & 255),
        "rgb565le": (word & 255, word >> 8),
        "grey8": (grey,),
    }


@pytest.mark.parametrize("pixels", ALL, ids=lambda f: f.name)
def test_shapes_and_sizes(pixels: InputFormat) -> None:
    batch = images()
    rows = pixels.encode(batch)
    size = pixels.row_bytes(5, 3)
    assert size == 5 * {"raw": 3, "bgr888": 3, "grey8": 1}.get(pixels.name, 2)
    assert rows.dtype == np.uint8
    assert rows.shape == (2, 3, size)
    assert rows.flags.c_contiguous
    seen = pixels.decode(rows, 3)
    assert seen.dtype == np.uint8
    assert seen.shape == batch.shape
    assert seen.flags.c_contiguous
    np.testing.assert_array_equal(pixels.encode(batch[1]), rows[1])
    np.testing.assert_array_equal(pixels.decode(rows[1], 3), seen[1])


@pytest.mark.parametrize("pixels", ALL, ids=lambda f: f.name)
@given(seed=st.integers(0, 10**6))
def test_what_was_seen_once_stays_as_it_is(pixels: InputFormat, seed: int) -> None:
    """Encoding loses something only once; formats of all 24 bits lose nothing."""
    batch = images(seed=seed)
    seen = pixels.decode(pixels.encode(batch), 3)
    np.testing.assert_array_equal(pixels.decode(pixels.encode(seen), 3), seen)
    if pixels.name in KEEP_ALL:
        np.testing.assert_array_equal(seen, batch)


def test_rgb565_is_near_and_keeps_both_ends() -> None:
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    for name in ("rgb565le", "rgb565be"):
        seen = FORMATS[name].decode(FORMATS[name].encode(levels), 3).astype(int)
        assert np.abs(seen - levels).max() <= 7
        assert np.abs(seen - levels)[..., 1].max() <= 3
        assert (seen[0, 0].tolist(), seen[0, -1].tolist()) == ([0] * 3, [255] * 3)
        assert (np.diff(seen, axis=1) >= 0).all()


def test_grey_is_luma_on_all_channels() -> None:
    batch = images(40, 40)
    seen = FORMATS["grey8"].decode(FORMATS["grey8"].encode(batch), 3)
    assert (seen[..., 0] == seen[..., 1]).all() and (seen[..., 0] == seen[..., 2]).all()
    luma = batch @ np.array([0.299, 0.587, 0.114])
    assert np.abs(seen[..., 0] - luma).max() <= 0.51
    greys = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    np.testing.assert_array_equal(FORMATS["grey8"].encode(greys)[0], np.arange(256))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_raw_takes_any_number_of_channels(channels: int) -> None:
    batch = np.random.default_rng(1).integers(0, 256, (4, 6, channels)).astype(np.uint8)
    assert input_format("raw", channels) is RAW
    assert RAW.row_bytes(6, channels) == 6 * channels
    rows = RAW.encode(batch)
    assert rows.shape == (4, 6 * channels)
    np.testing.assert_array_equal(RAW.decode(rows, channels), batch)


def test_names() -> None:
    assert set(FORMATS) == {"raw", "bgr888", "rgb565le", "rgb565be", "grey8"}
    assert all(input_format(name) is FORMATS[name] for name in FORMATS)
    assert input_format("rgb888") is RAW
    assert [f.name for f in ALL if not f.converts] == ["raw"]


@pytest.mark.parametrize("name", ["", "RGB888", "rgb565", "yuv422", "bgr"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="unknown input format") as caught:
        input_format(name)
    assert caught.value.where == "--input-format"
    assert "rgb565le" in (caught.value.hint or "")


@pytest.mark.parametrize("channels", [1, 2, 4])
@pytest.mark.parametrize("name", [f.name for f in ALL if f.converts])
def test_conversions_need_a_network_of_three_channels(name: str, channels: int) -> None:
    with pytest.raises(UsageError, match=f"the model reads {channels}"):
        input_format(name, channels)
