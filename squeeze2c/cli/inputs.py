"""What ``verify`` and ``simulate`` read: a generated folder, and images that suit it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from squeeze2c.errors import UsageError

if TYPE_CHECKING:
    from squeeze2c.export import Artifact
    from squeeze2c.frontend import ImageSet


def read_inputs(
    folder: Path, images: Path, limit: int | None, labels: Path | None = None
) -> tuple[Artifact, ImageSet]:
    """The artifact in ``folder``, and at most ``limit`` images made for its network.

    Raises :class:`ArtifactError`, and :class:`UsageError` where images or labels are no good.
    """
    from squeeze2c.export import read_artifact
    from squeeze2c.frontend import load_images

    artifact = read_artifact(folder)
    rows, cols, channels = artifact.input_shape
    chosen = load_images(
        images, rows=rows, cols=cols, channels=channels, preprocess=artifact.preprocess,
        limit=limit, labels=labels, error=UsageError,
    )
    return artifact, chosen
