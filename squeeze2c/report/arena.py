"""A generated folder in numbers: its manifest, and the arena over time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeeze2c.errors import ArtifactError
from squeeze2c.export import Artifact, read_artifact
from squeeze2c.memory import ArenaPicture, PictureBuffer
from squeeze2c.schedule import INPUT_STAGE, Step

CALLER = "image row"


@dataclass(frozen=True, slots=True)
class FolderInspection:
    """A folder that compile wrote, and the picture of its arena."""

    artifact: Artifact
    picture: ArenaPicture

    def to_json(self) -> dict[str, Any]:
        """What the manifest says of sizes, and the buffers of the arena by size."""
        manifest, picture = self.artifact.manifest, self.picture
        peak = picture.peak_step
        copied = ("squeeze2c_version", "name", "target", "source", "input", "flash", "ram")
        return {
            **{key: manifest[key] for key in copied},
            "schedule": {k: v for k, v in manifest["schedule"].items() if k != "candidates"},
            "arena": {
                "peak_step": peak,
                "peak_layer": layer_of(picture, picture.steps[peak]),
                "buffers": [
                    {
                        "name": b.name,
                        "kind": b.kind,
                        "offset_bytes": b.offset_bytes,
                        "size_bytes": b.size_bytes,
                        "capacity_rows": b.capacity_rows,
                        "map_rows": b.map_rows,
                        "live_steps": b.live_steps,
                        "live_at_peak": b.is_live(peak),
                    }
                    for b in by_size(picture)
                ],
            },
        }


def inspect_folder(folder: Path | str) -> FolderInspection:
    """Read a folder that compile wrote. Raises :class:`ArtifactError` where it is none."""
    artifact = read_artifact(folder)
    try:
        document = json.loads(artifact.schedule_path.read_text(encoding="utf-8"))
        picture = ArenaPicture.from_json(document)
        if picture.arena_bytes != artifact.manifest["ram"]["arena_bytes"] or not picture.steps:
            raise ValueError("belongs to another manifest")
    except (OSError, KeyError, TypeError, ValueError) as problem:
        raise ArtifactError(
            f"not readable: {problem}",
            where=str(artifact.schedule_path),
            hint="compile the model again",
        ) from problem
    return FolderInspection(artifact, picture)


def by_size(picture: ArenaPicture) -> tuple[PictureBuffer, ...]:
    """The buffers, the largest first."""
    return tuple(sorted(picture.buffers, key=lambda b: (-b.size_bytes, b.name)))


def layer_of(picture: ArenaPicture, step: Step) -> str:
    """Who does ``step``: a layer's name, or :data:`CALLER`."""
    return CALLER if step.stage == INPUT_STAGE else picture.layers[step.stage]


def received_rows(picture: ArenaPicture) -> Iterator[tuple[int, int]]:
    """(step, row) where the caller hands over row ``row`` of the image."""
    for index, step in enumerate(picture.steps):
        if step.stage == INPUT_STAGE:
            yield index, step.first_row


def rows_text(buffer: PictureBuffer) -> str:
    """``3 of 55 rows``; empty for what does not consist of rows."""
    if not buffer.map_rows:
        return ""
    if buffer.capacity_rows == buffer.map_rows:
        return f"all {buffer.map_rows} rows"
    return f"{buffer.capacity_rows} of {buffer.map_rows} rows"
