"""Sensitivities kept on disk: measuring them takes a minute, and depends on little.

A file is named by the hash of all that the figures depend on, so one that is found fits.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from squeeze2c._version import __version__
from squeeze2c.cache import cached_file, default_folder
from squeeze2c.ir import Graph, dump_graph
from squeeze2c.quantize.lowbit.sensitivity import Sensitivity
from squeeze2c.quantize.options import QuantizeOptions

KIND = "statistics"
_COUNT = "layers"
_UNREADABLE = (
    OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
    LookupError, TypeError, ValueError,
)  # fmt: skip
"""What numpy and zipfile raise on damaged or foreign files."""

Sensitivities = tuple[Sensitivity, ...]


def kept(key: str, measure: Callable[[], Sensitivities]) -> Sensitivities:
    """What the cache holds under ``key``, else what ``measure`` finds, kept from now on.

    A damaged file is replaced. Where nothing can be written, nothing is kept.
    """
    try:
        file = default_folder(KIND) / f"{key}.npz"
    except OSError:
        return measure()
    found = _read(file)
    if found is None:
        found = measure()
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
    content = _dump(found)
    with contextlib.suppress(OSError):
        # Where the file is there, this counts as its use, so that nobody removes it.
        cached_file(file.name, file.parent, lambda path: _write(path, content))
    return found


def key_of(graph: Graph, images: np.ndarray, options: QuantizeOptions) -> str:
    """SHA-256, shortened, of all that the sensitivities of ``graph`` depend on.

    The sources of the quantizer are part of it, so that figures of another state of
    development are never taken for those of this one.
    """
    settings = dataclasses.replace(options, weight_steps=None)
    digest = hashlib.sha256()
    for part in (
        f"{__version__} {np.__version__} {settings} {images.shape}".encode(),
        *_sources(),
        dump_graph(graph),
        np.ascontiguousarray(images).tobytes(),
    ):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:32]


def _sources() -> Iterable[bytes]:
    folder = Path(__file__).resolve().parents[1]
    for file in sorted(folder.rglob("*.py")):
        yield file.read_bytes()


def _dump(sensitivities: Sensitivities) -> bytes:
    """An ``.npz`` with the fields of every layer, exactly."""
    arrays: dict[str, Any] = {_COUNT: len(sensitivities)}
    for index, layer in enumerate(sensitivities):
        for field in dataclasses.fields(layer):
            arrays[f"{index}.{field.name}"] = getattr(layer, field.name)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _read(file: Path) -> Sensitivities | None:
    """The content of ``file``; None where it is missing or damaged."""
    types = get_type_hints(Sensitivity)
    try:
        with np.load(file, allow_pickle=False) as arrays:
            layers = [
                {name: _revived(arrays[f"{index}.{name}"], kind) for name, kind in types.items()}
                for index in range(int(arrays[_COUNT]))
            ]
    except _UNREADABLE:
        return None
    return tuple(Sensitivity(**layer) for layer in layers)


def _revived(array: np.ndarray, kind: Any) -> Any:
    return array if kind is np.ndarray else array.item()
