"""``manifest.json``: what was generated, from what, and how large it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
class Calibration:
    """What is known from calibration, on ``images`` images.

    ``loss_images`` of them, with the ``agreement`` (0 to 1) and ``mean_kl`` (nats) between
    float and integer network; 0 where that was not measured. ``steps``, ``expected_kl``
    (nats): by layer, where the compiler chose them.
    """

    images: int
    loss_images: int = 0
    agreement: float | None = None
    mean_kl: float | None = None
    steps: Mapping[str, float] = field(default_factory=dict)
    expected_kl: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ManifestInputs:
    """What the manifest says beyond the program itself.

    ``schedule``: what was chosen of ``candidates``. ``code_bytes``, ``stack_bound_bytes``:
    None where no compiler could tell. ``sources``: .c files relative to the folder.
    ``notes``: remarks for the user. ``optimize``: what the C is to be compiled for.
    """

    version: str
    target: str
    source_file: str
    source_sha256: str
    preprocess: Preprocess
    softmax: bool
    calibration: Calibration
    schedule: Candidate
    candidates: tuple[Candidate, ...]
    code_bytes: int | None
    stack_bound_bytes: int | None
    sources: tuple[str, ...]
    notes: tuple[str, ...] = ()
    optimize: str = "speed"


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
        "calibration": _calibration(inputs.calibration),
        "flash": _flash(program, inputs.code_bytes),
        "ram": {
            "arena_bytes": program.arena_bytes,
            "lower_bound_bytes": program.lower_bound_bytes,
            "input_bytes": program.input_row_bytes if program.push else program.image_bytes,
            "interface_bytes": program.interface_bytes,
            "stack_bound_bytes": inputs.stack_bound_bytes,
            "arena_alignment": program.arena_alignment_bytes,
        },
        "weights": {"bytes": program.parameters_bytes, "crc32": program.weights_crc32},
        "build": {
            "sources": list(inputs.sources),
            "include_dirs": [".", "runtime"],
            "optimize": inputs.optimize,
        },
        "schedule": {
            "kind": inputs.schedule.kind,
            "strip_rows": max(inputs.schedule.schedule.strip_rows),
            "running_pools": any(inputs.schedule.schedule.running),
            "steps": len(program.steps),
            "predicted_instructions": inputs.schedule.instructions,
            "candidates": [_candidate(c) for c in inputs.candidates],
        },
        "notes": list(inputs.notes),
        "layers": [_layer(layer, inputs.calibration) for layer in program.layers],
    }


def _calibration(calibration: Calibration) -> dict[str, Any]:
    return {
        "images": calibration.images,
        "loss": {
            "images": calibration.loss_images,
            "agreement": calibration.agreement,
            "mean_kl": calibration.mean_kl,
            "expected_kl": sum(calibration.expected_kl.values()) or None,
        },
    }


def _flash(program: CProgram, code_bytes: int | None) -> dict[str, Any]:
    parameters = program.parameters_bytes
    return {
        "parameters_bytes": parameters,
        "code_bytes": code_bytes,
        "total_bytes": None if code_bytes is None else parameters + code_bytes,
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


def _layer(layer: Layer, calibration: Calibration) -> dict[str, Any]:
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
        "weights": _weights(layer, calibration),
    }


def _weights(layer: Layer, calibration: Calibration) -> dict[str, Any] | None:
    """How the weights of a convolution are stored; None for layers without weights."""
    conv = layer.conv
    if conv is None:
        return None
    return {
        "storage": "packed" if conv.packed else "plain",
        "bytes": conv.weights_bytes,
        "bits_per_weight": round(8 * conv.weights_bytes / conv.weights_count, 3),
        "step": calibration.steps.get(layer.name),
        "expected_kl": calibration.expected_kl.get(layer.name),
    }
