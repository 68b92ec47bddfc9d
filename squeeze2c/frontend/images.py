"""Images and labels from the disk: calibration, verification and simulation read them here."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from squeeze2c.errors import CalibrationError, Squeeze2cError, UsageError
from squeeze2c.frontend.preprocess import Preprocess

SUFFIXES = (".jpg", ".jpeg", ".png")
ErrorType = Callable[..., Squeeze2cError]
_DAMAGED_ARCHIVE = (
    OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError,
    RuntimeError, TypeError, LookupError,
)
"""What NumPy and zipfile raise on files that are no .npz, or one with a damaged byte."""
_DAMAGED_IMAGE = (
    OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError
)
_DEEP_MODES = ("I", "F")
_LARGEST_CLASS = 2**31 - 1


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
        labels = _checked_labels(labels, len(images), str(path), error)[:limit]
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


def read_labels(
    path: Path | str,
    names: tuple[str, ...],
    *,
    truncate: bool = False,
    error: ErrorType = CalibrationError,
) -> np.ndarray:
    """The class number of every image in ``names``, int64 (n,).

    The file is a ``.npy``, or text with one line per image, in order: a class
    number. Lines of the form ``NAME NUMBER`` go by the image's file name and
    may be in any order; they may name other images too. Blank lines and lines
    that begin with ``#`` are skipped. With ``truncate``, a file of bare numbers
    may be longer than ``names``. Raises ``error`` where a label is missing,
    negative or not a number.
    """
    path = Path(path)
    where = str(path)
    try:
        if path.suffix == ".npy":
            values = np.load(path, allow_pickle=False)
            return _checked_labels(values, len(names), where, error, truncate)
        lines = list(_text_lines(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, EOFError) as problem:
        raise error(f"not a readable file of labels: {problem}", where=where) from problem

    ordered: list[int] = []
    by_name: dict[str, int] = {}
    for number, words in lines:
        try:
            label = int(words[-1])
        except ValueError:
            raise error(
                f"line {number}: {words[-1]!r} is not a class number", where=where
            ) from None
        if label > _LARGEST_CLASS:
            raise error(f"line {number}: class number {label} is too large", where=where)
        if len(words) == 1:
            ordered.append(label)
        else:
            by_name[words[0]] = label
    if ordered and by_name:
        raise error("some lines have a name and some have none", where=where)
    if by_name:
        missing = [n for n in names if n not in by_name]
        if missing:
            raise error(f"no label for image {missing[0]!r}", where=where)
        ordered, truncate = [by_name[n] for n in names], False
    return _checked_labels(np.asarray(ordered, np.int64), len(names), where, error, truncate)


def _text_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and words (at most two: a name may hold spaces) of the lines that count."""
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if line and not line.startswith("#"):
            yield number, line.rsplit(maxsplit=1)


def _checked_labels(
    labels: np.ndarray, count: int, where: str, error: ErrorType, truncate: bool = False
) -> np.ndarray:
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise error(
            f"labels are {labels.dtype} of shape {labels.shape}, expected a list of integers",
            where=where,
        )
    if truncate:
        labels = labels[:count]
    if len(labels) != count:
        raise error(f"{len(labels)} labels for {count} images", where=where)
    if labels.min(initial=0) < 0:
        raise error(f"negative class number {labels.min()}", where=where)
    if labels.max(initial=0) > _LARGEST_CLASS:
        raise error(f"class number {labels.max()} is too large", where=where)
    return labels.astype(np.int64)
