"""ONNX files: read, checked, made self-contained."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import (  # type: ignore[import-untyped]  # ships no types
    DecodeError,
    Message,
)
from onnx import inliner
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from squeeze2c.errors import ModelLoadError
from squeeze2c.frontend.model_rules import NEWEST_OPSET, OLDEST_IR, OLDEST_OPSET
from squeeze2c.frontend.node import STANDARD_DOMAIN

_LONGEST_MESSAGE = 300
_EXPORT_AGAIN = "export the model again"
_KEEP_DATA = "keep the data files beside the model, under the names they were exported with"


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A valid ONNX model. ``sha256`` is that of the file, in hexadecimal.

    ``proto`` holds all weights, also those that lie in files of their own, and no
    functions: they are inlined.
    """

    path: Path
    sha256: str
    proto: onnx.ModelProto

    @property
    def opset(self) -> int:
        """Version of the standard operators."""
        return _opsets(self.proto)[0]


def load_onnx(path: Path | str) -> LoadedModel:
    """The ONNX model in the file ``path``; external data is looked for beside it.

    Raises :class:`ModelLoadError` where there is no such file, it is not a complete ONNX
    model, its external data is missing, or its IR version or opset is out of range.
    """
    path = Path(path)
    data = _read(path)
    model = _parse(data, path)
    _check_text(model, path)
    _shorten_domains(model)
    _check_versions(model, path)
    _inline_data(model, path)
    try:
        if model.functions:
            model = inliner.inline_local_functions(model)
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError, RuntimeError, TypeError) as problem:
        raise ModelLoadError(
            f"not a valid ONNX model: {_one_line(problem)}", where=str(path), hint=_EXPORT_AGAIN
        ) from problem
    return LoadedModel(path, hashlib.sha256(data).hexdigest(), model)


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise ModelLoadError("this is a folder, not an ONNX file", where=str(path))
    try:
        data = path.read_bytes()
    except FileNotFoundError as problem:
        raise ModelLoadError("no such file", where=str(path)) from problem
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise ModelLoadError(f"cannot read this file: {reason}", where=str(path)) from problem
    if not data:
        raise ModelLoadError("the file is empty", where=str(path), hint=_EXPORT_AGAIN)
    return data


def _parse(data: bytes, path: Path) -> onnx.ModelProto:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as problem:
        raise ModelLoadError(
            "not an ONNX file, or a truncated one", where=str(path), hint=_EXPORT_AGAIN
        ) from problem
    if not model.HasField("graph") or not model.graph.node:
        raise ModelLoadError(
            "not an ONNX model: it holds no graph", where=str(path), hint=_EXPORT_AGAIN
        )
    return model


def _check_text(model: onnx.ModelProto, path: Path) -> None:
    """Names are read everywhere; what is no text would fail wherever that first happens.

    Depending on its version, protobuf raises or returns bytes for such a name.
    """
    try:
        intact = all(isinstance(text, str) for text in _strings(model))
    except UnicodeDecodeError:
        intact = False
    if not intact:
        raise ModelLoadError(
            "damaged ONNX model: a name is not text", where=str(path), hint=_EXPORT_AGAIN
        )


def _strings(message: Message) -> Iterator[str | bytes]:
    for field, value in message.ListFields():
        items = (value,) if isinstance(value, (str, bytes, Message)) else value
        if field.type == field.TYPE_STRING:
            yield from items
        elif field.type == field.TYPE_MESSAGE:
            for item in items:
                yield from _strings(item)


def _shorten_domains(model: onnx.ModelProto) -> None:
    """``ai.onnx`` is another name of the standard domain, which the ONNX checker forgets."""
    for item in (*model.opset_import, *model.graph.node):
        if item.domain == "ai.onnx":
            item.domain = STANDARD_DOMAIN


def _check_versions(model: onnx.ModelProto, path: Path) -> None:
    where = str(path)
    if not OLDEST_IR <= model.ir_version <= onnx.IR_VERSION:
        raise ModelLoadError(
            f"ONNX IR version {model.ir_version}, squeeze2c reads {OLDEST_IR} to {onnx.IR_VERSION}",
            where=where,
            hint="a newer package onnx may read it"
            if model.ir_version > onnx.IR_VERSION
            else _EXPORT_AGAIN,
        )
    versions = _opsets(model)
    if not versions:
        raise ModelLoadError(
            "the model does not say which version of the ONNX operators it uses",
            where=where,
            hint=_EXPORT_AGAIN,
        )
    if not OLDEST_OPSET <= versions[0] <= NEWEST_OPSET:
        raise ModelLoadError(
            f"ONNX opset {versions[0]}, squeeze2c reads {OLDEST_OPSET} to {NEWEST_OPSET}",
            where=where,
            hint="onnx.version_converter.convert_version(model, 13) may convert it",
        )


def _opsets(model: onnx.ModelProto) -> list[int]:
    return [int(o.version) for o in model.opset_import if o.domain == STANDARD_DOMAIN]


def _inline_data(model: onnx.ModelProto, path: Path) -> None:
    """Reads weights that lie in other files into ``model``."""
    for tensor in filter(uses_external_data, model.graph.initializer):
        location = ExternalDataInfo(tensor).location
        if not os.path.exists(path.parent / location):
            raise ModelLoadError(
                f"the file {location!r} with its external data is missing",
                where=str(path),
                hint=_KEEP_DATA,
            )
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
    except (onnx.checker.ValidationError, OSError, ValueError, RuntimeError) as problem:
        raise ModelLoadError(
            f"cannot read its external data: {_one_line(problem)}",
            where=str(path),
            hint=_KEEP_DATA,
        ) from problem


def _one_line(problem: Exception) -> str:
    """A message of ONNX, which may span lines and end in a dump of the model."""
    text = " ".join(str(problem).split()).rstrip(".") or type(problem).__name__
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}..."
