"""Images from the disk: calibration, verification and simulation read them here."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from squeeze2c.errors import CalibrationError, UsageError
from squeeze2c.frontend.labels import ErrorType, checked_labels, read_labels
from squeeze2c.frontend.preprocess import Preprocess

SUFFIXES = (".jpg", ".jpeg", ".png")
_DAMAGED_ARCHIVE = (
    OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError,
    RuntimeError, TypeError, LookupError,
)
"""What NumPy and zipfile raise on files that are no .npz, or one with a damaged byte."""
_DAMAGED_IMAGE = (
    OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError
)
_DEEP_MODES = ("I", "F")
_MOST_PIXELS = 2**27
"""What an image may be scaled to."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """``images`` uint8 (n, rows, cols, channels), RGB; ``labels`` int64 (n,) or None.

    ``names`` has one entry per image: file names, or ``FILE.npz[i]``.
    """

    images: np.ndarray
    labels: np.ndarray | None
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def first(self, count: int | None) -> ImageSet:
        """The first ``count`` images, all where None."""
        labels = self.labels if self.labels is None else self.labels[:count]
        return ImageSet(self.images[:count], labels, self.names[:count])


def load_images(
    path: Path | str,
    *,
    rows: int,
    cols: int,
    channels: int,
    preprocess: Preprocess,
    limit: int | None = None,
    labels: Path | str | None = None,
    error: ErrorType = CalibrationError,
) -> ImageSet:
    """Images of (rows, cols, channels) from a folder, an image file or an ``.npz``.

    Image files (JPEG, PNG; a folder's in order of name) are converted to RGB,
    or to grey where ``channels`` is 1. If ``preprocess.resize`` is set, the
    shorter side is scaled to it; if ``preprocess.crop`` is set, rows x cols are
    cut from the centre. What results must then have exactly that size: nothing
    is ever stretched. An ``.npz`` holds ``images`` uint8 (n, rows, cols,
    channels), taken as they are, and may hold ``labels``.

    ``labels`` names a file that :func:`read_labels` understands and overrides
    the labels in the ``.npz``. ``limit`` keeps the first so many images.

    Raises ``error``, by default :class:`CalibrationError`, where there are no
    images or one is unreadable, of the wrong type or of the wrong size, and
    :class:`UsageError` where ``limit`` is below 1.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"limit is {limit}, expected at least 1 image")
    path = Path(path)
    if not path.exists():
        raise error("no such file or folder", where=str(path))
    if path.suffix == ".npz" and path.is_file():
        result = _from_npz(path, (rows, cols, channels), limit, error)
    else:
        files = _image_files(path, error)[:limit]
        images = np.stack(
            [_from_file(f, (rows, cols, channels), preprocess, error) for f in files]
        )
        result = ImageSet(images, None, tuple(f.name for f in files))
    if labels is not None:
        found = read_labels(labels, result.names, truncate=limit is not None, error=error)
        result = ImageSet(result.images, found, result.names)
    return result


def _from_npz(
    path: Path, shape: tuple[int, int, int], limit: int | None, error: ErrorType
) -> ImageSet:
    try:
        with np.load(path, allow_pickle=False) as archive:
            if "images" not in archive:
                raise error(
                    "holds no array 'images'",
                    where=str(path),
                    hint="save uint8 images (n, rows, cols, channels) under that name",
                )
            images = archive["images"]
            labels = archive.get("labels")
    except _DAMAGED_ARCHIVE as problem:
        raise error(f"not a readable .npz file: {problem}", where=str(path)) from problem
    if images.dtype != np.uint8:
        raise error(
            f"'images' has type {images.dtype}, expected uint8",
            where=str(path),
            hint="save raw pixels 0..255; preprocessing is part of the compiled network",
        )
    if images.ndim != 4:
        raise error(
            f"'images' has shape {images.shape}, expected (n, rows, cols, channels)",
            where=str(path),
        )
    if not len(images):
        raise error("holds no images", where=str(path))
    _check_size(images.shape[1:], shape, str(path), error)
    if labels is not None:
        labels = checked_labels(labels, len(images), str(path), error)[:limit]
    images = np.ascontiguousarray(images[:limit])
    return ImageSet(images, labels, tuple(f"{path.name}[{i}]" for i in range(len(images))))


def _image_files(path: Path, error: ErrorType) -> list[Path]:
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise error(
                "not a kind of image file that squeeze2c reads",
                where=str(path),
                hint=f"give {', '.join(SUFFIXES)}, .npz or a folder of images",
            )
        return [path]
    files = sorted(f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and f.is_file())
    if not files:
        raise error(
            "folder holds no images", where=str(path), hint=f"put {', '.join(SUFFIXES)} files in it"
        )
    return files


def _from_file(
    path: Path, shape: tuple[int, int, int], preprocess: Preprocess, error: ErrorType
) -> np.ndarray:
    rows, cols, channels = shape
    if channels not in (1, 3):
        raise error(
            f"image files give 1 or 3 channels, the model wants {channels}",
            where=str(path),
            hint="give an .npz file",
        )
    try:
        with warnings.catch_warnings():
            # Pillow warns of large photographs long before it refuses them.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                mode = opened.mode
                image = opened.convert("L" if channels == 1 else "RGB")
    except _DAMAGED_IMAGE as problem:
        raise error(f"unreadable image: {problem}", where=str(path)) from problem
    if mode.startswith(_DEEP_MODES):
        # Pillow would clip them to 255: white, but for the darkest pixels.
        raise error(
            f"an image of more than 8 bits per channel ({mode})",
            where=str(path),
            hint="convert it to 8 bits",
        )
    if preprocess.resize is not None:
        factor = preprocess.resize / min(image.size)
        scaled = (round(image.width * factor), round(image.height * factor))
        if scaled[0] * scaled[1] > _MOST_PIXELS:
            raise error(
                f"scaled to {scaled[1]}x{scaled[0]} it has more than {_MOST_PIXELS:,} pixels",
                where=str(path),
                hint="choose a smaller --resize, or leave this image out",
            )
        image = image.resize(scaled, Image.Resampling.BILINEAR)
    if preprocess.crop and image.width >= cols and image.height >= rows:
        left, top = (image.width - cols) // 2, (image.height - rows) // 2
        image = image.crop((left, top, left + cols, top + rows))
    _check_size((image.height, image.width, channels), shape, str(path), error)
    return np.asarray(image, np.uint8).reshape(shape)


def _check_size(
    got: tuple[int, ...], expected: tuple[int, ...], where: str, error: ErrorType
) -> None:
    if got[:2] != expected[:2]:
        raise error(
            f"got {got[0]}x{got[1]}, expected {expected[0]}x{expected[1]} (rows x columns)",
            where=where,
            hint="for image files, --resize and --crop make the size",
        )
    if got[2] != expected[2]:
        raise error(f"got {got[2]} channels, expected {expected[2]}", where=where)
