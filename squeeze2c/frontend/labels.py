"""Class numbers of images: from files of their own, and checked wherever they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from squeeze2c.errors import CalibrationError, Squeeze2cError

ErrorType = Callable[..., Squeeze2cError]
_LARGEST_CLASS = 2**31 - 1


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
            return checked_labels(values, len(names), where, error, truncate)
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
    return checked_labels(np.asarray(ordered, np.int64), len(names), where, error, truncate)


def _text_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and words (at most two: a name may hold spaces) of the lines that count."""
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if line and not line.startswith("#"):
            yield number, line.rsplit(maxsplit=1)


def checked_labels(
    labels: np.ndarray, count: int, where: str, error: ErrorType, truncate: bool = False
) -> np.ndarray:
    """``labels`` as int64 (count,). Raises ``error`` where they are not ``count`` class numbers.

    With ``truncate`` there may be more of them.
    """
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
