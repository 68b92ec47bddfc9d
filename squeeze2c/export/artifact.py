"""An output folder, read back."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeeze2c.errors import ArtifactError, UsageError
from squeeze2c.export.manifest import (
    FLOAT_MODEL_FILE,
    FORMAT_VERSION,
    MANIFEST_FILE,
    ORACLE_FILE,
    SCHEDULE_FILE,
)
from squeeze2c.frontend import Preprocess
from squeeze2c.frontend.input_format import InputFormat, input_format
from squeeze2c.target import OPTIMISATION, check_optimize


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """A folder that squeeze2c wrote; ``manifest`` is the content of its ``manifest.json``."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def target(self) -> str:
        return str(self.manifest["target"])

    @property
    def layers(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(self.manifest["layers"])

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(rows, cols, channels) of the image."""
        image = self.manifest["input"]
        return image["rows"], image["cols"], image["channels"]

    @property
    def push(self) -> bool:
        """Whether the caller hands the image over row by row."""
        return bool(self.manifest["input"]["mode"] == "push")

    @property
    def input_format(self) -> InputFormat:
        """What the caller's pixels are."""
        return input_format(self.manifest["input"]["format"], self.input_shape[2])

    @property
    def classes(self) -> int:
        return int(self.manifest["output"]["classes"])

    @property
    def logit_scale(self) -> float:
        """Real logit = integer logit times this."""
        return float(self.manifest["output"]["logit_scale"])

    @property
    def preprocess(self) -> Preprocess:
        return Preprocess.from_json(self.manifest["input"]["preprocess"])

    @property
    def sources(self) -> tuple[Path, ...]:
        """All C files to compile."""
        return tuple(self.folder / p for p in self.manifest["build"]["sources"])

    @property
    def include_dirs(self) -> tuple[Path, ...]:
        return tuple(self.folder / p for p in self.manifest["build"]["include_dirs"])

    @property
    def optimize(self) -> str:
        """What the C is to be compiled for: speed or size."""
        return str(self.manifest["build"].get("optimize", "speed"))

    @property
    def optimisation(self) -> str:
        """The flag of the compiler for that."""
        return OPTIMISATION[check_optimize(self.optimize)]

    @property
    def oracle_path(self) -> Path:
        """The integer network, for :func:`squeeze2c.ir.load_graph`."""
        return self.folder / ORACLE_FILE

    @property
    def float_model_path(self) -> Path:
        """The float ONNX model."""
        return self.folder / FLOAT_MODEL_FILE

    @property
    def schedule_path(self) -> Path:
        """Steps and buffers, for :meth:`squeeze2c.memory.ArenaPicture.from_json`."""
        return self.folder / SCHEDULE_FILE


_SIZES = (
    "macs", "input.rows", "input.cols", "input.channels", "output.classes",
    "flash.parameters_bytes", "ram.arena_bytes", "ram.arena_alignment", "ram.lower_bound_bytes",
    "ram.input_bytes", "weights.bytes", "weights.crc32",
)  # fmt: skip
_LAYER_TEXTS = ("name", "kind", "output", "kernel")
_LAYER_SIZES = ("index", "macs", "parameters_bytes")


def read_artifact(folder: Path | str) -> Artifact:
    """The folder at ``folder``. Raises :class:`ArtifactError` where squeeze2c did not write it."""
    path = Path(folder)
    file = path / MANIFEST_FILE
    hint = f"give a folder that 'squeeze2c compile' wrote: it holds {MANIFEST_FILE}"
    if not path.is_dir():
        raise ArtifactError("no such folder", where=str(path), hint=hint)
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"no {MANIFEST_FILE} here", where=str(path), hint=hint) from error
    except ValueError as error:
        raise ArtifactError(f"not readable: {error}", where=str(file), hint=hint) from error
    if not isinstance(manifest, dict) or "format_version" not in manifest:
        raise ArtifactError("not a manifest of squeeze2c", where=str(file), hint=hint)
    if manifest.get("format_version") != FORMAT_VERSION:
        raise ArtifactError(
            f"folder format {manifest.get('format_version')}, this version reads {FORMAT_VERSION}",
            where=str(file),
            hint="compile the model again",
        )
    artifact = Artifact(path.resolve(), manifest)
    try:
        _read_everything(artifact)
    except (LookupError, TypeError, ValueError, AttributeError, UsageError) as error:
        raise ArtifactError(
            f"damaged manifest: {error!r}", where=str(file), hint="compile the model again"
        ) from error
    references = (artifact.oracle_path, artifact.float_model_path, artifact.schedule_path)
    for needed in (*artifact.sources, *references):
        if not needed.is_file():
            raise ArtifactError(
                f"{os.path.relpath(needed, artifact.folder)} is missing",
                where=str(path),
                hint="compile the model again",
            )
    return artifact


def _read_everything(artifact: Artifact) -> None:
    """Raise, as Python does for a wrong key or type, where something is not as documented."""
    _ = (artifact.preprocess, artifact.sources, artifact.include_dirs)
    if not 0 < artifact.logit_scale < float("inf"):
        raise ValueError(f"logit_scale is {artifact.logit_scale}")
    texts = [artifact.manifest["name"], artifact.manifest["target"]]
    sizes = []
    for key in _SIZES:
        value: Any = artifact.manifest
        for part in key.split("."):
            value = value[part]
        sizes.append(value)
    for index, layer in enumerate(artifact.manifest["layers"]):
        texts += [layer[key] for key in _LAYER_TEXTS]
        sizes += [layer[key] for key in _LAYER_SIZES]
        sizes += layer["shape"]
        if layer["index"] != index or len(layer["shape"]) not in (1, 3):
            raise ValueError(f"layer {index} is {layer}")
    wrong = [t for t in texts if not isinstance(t, str)]
    wrong += [s for s in sizes if type(s) is not int or s < 0]
    if wrong:
        raise ValueError(f"unexpected values {wrong}")
    if not artifact.layers or not artifact.name.isidentifier():
        raise ValueError(f"the name {artifact.name!r}, {len(artifact.layers)} layers")
