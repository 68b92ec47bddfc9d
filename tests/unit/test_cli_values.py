"""Options as text and as TOML values."""

from __future__ import annotations

import pytest

from squeeze2c.cli import values
from squeeze2c.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("131072", 131072), (131072, 131072), ("128K", 131072), ("128k", 131072),
        ("128KiB", 131072), ("128KB", 131072), ("128 KiB", 131072), ("1M", 1048576),
        ("1.5M", 1572864), ("0.5K", 512), ("1G", 1073741824), ("17B", 17), (1024.0, 1024),
    ],
)  # fmt: skip
def test_sizes(text: object, size: int) -> None:
    assert values.read_size_bytes(text, "--ram") == size


@pytest.mark.parametrize(
    "text", ["", "K", "-1", "0", "12Q", "1..5M", "0.3", "1e3", "128KiBs", "0x10", True, None, [1]]
)
def test_what_is_no_size(text: object) -> None:
    with pytest.raises(UsageError, match=r"--ram: .* is not a size .*128K"):
        values.read_size_bytes(text, "--ram")


@pytest.mark.parametrize(
    "value", ["1,3,224,224", "1x3x224x224", "1, 3, 224, 224", [1, 3, 224, 224]]
)
def test_shapes(value: object) -> None:
    assert values.read_shape(value, "--input-shape") == (1, 3, 224, 224)


@pytest.mark.parametrize(
    "value", ["", "1,3,224", "1,3,224,224,1", "1,3,-224,224", "1,3,0,224", "a,b,c,d",
              [1, 3, 224], [1, 3, 224.0, 224], [True, 3, 224, 224], 5, None]
)  # fmt: skip
def test_what_is_no_shape(value: object) -> None:
    with pytest.raises(UsageError, match=r"--input-shape: .* is not a shape"):
        values.read_shape(value, "--input-shape")


@pytest.mark.parametrize(
    ("value", "percent"), [("2", 2.0), ("0.5%", 0.5), (" 100 % ", 100.0), (0, 0.0), (2.5, 2.5)]
)
def test_percentages(value: object, percent: float) -> None:
    assert values.read_percent(value, "--max-drop") == percent


@pytest.mark.parametrize("value", ["", "a", "-1", "101", "nan", "inf", True, None, [1]])
def test_what_is_no_percentage(value: object) -> None:
    with pytest.raises(UsageError, match=r"--max-drop: .* is not a percentage"):
        values.read_percent(value, "--max-drop")


def test_numbers() -> None:
    assert values.read_numbers("103.939,116.779, 123.68", "--mean") == (103.939, 116.779, 123.68)
    assert values.read_numbers([1, 2.5], "mean") == (1.0, 2.5)
    assert values.read_numbers(127.5, "mean") == (127.5,)


@pytest.mark.parametrize("value", ["", "a", "1,,2", [1, "2"], [True], None, {}])
def test_what_are_no_numbers(value: object) -> None:
    with pytest.raises(UsageError, match=r"--mean: .* is not a list of numbers"):
        values.read_numbers(value, "--mean")


def test_pixels() -> None:
    assert values.read_pixels("256", "--resize") == 256
    assert values.read_pixels(256, "resize") == 256
    assert values.read_pixels("none", "--resize") is None


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", 0, -3, True, 1.5, [256]])
def test_what_are_no_pixels(value: object) -> None:
    with pytest.raises(UsageError, match=r"--resize: .* is not a length"):
        values.read_pixels(value, "--resize")


def test_text_and_flags() -> None:
    assert values.read_text("caffe", "--preprocess") == "caffe"
    assert values.read_flag(True, "--force") is True
    with pytest.raises(UsageError, match="name: 5 is not a text"):
        values.read_text(5, "name")
    with pytest.raises(UsageError, match="force: 'yes' is neither true nor false"):
        values.read_flag("yes", "force")
