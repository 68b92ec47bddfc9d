"""More calibration images from few."""

from __future__ import annotations

import numpy as np
import pytest

from squeeze2c.quantize.lowbit.augment import BRIGHTNESS, COPIES, augmented

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 9, 13, 3), np.uint8)


def test_the_images_come_first_then_their_mirror_images() -> None:
    more = augmented(IMAGES)
    assert more.shape == (COPIES * 3, 9, 13, 3) and more.dtype == np.uint8
    np.testing.assert_array_equal(more[:3], IMAGES)
    np.testing.assert_array_equal(more[3:6], IMAGES[:, :, ::-1])


def test_the_same_images_give_the_same_result() -> None:
    np.testing.assert_array_equal(augmented(IMAGES), augmented(IMAGES.copy()))


def test_parts_of_an_even_image_differ_in_brightness_alone() -> None:
    even = np.full((5, 16, 16, 3), 100, np.uint8)
    parts = augmented(even)[10:]
    assert (parts == parts[:, :1, :1, :1]).all()
    levels = parts[:, 0, 0, 0]
    assert levels.min() >= 100 * BRIGHTNESS[0] - 1 and levels.max() <= 100 * BRIGHTNESS[1] + 1
    assert len(np.unique(levels)) > 3


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 1, 7, 3), (1, 5, 4, 4)])
def test_odd_shapes(shape: tuple[int, ...]) -> None:
    images = np.full(shape, 255, np.uint8)
    assert augmented(images).shape == (COPIES * shape[0], *shape[1:])
