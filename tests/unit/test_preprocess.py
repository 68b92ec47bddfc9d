"""From camera pixels to the float model's input."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from squeeze2c.errors import ShapeError, UsageError
from squeeze2c.frontend import Preprocess

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3)).astype(np.uint8)


def test_formula_in_rgb_order() -> None:
    mean, std = (10.0, 20.0, 30.0), (2.0, 3.0, 4.0)
    got = Preprocess("rgb", mean, std).apply(IMAGES)
    assert got.dtype == np.float32
    assert got.shape == (2, 3, 3, 4)
    expected = (IMAGES.astype(np.float64) - mean) / std
    np.testing.assert_array_equal(got, expected.transpose(0, 3, 1, 2).astype(np.float32))


def test_bgr_reads_blue_first_and_mean_is_in_the_models_order() -> None:
    got = Preprocess("bgr", (103.0, 116.0, 123.0), (1.0, 1.0, 1.0)).apply(IMAGES)
    np.testing.assert_array_equal(got[:, 0], IMAGES[..., 2].astype(np.float32) - 103)
    np.testing.assert_array_equal(got[:, 2], IMAGES[..., 0].astype(np.float32) - 123)
    assert Preprocess("bgr").order == (2, 1, 0)
    assert Preprocess("rgb").order == (0, 1, 2)


def test_grey_images() -> None:
    grey = Preprocess("rgb", (5.0,), (2.0,))
    got = grey.apply(IMAGES[..., :1])
    np.testing.assert_array_equal(got[:, 0], (IMAGES[..., 0].astype(np.float32) - 5) / 2)
    assert grey.order == Preprocess("bgr", (5.0,), (2.0,)).order == (0,)


def test_presets() -> None:
    caffe = Preprocess.named("caffe")
    assert (caffe.channels, caffe.std, caffe.resize, caffe.crop) == ("bgr", (1, 1, 1), 256, True)
    assert caffe.mean == (103.939, 116.779, 123.68)
    torch = Preprocess.named("torchvision")
    white = torch.apply(np.full((1, 1, 1, 3), 255, np.uint8)).ravel()
    expected = (1 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    np.testing.assert_allclose(white, expected, rtol=1e-6)
    none = Preprocess.named("none")
    np.testing.assert_array_equal(none.apply(IMAGES), IMAGES.transpose(0, 3, 1, 2))
    with pytest.raises(UsageError, match="unknown preprocessing") as caught:
        Preprocess.named("keras")
    assert caught.value.hint and "caffe" in caught.value.hint


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"channels": "grb"}, "channel order"),
        ({"mean": (1.0, 2.0)}, "2 entries and std has 3"),
        ({"mean": (), "std": ()}, "0 entries"),
        ({"mean": (0.0, math.nan, 0.0)}, "mean must be finite"),
        ({"std": (1.0, 0.0, 1.0)}, "std must be finite and positive"),
        ({"std": (1.0, -1.0, 1.0)}, "std must be finite and positive"),
        ({"std": (1.0, math.inf, 1.0)}, "std must be finite and positive"),
        ({"resize": 0}, "at least 1 pixel"),
    ],
)
def test_nonsense_is_the_users_error(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Preprocess(**fields)


@pytest.mark.parametrize("images", [IMAGES.astype(np.float32), IMAGES[0]])
def test_images_of_another_kind_are_refused(images: np.ndarray) -> None:
    with pytest.raises(ShapeError):
        Preprocess().apply(images)


@pytest.mark.parametrize(
    "preprocess", [Preprocess.named("caffe"), Preprocess("bgr"), Preprocess(std=(1.0, 1.0, 2.0))]
)
def test_another_number_of_channels_is_refused(preprocess: Preprocess) -> None:
    for images in (IMAGES[..., :1], np.zeros((1, 2, 2, 4), np.uint8)):
        with pytest.raises(UsageError, match="preprocessing has 3 channels"):
            preprocess.apply(images)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_pixels_as_they_are_suit_any_number_of_channels(channels: int) -> None:
    plain = Preprocess(resize=20, crop=True).for_channels(channels)
    assert plain.keeps_pixels and len(plain.mean) == len(plain.std) == channels
    assert (plain.resize, plain.crop) == (20, True)
    images = np.full((1, 2, 2, channels), 7, np.uint8)
    np.testing.assert_array_equal(Preprocess().apply(images), np.full((1, channels, 2, 2), 7.0))


@pytest.mark.parametrize("name", ["caffe", "torchvision", "none"])
def test_json_round_trip(name: str) -> None:
    preset = Preprocess.named(name)
    text = json.dumps(preset.to_json())
    assert Preprocess.from_json(json.loads(text)) == preset


@pytest.mark.parametrize(
    "data",
    [
        {}, {"channels": "rgb"}, {**Preprocess().to_json(), "mean": 3},
        {**Preprocess().to_json(), "mean": ["x", "y", "z"]},
        {**Preprocess().to_json(), "resize": "large"},
        {**Preprocess().to_json(), "channels": "rbg"},
    ],
)
def test_foreign_json_is_the_users_error(data: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Preprocess.from_json(data)
