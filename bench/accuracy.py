"""Accuracy on ImageNet: generated C beside the oracle and the float model in ONNX Runtime.

Calibrates on the images whose class number ends in 0 and measures on all others. The figures
are defined in squeeze2c/verification/metrics.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import (
    SHARED_DATA,
    V10,
    V11,
    Sample,
    append,
    compiled,
    find_model,
    read_sample,
    show,
    stamp,
)

from squeeze2c.errors import Squeeze2cError
from squeeze2c.verification import verify


def measure(name: str, model: Path, sample: Sample, limit: int | None) -> dict[str, Any]:
    """One row of figures."""
    artifact = compiled(name, model, sample.calibration)
    report = verify(artifact, images=sample.images, labels=sample.labels, limit=limit)
    return {
        "model": name,
        "calibration": len(sample.calibration),
        "images": report.images,
        "oracle_mismatches": report.oracle_mismatches,
        "float_top1": f"{report.real.top1:.4f}",
        "int_top1": f"{report.integer.top1:.4f}",
        "float_top5": f"{report.real.top5:.4f}",
        "int_top5": f"{report.integer.top5:.4f}",
        "agreement": f"{report.agreement:.4f}",
        "logit_sqnr_db": f"{report.logit_sqnr_db:.2f}",
        "mean_kl": f"{report.mean_kl:.5f}",
        "worst_layer": report.layers[0].name,
        "worst_layer_sqnr_db": f"{report.layers[0].sqnr_db:.2f}",
        "parameters_bytes": artifact.manifest["flash"]["parameters_bytes"],
        "arena_bytes": artifact.manifest["ram"]["arena_bytes"],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Exit code 1 where generated C differs from the oracle."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=Path, help="an .npz file with images and labels")
    parser.add_argument("--limit", type=int, help="measure on the first so many images")
    parser.add_argument("--no-history", action="store_true", help="do not record the figures")
    options = parser.parse_args(arguments)
    sample = read_sample(options.images)
    if sample is None:
        print(
            f"accuracy: no labelled images; --images or {SHARED_DATA} names them", file=sys.stderr
        )
        return 0
    rows = []
    stamped = stamp()
    for name in (V11, V10):
        model = find_model(name)
        if model is None:
            print(f"{name}: no model here, skipped", file=sys.stderr)
            continue
        rows.append({**stamped, **measure(name, model, sample, options.limit)})
    hidden = (
        "date", "commit", "calibration", "worst_layer", "worst_layer_sqnr_db",
        "parameters_bytes", "arena_bytes",
    )  # fmt: skip
    show("generated C beside the float model", rows, skip=hidden)
    if not options.no_history:
        print(f"added to {append('accuracy', rows)}")
    return int(any(row["oracle_mismatches"] for row in rows))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Squeeze2cError as error:
        sys.exit(f"accuracy: {error}")
