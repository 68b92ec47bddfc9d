"""An output folder, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeeze2c.errors import ArtifactError
from squeeze2c.export.manifest import (
    FLOAT_MODEL_FILE,
    FORMAT_VERSION,
    MANIFEST_FILE,
    ORACLE_FILE,
    SCHEDULE_FILE,
)
from squeeze2c.frontend import Preprocess
from squeeze2c.frontend.input_format import InputFormat, input_format


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


_REQUIRED = (
    "name", "target", "input", "output", "flash", "ram", "weights", "build", "layers",
)  # fmt: skip


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
    if not isinstance(manifest, dict) or any(key not in manifest for key in _REQUIRED):
        raise ArtifactError("not a manifest of squeeze2c", where=str(file), hint=hint)
    if manifest.get("format_version") != FORMAT_VERSION:
        raise ArtifactError(
            f"folder format {manifest.get('format_version')}, this version reads {FORMAT_VERSION}",
            where=str(file),
            hint="compile the model again",
        )
    artifact = Artifact(path.resolve(), manifest)
    references = (artifact.oracle_path, artifact.float_model_path, artifact.schedule_path)
    for needed in (*artifact.sources, *references):
        if not needed.is_file():
            raise ArtifactError(
                f"{needed.relative_to(artifact.folder)} is missing",
                where=str(path),
                hint="compile the model again",
            )
    return artifact
