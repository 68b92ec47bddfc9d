"""Graphs on disk: one ``.npz`` holding the arrays and a JSON description of everything else.

The same graph always yields the same bytes.
"""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
import zlib
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np

from squeeze2c.errors import ArtifactError
from squeeze2c.ir import ops
from squeeze2c.ir.graph import Graph
from squeeze2c.ir.types import Value

FORMAT_VERSION = 1
_DESCRIPTION = "graph.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_OPERATORS = {
    name: kind
    for name, kind in vars(ops).items()
    if isinstance(kind, type) and issubclass(kind, ops.Node)
}
_UNREADABLE = (
    OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
    AttributeError, LookupError, TypeError, ValueError,
)
"""What zipfile, json and the revival of a graph raise on damaged or foreign files."""


def dump_graph(graph: Graph) -> bytes:
    """``graph`` as the bytes of an ``.npz`` file."""
    description = {
        "format_version": FORMAT_VERSION,
        "name": graph.name,
        "input": graph.input,
        "output": graph.output,
        "softmax": graph.softmax,
        "nodes": [{"kind": n.kind, **_plain(n)} for n in graph.nodes],
        "values": [_plain(v) for v in graph.values.values()],
        "constants": list(graph.constants),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _write(archive, _DESCRIPTION, json.dumps(description, indent=1).encode())
        for index, array in enumerate(graph.constants.values()):
            data = io.BytesIO()
            np.lib.format.write_array(data, array, allow_pickle=False)
            _write(archive, f"{index}.npy", data.getvalue())
    return buffer.getvalue()


def load_graph(path: Path | str) -> Graph:
    """The graph in the file at ``path``. Raises :class:`ArtifactError` where it holds none."""
    try:
        with zipfile.ZipFile(path) as archive:
            description = json.loads(archive.read(_DESCRIPTION))
            version = description["format_version"]
            if version == FORMAT_VERSION:
                return _revive_graph(description, archive)
    except _UNREADABLE as error:
        raise ArtifactError(
            f"not a graph that squeeze2c wrote: {error!r}",
            where=str(path),
            hint="compile the model again",
        ) from error
    raise ArtifactError(
        f"graph format {version}, this version reads {FORMAT_VERSION}",
        where=str(path),
        hint="compile the model again",
    )


def _revive_graph(description: dict[str, Any], archive: zipfile.ZipFile) -> Graph:
    constants = {
        name: np.lib.format.read_array(
            io.BytesIO(archive.read(f"{index}.npy")), allow_pickle=False
        )
        for index, name in enumerate(description["constants"])
    }
    values = [_revive(Value, v) for v in description["values"]]
    return Graph(
        name=description["name"],
        nodes=tuple(_revive(_OPERATORS[n.pop("kind")], n) for n in description["nodes"]),
        values={v.name: v for v in values},
        constants=constants,
        input=description["input"],
        output=description["output"],
        softmax=description["softmax"],
    )


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = _UNIX  # by default the platform's, and so the bytes would differ
    # Not compressed: what comes out of zlib differs from version to version.
    archive.writestr(info, data, zipfile.ZIP_STORED)


def _plain(item: Any) -> Any:
    """Dataclasses to dictionaries, tuples to lists, enums to their values."""
    if dataclasses.is_dataclass(item) and not isinstance(item, type):
        return {f.name: _plain(getattr(item, f.name)) for f in dataclasses.fields(item)}
    if isinstance(item, Enum):
        return item.value
    if isinstance(item, tuple):
        return [_plain(i) for i in item]
    return item


def _revive(kind: Any, data: Any) -> Any:
    """The inverse of :func:`_plain` for the annotated type ``kind``."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{k: _revive(hints[k], v) for k, v in data.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if isinstance(data, list):
        item = get_args(kind)[0] if get_args(kind) else None
        return tuple(_revive(item, i) for i in data)
    if isinstance(data, dict):
        return _revive(next(a for a in get_args(kind) if dataclasses.is_dataclass(a)), data)
    return data
