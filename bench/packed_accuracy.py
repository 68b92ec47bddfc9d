"""Accuracy of packed weights: generated C beside the float model, for budgets of bytes.

Calibrates on the images whose class number ends in 0 and measures on all others, as accuracy.py.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import (
    BUILD,
    PREPROCESS,
    SHARED_DATA,
    V10,
    V11,
    Sample,
    append,
    find_model,
    read_sample,
    show,
    stamp,
)

from squeeze2c.errors import Squeeze2cError
from squeeze2c.pipeline import compile_model
from squeeze2c.target import KIB
from squeeze2c.verification import verify

RAM_BYTES = 128 * KIB
BUDGETS = ((V11, 480_000), (V11, 400_000), (V11, 600_000), (V10, 480_000))


def measure(
    name: str, budget_bytes: int, model: Path, sample: Sample, limit: int | None
) -> dict[str, Any]:
    """One row of figures. Sensitivities are measured anew, so that the time is honest."""
    started = time.monotonic()
    artifact = compile_model(
        model, BUILD / f"{name}_{budget_bytes}", calibration=sample.calibration, name=name,
        preprocess=PREPROCESS, target="cortex-m4", ram_bytes=RAM_BYTES, weights="packed",
        weights_budget_bytes=budget_bytes, cache=False, force=True,
    )  # fmt: skip
    seconds = time.monotonic() - started
    report = verify(artifact, images=sample.images, labels=sample.labels, limit=limit)
    manifest = artifact.manifest
    return {
        "model": name,
        "budget_bytes": budget_bytes,
        "parameters_bytes": manifest["flash"]["parameters_bytes"],
        "code_bytes": manifest["flash"]["code_bytes"],
        "arena_bytes": manifest["ram"]["arena_bytes"],
        "compile_s": f"{seconds:.0f}",
        "images": report.images,
        "oracle_mismatches": report.oracle_mismatches,
        "float_top1": f"{report.real.top1:.4f}",
        "int_top1": f"{report.integer.top1:.4f}",
        "agreement": f"{report.agreement:.4f}",
        "logit_sqnr_db": f"{report.logit_sqnr_db:.2f}",
        "mean_kl": f"{report.mean_kl:.5f}",
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
            f"packed_accuracy: no labelled images; --images or {SHARED_DATA} names them",
            file=sys.stderr,
        )
        return 0
    rows = []
    stamped = stamp()
    for name, budget_bytes in BUDGETS:
        model = find_model(name)
        if model is None:
            print(f"{name}: no model here, skipped", file=sys.stderr)
            continue
        figures = measure(name, budget_bytes, model, sample, options.limit)
        rows.append({**stamped, **figures})
    show("packed weights beside the float model", rows, skip=("date", "commit", "images"))
    if not options.no_history:
        print(f"added to {append('packed_accuracy', rows)}")
    return int(any(row["oracle_mismatches"] for row in rows))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Squeeze2cError as error:
        sys.exit(f"packed_accuracy: {error}")
