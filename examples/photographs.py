"""Real photographs that Python packages ship, for calibrating and for classifying.

scikit-image and scikit-learn have some inside their wheels; foolbox, whose downloaded wheel
is only opened as an archive, has 20 from ImageNet whose labels are part of their names.
"""

from __future__ import annotations

import importlib.util
import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

IMAGENET_FILE = re.compile(r"foolbox/data/imagenet_(\d+)_(\d+)\.jpg")
TO_CLASSIFY = (
    ("cat", "skimage", "data/chelsea.png"),
    ("coffee", "skimage", "data/coffee.png"),
    ("rocket", "skimage", "data/rocket.jpg"),
    ("motorcycle", "skimage", "data/motorcycle_left.png"),
    ("flower", "sklearn", "datasets/images/flower.jpg"),
)
TO_CALIBRATE = (
    ("astronaut", "skimage", "data/astronaut.png"),
    ("china", "sklearn", "datasets/images/china.jpg"),
)


@dataclass(frozen=True, slots=True)
class Photograph:
    """``content``: the bytes of an image file. ``label``: ImageNet class number, if known.

    ``calibrates``: whether parts of it are used for calibration.
    """

    name: str
    suffix: str
    content: bytes
    label: int | None = None
    calibrates: bool = False


def packaged_photographs(archives: Path) -> list[Photograph]:
    """All photographs; ``archives`` is the folder of downloaded archives.

    Every second ImageNet photograph is for calibration. Raises FileNotFoundError
    where a package or the archive is missing.
    """
    found = [_installed(*entry, calibrates=False) for entry in TO_CLASSIFY]
    found += [_installed(*entry, calibrates=True) for entry in TO_CALIBRATE]
    wheel = next(iter(sorted(archives.glob("foolbox-*.whl"))), None)
    if wheel is None:
        raise FileNotFoundError(f"{archives}: no archive of foolbox here")
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            match = IMAGENET_FILE.fullmatch(name)
            if match is not None:
                number, label = int(match[1]), int(match[2])
                title = f"imagenet_{number:02}_{label}"
                found.append(
                    Photograph(title, ".jpg", archive.read(name), label, number % 2 == 1)
                )
    return found


def calibration_crops(
    photographs: Iterable[Photograph], size: int, per_photograph: int = 8, seed: int = 0
) -> np.ndarray:
    """Random square parts of ``photographs``, some mirrored: uint8 (n, size, size, 3), RGB."""
    random = np.random.default_rng(seed)
    crops = []
    for photograph in photographs:
        image = Image.open(io.BytesIO(photograph.content)).convert("RGB")
        for _ in range(per_photograph):
            side = round(min(image.size) * random.uniform(0.5, 1.0))
            left = int(random.integers(0, image.width - side + 1))
            top = int(random.integers(0, image.height - side + 1))
            box = (left, top, left + side, top + side)
            crop = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box))
            crops.append(crop[:, ::-1] if random.random() < 0.5 else crop)
    return np.stack(crops)


def _installed(name: str, package: str, path: str, calibrates: bool) -> Photograph:
    """A file of an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the package {package} is not installed")
    file = Path(spec.submodule_search_locations[0]) / path
    return Photograph(name, file.suffix, file.read_bytes(), calibrates=calibrates)
