"""What the benchmarks share: models, images, and the history of figures."""

from __future__ import annotations

import csv
import datetime
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from squeeze2c.errors import UsageError
from squeeze2c.export import Artifact
from squeeze2c.frontend import Preprocess
from squeeze2c.pipeline import compile_model

CHECKOUT = Path(__file__).resolve().parent.parent
BUILD = CHECKOUT / "build" / "bench"
DOWNLOADS = CHECKOUT / "build" / "downloads"
HISTORY = CHECKOUT / "bench" / "history"
SHARED_DATA = "S2C_SHARED_DATA"
PREPROCESS = Preprocess.named("caffe")

V11, V10, V11_128 = "squeezenet_v11", "squeezenet_v10", "squeezenet_v11_128"
_V10_FILE = "squeezenet1_0_deepcompression.onnx"
_SAMPLE_FILE = "imagenet_sample_400.npz"


@dataclass(frozen=True, slots=True)
class Sample:
    """ImageNet images uint8 (n, 224, 224, 3) and labels, some to calibrate with, the rest not."""

    calibration: np.ndarray
    images: np.ndarray
    labels: np.ndarray


def shared_data() -> Path | None:
    """The folder of measuring data, None where there is none."""
    named = os.environ.get(SHARED_DATA)
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def read_sample(path: Path | None = None) -> Sample | None:
    """The sample of ImageNet at ``path`` or among the shared data; None where there is none."""
    folder = shared_data()
    if path is None and folder is not None:
        path = folder / _SAMPLE_FILE
    if path is None or not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as archive:
        images, labels = archive["images"], archive["labels"]
    calibrates = labels % 10 == 0
    return Sample(images[calibrates], images[~calibrates], labels[~calibrates])


def find_model(name: str) -> Path | None:
    """The ONNX file of V11 or V11_128, built where it is missing, or of V10; None without it."""
    if name == V10:
        folder = shared_data()
        path = folder / _V10_FILE if folder else None
        return path if path is not None and path.is_file() else None
    path = BUILD / f"{name}.onnx"
    if not path.is_file():
        BUILD.mkdir(parents=True, exist_ok=True)
        weights = [str(DOWNLOADS)] if DOWNLOADS.is_dir() else []
        size = ["--input-size", "128"] if name == V11_128 else []
        script = CHECKOUT / "examples" / "squeezenet_onnx.py"
        done = subprocess.run(
            [sys.executable, str(script), *weights, str(path), *size],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise UsageError(
                f"SqueezeNet v1.1 cannot be built: {done.stderr.strip().splitlines()[-1]}",
                hint="scripts/fetch_examples.sh fetches its weights",
            )
    return path


def compiled(
    name: str, model: Path, calibration: np.ndarray, target: str = "host"
) -> Artifact:
    """``model`` compiled for ``target``."""
    return compile_model(
        model, BUILD / f"{name}_{target}", calibration=calibration, name=name,
        preprocess=PREPROCESS, target=target, force=True,
    )  # fmt: skip


def any_images(count: int, size: int = 224) -> np.ndarray:
    """Images uint8 (count, size, size, 3) for what does not depend on their contents."""
    sample = read_sample()
    if sample is not None and size == sample.images.shape[1]:
        return sample.images[:count]
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)


def stamp() -> dict[str, str]:
    """Columns that every row of a history begins with. A ``+`` marks uncommitted changes."""
    now = datetime.datetime.now(datetime.timezone.utc)
    commit = _git("rev-parse", "--short", "HEAD") or "unknown"
    changed = "+" if _git("status", "--porcelain", "--untracked-files=no") else ""
    return {"date": now.strftime("%Y-%m-%dT%H:%MZ"), "commit": commit + changed}


def append(history: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Add ``rows`` to ``bench/history/HISTORY.csv``. Raises UsageError where columns changed."""
    return append_to(HISTORY / f"{history}.csv", rows)


def append_to(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Add ``rows`` to the file ``path``. Raises UsageError where columns changed."""
    columns = list(rows[0])
    if path.is_file():
        with path.open(newline="") as file:
            found = next(csv.reader(file), [])
        if found != columns:
            raise UsageError(
                f"has the columns {found}, the new figures {columns}",
                where=str(path),
                hint="convert the history first",
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.is_file()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows)
    return path


def show(title: str, rows: Sequence[Mapping[str, Any]], skip: Sequence[str] = ()) -> None:
    """``rows`` as a table, without the columns ``skip``."""
    columns = [c for c in rows[0] if c not in skip]
    table = Table(title=title)
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right" if column != "model" else "left")
    for row in rows:
        table.add_row(*(str(row[column]) for column in columns))
    Console(width=160).print(table)


def processor() -> str:
    """The name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""
