"""The output folder: written at once or not at all, and read back."""

from squeeze2c.export.artifact import Artifact, read_artifact
from squeeze2c.export.folder import check_output, write_folder
from squeeze2c.export.manifest import (
    MANIFEST_FILE,
    SCHEDULE_FILE,
    Calibration,
    ManifestInputs,
    build_manifest,
    largest_buffers,
    largest_layers,
    manifest_text,
    schedule_text,
)
from squeeze2c.export.runtime_files import profile_files, runtime_files

__all__ = [
    "MANIFEST_FILE",
    "SCHEDULE_FILE",
    "Artifact",
    "Calibration",
    "ManifestInputs",
    "build_manifest",
    "check_output",
    "largest_buffers",
    "largest_layers",
    "manifest_text",
    "profile_files",
    "read_artifact",
    "runtime_files",
    "schedule_text",
    "write_folder",
]
