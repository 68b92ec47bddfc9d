"""The script that draws docs/images works, and docs/streaming.md shows what it draws."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

from tests.support import onnx_models
from tests.support.artifacts import compiled


def test_pictures(checkout: Path, tmp_path: Path) -> None:
    images = checkout / "docs" / "images"
    spec = importlib.util.spec_from_file_location("draw", images / "draw.py")
    assert spec is not None and spec.loader is not None
    draw = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(draw)
    artifact = compiled(
        onnx_models.fire_net(input_size=24),
        tmp_path,
        onnx_models.random_images(3, 24, 24),
        onnx_models.PIXEL_PREPROCESS,
    )
    draw.main(artifact.folder, tmp_path)
    drawn = {path.name for path in tmp_path.glob("*.svg")}
    for name in drawn:
        assert ElementTree.parse(tmp_path / name).getroot().tag.endswith("svg")
    text = (checkout / "docs" / "streaming.md").read_text(encoding="utf-8")
    assert drawn == set(re.findall(r"\(images/([\w.]+)\)", text))
    assert drawn == {path.name for path in images.glob("*.svg")}
