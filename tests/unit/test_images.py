"""Images and labels from the disk, and what is said of files that are no good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from squeeze2c.errors import ArtifactError, CalibrationError, Squeeze2cError, UsageError
from squeeze2c.frontend import ImageSet, Preprocess, load_images, read_labels

PLAIN = Preprocess()
RNG = np.random.default_rng(0)


def pixels(rows: int = 6, cols: int = 8, channels: int = 3) -> np.ndarray:
    return RNG.integers(0, 256, (rows, cols, channels)).astype(np.uint8)


def save(path: Path, array: np.ndarray) -> Path:
    Image.fromarray(array.squeeze()).save(path)
    return path


def load(path: Path, preprocess: Preprocess = PLAIN, **options: Any) -> ImageSet:
    given = {"rows": 6, "cols": 8, "channels": 3, **options}
    return load_images(path, preprocess=preprocess, **given)


def refused(path: Path, complaint: str, **options: Any) -> Squeeze2cError:
    with pytest.raises(CalibrationError, match=complaint) as caught:
        load(path, **options)
    assert caught.value.where is not None and path.name in caught.value.where
    return caught.value


def test_a_folder_in_order_of_name(tmp_path: Path) -> None:
    arrays = {name: pixels() for name in ("b.png", "a.png", "c.PNG")}
    for name, array in arrays.items():
        save(tmp_path / name, array)
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "d.png").mkdir()
    found = load(tmp_path)
    assert found.names == ("a.png", "b.png", "c.PNG")
    assert found.labels is None
    for image, name in zip(found.images, found.names, strict=True):
        np.testing.assert_array_equal(image, arrays[name])
    assert found.images.dtype == np.uint8 and found.images.shape == (3, 6, 8, 3)


def test_one_file(tmp_path: Path) -> None:
    array = pixels()
    found = load(save(tmp_path / "x.png", array))
    np.testing.assert_array_equal(found.images[0], array)
    assert len(found) == 1


def test_jpeg_is_close(tmp_path: Path) -> None:
    smooth = np.broadcast_to(np.array([90, 120, 200], np.uint8), (6, 8, 3)).copy()
    Image.fromarray(smooth).save(tmp_path / "x.jpg", quality=95)
    assert np.abs(load(tmp_path).images[0].astype(int) - smooth).max() < 6


def test_grey_and_palette_and_alpha_become_what_the_model_reads(tmp_path: Path) -> None:
    grey = pixels(channels=1)
    save(tmp_path / "grey.png", grey)
    np.testing.assert_array_equal(load(tmp_path).images[0], np.repeat(grey, 3, axis=2))
    np.testing.assert_array_equal(load(tmp_path, channels=1).images[0], grey)
    rgba = np.dstack([pixels(), np.full((6, 8), 255, np.uint8)])
    Image.fromarray(rgba).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(load(tmp_path).images[0], rgba[..., :3])


def test_shorter_side_is_resized_and_the_centre_cropped(tmp_path: Path) -> None:
    array = np.zeros((40, 60, 3), np.uint8)
    array[:, 20:40] = 255
    save(tmp_path / "wide.png", array)
    found = load(tmp_path, Preprocess(resize=20, crop=True), rows=8, cols=8).images[0]
    assert found.shape == (8, 8, 3)
    assert (found > 250).all()


def test_crop_is_exact_without_resizing(tmp_path: Path) -> None:
    array = pixels(10, 13)
    save(tmp_path / "x.png", array)
    found = load(tmp_path, Preprocess(crop=True)).images[0]
    np.testing.assert_array_equal(found, array[2:8, 2:10])


def test_limit_and_first(tmp_path: Path) -> None:
    for i in range(4):
        save(tmp_path / f"{i}.png", pixels())
    found = load(tmp_path, limit=3)
    assert found.names == ("0.png", "1.png", "2.png")
    assert len(found.first(2)) == 2
    assert len(found.first(None)) == 3


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(tmp_path: Path, limit: int) -> None:
    save(tmp_path / "x.png", np.zeros((4, 5, 3), np.uint8))
    with pytest.raises(UsageError, match=f"limit is {limit}"):
        load(tmp_path, limit=limit)


def test_npz_with_labels(tmp_path: Path) -> None:
    images = np.stack([pixels() for _ in range(3)])
    np.savez(tmp_path / "set.npz", images=images, labels=np.array([7, 0, 999], np.int16))
    found = load(tmp_path / "set.npz")
    np.testing.assert_array_equal(found.images, images)
    assert found.labels is not None
    assert found.labels.tolist() == [7, 0, 999] and found.labels.dtype == np.int64
    assert found.names == ("set.npz[0]", "set.npz[1]", "set.npz[2]")
    two = load(tmp_path / "set.npz", limit=2)
    assert two.labels is not None and two.labels.tolist() == [7, 0]
    assert found.first(1).images.shape == (1, 6, 8, 3)


def test_missing_paths_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "absent", "no such file")
    refused(tmp_path / "absent.npz", "no such file")


def test_empty_folders_are_refused(tmp_path: Path) -> None:
    refused(tmp_path, "folder holds no images")
    (tmp_path / "notes.txt").write_text("x")
    error = refused(tmp_path, "folder holds no images")
    assert error.hint and ".jpg" in error.hint


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"just text"])
@pytest.mark.parametrize("name", ["bad.jpg", "bad.png"])
def test_files_that_are_no_images_are_refused_by_name(
    name: str, content: bytes, tmp_path: Path
) -> None:
    save(tmp_path / "a.png", pixels())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CalibrationError, match="unreadable image") as caught:
        load(tmp_path)
    assert caught.value.where == str(tmp_path / name)


def test_truncated_images_are_refused(tmp_path: Path) -> None:
    for name in ("x.jpg", "x.png"):
        path = save(tmp_path / name, pixels(60, 80))
        path.write_bytes(path.read_bytes()[:-300])
        refused(path, "unreadable image", rows=60, cols=80)


@pytest.mark.parametrize("name", ["x.jpg", "x.png"])
def test_damaged_images_never_end_in_a_traceback(name: str, tmp_path: Path) -> None:
    path = save(tmp_path / name, pixels())
    data = path.read_bytes()
    refusals = 0
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 0x55
        path.write_bytes(bytes(damaged))
        try:
            load(path)
        except CalibrationError:
            refusals += 1
    assert refusals > 10


def test_images_of_more_than_8_bits_are_refused(tmp_path: Path) -> None:
    """Pillow turns them white rather than to refuse them."""
    Image.fromarray(np.full((4, 4), 5000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(CalibrationError, match=r"deep.png: .* more than 8 bits per channel"):
        load(tmp_path / "deep.png")


def test_large_photographs_are_read_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    path = save(tmp_path / "x.png", pixels())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6 * 8 - 1)
    assert len(load(path)) == 1
    assert not recwarn.list


def test_scaling_has_a_limit(tmp_path: Path) -> None:
    path = save(tmp_path / "x.png", pixels())
    refused(path, "more than 134,217,728 pixels", preprocess=Preprocess(resize=1_000_000))


def test_decompression_bombs_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "x.png", pixels())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    refused(path, "unreadable image: .*bomb")


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "x.png", pixels(7, 8))
    error = refused(path, "got 7x8, expected 6x8")
    assert error.hint and "--resize" in error.hint
    save(path, pixels(5, 20))
    with pytest.raises(CalibrationError, match="got 5x20"):
        load(path, Preprocess(crop=True))


def test_other_files_and_channels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tiff"
    path.write_bytes(b"")
    refused(path, "not a kind of image")
    refused(save(tmp_path / "x.png", pixels()), "model wants 4", channels=4)


BAD_ARCHIVES: dict[str, tuple[dict[str, np.ndarray], str]] = {
    "no images": ({"pictures": np.zeros((1, 6, 8, 3), np.uint8)}, "no array 'images'"),
    "float": ({"images": np.zeros((1, 6, 8, 3), np.float32)}, "type float32, expected uint8"),
    "one image": ({"images": np.zeros((6, 8, 3), np.uint8)}, "expected \\(n, rows"),
    "empty": ({"images": np.zeros((0, 6, 8, 3), np.uint8)}, "holds no images"),
    "size": ({"images": np.zeros((1, 8, 6, 3), np.uint8)}, "got 8x6, expected 6x8"),
    "channels": ({"images": np.zeros((1, 6, 8, 1), np.uint8)}, "got 1 channels, expected 3"),
    "labels": (
        {"images": np.zeros((2, 6, 8, 3), np.uint8), "labels": np.array([1])}, "1 labels for 2",
    ),
    "negative": (
        {"images": np.zeros((1, 6, 8, 3), np.uint8), "labels": np.array([-1])}, "negative class",
    ),
    "float labels": (
        {"images": np.zeros((1, 6, 8, 3), np.uint8), "labels": np.array([0.5])}, "list of integers",
    ),
    "labels beyond 31 bits": (
        {"images": np.zeros((1, 6, 8, 3), np.uint8), "labels": np.array([2**63], np.uint64)},
        "too large",
    ),
    "pickle": ({"images": np.array([{}], object)}, "not a readable .npz"),
}


@pytest.mark.parametrize("what", BAD_ARCHIVES)
def test_bad_archives_are_refused(what: str, tmp_path: Path) -> None:
    arrays, complaint = BAD_ARCHIVES[what]
    np.savez(tmp_path / "x.npz", **arrays)  # type: ignore[arg-type]
    refused(tmp_path / "x.npz", complaint)


@pytest.mark.parametrize("cut", [0, 1, 50, -1])
def test_damaged_archives_are_refused(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, images=np.stack([pixels()] * 4))
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    refused(path, "not a readable .npz")


def test_an_npy_called_npz_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", pixels())
    (tmp_path / "x.npy").rename(tmp_path / "x.npz")
    refused(tmp_path / "x.npz", "not a readable .npz")


def test_flipped_bytes_never_end_in_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, images=np.stack([pixels()] * 2))
    data = path.read_bytes()
    for at in range(0, len(data), 3):
        damaged = bytearray(data)
        damaged[at] ^= 0x55
        path.write_bytes(bytes(damaged))
        try:
            load(path)
        except CalibrationError:
            continue


def test_the_error_class_is_the_callers(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        load(tmp_path / "absent", error=UsageError)
    with pytest.raises(ArtifactError):
        read_labels(tmp_path / "absent", ("a",), error=ArtifactError)


NAMES = ("a.jpg", "b c.jpg", "d.jpg")


def labels_of(text: str, folder: Path, truncate: bool = False) -> list[int]:
    path = folder / "labels.txt"
    path.write_text(text, encoding="utf-8")
    return [int(label) for label in read_labels(path, NAMES, truncate=truncate)]


def test_labels_in_order_or_by_name(tmp_path: Path) -> None:
    assert labels_of("# classes\n3\n\n  1\n2\n", tmp_path) == [3, 1, 2]
    by_name = "d.jpg 9\nother.jpg 4\na.jpg\t7\nb c.jpg 8\n"
    assert labels_of(by_name, tmp_path) == [7, 8, 9]
    assert labels_of("1\n2\n3\n4\n", tmp_path, truncate=True) == [1, 2, 3]
    np.save(tmp_path / "labels.npy", np.array([4, 5, 6], np.uint8))
    assert read_labels(tmp_path / "labels.npy", NAMES).tolist() == [4, 5, 6]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1\n2\n", "2 labels for 3 images"), ("1\n2\n3\n4\n", "4 labels for 3 images"),
        ("1\ncat\n3\n", "line 2: 'cat'"), ("1\n2\n-3\n", "negative class number"),
        ("a.jpg 1\nd.jpg 2\n", "no label for image 'b c.jpg'"),
        ("a.jpg 1\n2\n3\n", "some lines have a name"), ("", "0 labels for 3"),
        ("1\n2.5\n3\n", "line 2"), ("1\n2\n99999999999999999999\n", "too large"),
    ],
)
def test_bad_labels_are_refused(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=complaint) as caught:
        labels_of(text, tmp_path)
    assert caught.value.where == str(tmp_path / "labels.txt")


def test_unreadable_label_files_are_refused(tmp_path: Path) -> None:
    for name, content in (("x.txt", b"\xff\xfe\xff"), ("x.npy", b"no array"), ("y.npy", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CalibrationError, match="not a readable file of labels"):
            read_labels(tmp_path / name, NAMES)
    with pytest.raises(CalibrationError, match="not a readable file of labels"):
        read_labels(tmp_path, NAMES)


def test_a_label_file_overrides_the_archive(tmp_path: Path) -> None:
    images = np.stack([pixels() for _ in range(2)])
    np.savez(tmp_path / "set.npz", images=images, labels=np.array([1, 1]))
    (tmp_path / "labels.txt").write_text("5\n6\n")
    found = load(tmp_path / "set.npz", labels=tmp_path / "labels.txt")
    assert found.labels is not None and found.labels.tolist() == [5, 6]
