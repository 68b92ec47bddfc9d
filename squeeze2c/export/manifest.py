"""``manifest.json``: what was generated, from what, and how large it is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from squeeze2c.frontend import Preprocess
from squeeze2c.lower import CProgram, Layer
from squeeze2c.memory import ArenaPicture, MemoryPlan, live_at
from squeeze2c.schedule import Candidate

MANIFEST_FILE = "manifest.json"
FORMAT_VERSION = 1
ORACLE_FILE = "reference/oracle.npz"
FLOAT_MODEL_FILE = "reference/model.onnx"
SCHEDULE_FILE = "reference/schedule.json"


@dataclass(frozen=True, slots=True)
class ManifestInputs:
    """What the manifest says beyond the program itself.

    ``schedule``: what was chosen of ``candidates``. ``sources``: .c files relative to the
    folder.
    ``notes``: remarks for the user.
    """

    version: str
    target: str
    source_file: str
    source_sha256: str
    preprocess: Preprocess
    softmax: bool
    calibration_images: int
    schedule: Candidate
    candidates: tuple[Candidate, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...] = ()


def build_manifest(program: CProgram, inputs: ManifestInputs) -> dict[str, Any]:
    """The manifest as JSON types; keys are documented in ``docs/output-format.md``."""
    image = program.input
    return {
        "format_version": FORMAT_VERSION,
        "squeeze2c_version": inputs.version,
        "name": program.name,
        "target": inputs.target,
        "macs": program.macs,
        "source": {"file": inputs.source_file, "sha256": inputs.source_sha256},
        "input": {
            "rows": image.rows,
            "cols": image.cols,
            "channels": image.channels,
            "mode": "push" if program.push else "frame",
            "format": program.input_format.name,
            "row_bytes": program.input_row_bytes,
            "preprocess": inputs.preprocess.to_json(),
        },
        "output": {
            "classes": program.classes,
            "logit_scale": program.logit_scale,
            "softmax": inputs.softmax,
        },
        "calibration": {"images": inputs.calibration_images},
        "flash": {"parameters_bytes": program.parameters_bytes},
        "ram": {
            "arena_bytes": program.arena_bytes,
            "lower_bound_bytes": program.lower_bound_bytes,
            "input_bytes": program.input_row_bytes if program.push else program.image_bytes,
            "arena_alignment": program.arena_alignment_bytes,
        },
        "weights": {"bytes": program.parameters_bytes, "crc32": program.weights_crc32},
        "build": {"sources": list(inputs.sources), "include_dirs": [".", "runtime"]},
        "schedule": {
            "kind": inputs.schedule.kind,
            "strip_rows": max(inputs.schedule.schedule.strip_rows),
            "running_pools": any(inputs.schedule.schedule.running),
            "steps": len(program.steps),
            "predicted_instructions": inputs.schedule.instructions,
            "candidates": [_candidate(c) for c in inputs.candidates],
        },
        "notes": list(inputs.notes),
        "layers": [_layer(layer) for layer in program.layers],
    }


def manifest_text(manifest: dict[str, Any]) -> str:
    """The manifest as it stands in the file."""
    return json.dumps(manifest, indent=2) + "\n"


def schedule_text(picture: ArenaPicture) -> str:
    """``schedule.json``: every step and every buffer, a line each."""
    document = picture.to_json()
    items = {
        key: "[\n" + ",\n".join(json.dumps(i, separators=(",", ":")) for i in value) + "\n]"
        if isinstance(value, list)
        else json.dumps(value)
        for key, value in {"format_version": FORMAT_VERSION, **document}.items()
    }
    return "{\n" + ",\n".join(f'"{key}": {value}' for key, value in items.items()) + "\n}\n"


def largest_layers(program: CProgram, count: int = 3) -> str:
    """The layers with the most parameters, for messages."""
    ranked = sorted(program.layers, key=lambda layer: -layer.parameters_bytes)[:count]
    return _listed((layer.name, layer.parameters_bytes) for layer in ranked)


def largest_buffers(plan: MemoryPlan, count: int = 3) -> str:
    """The buffers that weigh most where the arena is fullest, for messages."""
    fullest = max(
        (live_at(plan.buffers, r.start) for b in plan.buffers for r in b.live),
        key=lambda live: sum(b.size_bytes for b in live),
        default=(),
    )
    ranked = sorted(fullest, key=lambda b: -b.size_bytes)[:count]
    return _listed((b.name, b.size_bytes) for b in ranked)


def _listed(items: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {size:,} B" for name, size in items)


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "kind": candidate.kind,
        "strip_rows": max(candidate.schedule.strip_rows),
        "running_pools": any(candidate.schedule.running),
        "arena_bytes": candidate.arena_bytes,
        "predicted_instructions": candidate.instructions,
    }


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "index": layer.index,
        "name": layer.name,
        "kind": layer.kind,
        "onnx_nodes": list(layer.provenance.onnx_nodes),
        "output": layer.output,
        "shape": list(layer.output_shape),
        "macs": layer.macs,
        "kernel": layer.kernel.symbol,
        "strip_rows": layer.strip_rows,
        "parameters_bytes": layer.parameters_bytes,
    }
