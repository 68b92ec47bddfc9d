"""Milliseconds per image on the PC: generated C beside ONNX Runtime's float, one thread each."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from common import (
    PREPROCESS,
    V10,
    V11,
    any_images,
    append,
    compiled,
    find_model,
    processor,
    show,
    stamp,
)

from squeeze2c.errors import Squeeze2cError
from squeeze2c.host import HostModel

_CALIBRATION_IMAGES = 8
_WARM_UP = 3


def onnxruntime_float(model: Path) -> Callable[[np.ndarray], Any]:
    """A function from one preprocessed image to the output, with all of ORT's optimisations."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})


def milliseconds(work: Callable[[np.ndarray], object], image: np.ndarray) -> float:
    """How long ``work(image)`` takes."""
    start = time.perf_counter()
    work(image)
    return 1000 * (time.perf_counter() - start)


def measure(
    name: str, model: Path, images: np.ndarray, rounds: int, compiler: str
) -> dict[str, Any]:
    """One row of figures. Both run in turns, so that a busy machine is unfair to neither."""
    artifact = compiled(name, model, images[:_CALIBRATION_IMAGES])
    with tempfile.TemporaryDirectory() as empty_cache:
        generated = HostModel(artifact, compiler=compiler, cache_dir=empty_cache)
        build_ms = milliseconds(generated.run, images[0])
    runtime = onnxruntime_float(model)
    ours: list[float] = []
    theirs: list[float] = []
    for turn in range(-_WARM_UP, rounds):
        image = images[turn % len(images)]
        batch = PREPROCESS.apply(image[None])
        taken = milliseconds(generated.run, image), milliseconds(runtime, batch)
        if turn >= 0:
            ours.append(taken[0])
            theirs.append(taken[1])
    medians = float(np.median(ours)), float(np.median(theirs))
    sources = sum(source.stat().st_size for source in artifact.sources)
    return {
        "model": name,
        "generated_ms": f"{medians[0]:.2f}",
        "generated_fastest_ms": f"{min(ours):.2f}",
        "onnxruntime_ms": f"{medians[1]:.2f}",
        "onnxruntime_fastest_ms": f"{min(theirs):.2f}",
        "ratio": f"{min(ours) / min(theirs):.2f}",
        "c_bytes": sources,
        "c_build_s": f"{build_ms / 1000:.1f}",
        "compiler": generated.compiler.description,
        "processor": processor(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="images per model (default 50)")
    parser.add_argument("--compiler", default="cc")
    parser.add_argument("--no-history", action="store_true", help="do not record the figures")
    options = parser.parse_args(arguments)
    # Speed does not depend on what is in the images.
    images = any_images(16)
    rows = []
    stamped = stamp()
    for name in (V11, V10):
        model = find_model(name)
        if model is None:
            print(f"{name}: no model here, skipped", file=sys.stderr)
            continue
        figures = measure(name, model, images, options.rounds, options.compiler)
        rows.append({**stamped, **figures})
    show("one image on one thread", rows, skip=("date", "commit", "processor"))
    if not options.no_history:
        print(f"added to {append('host_speed', rows)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Squeeze2cError as error:
        sys.exit(f"host_speed: {error}")
