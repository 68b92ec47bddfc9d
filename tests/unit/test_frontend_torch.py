"""Models as PyTorch exports them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from squeeze2c.frontend import load_onnx, read_onnx
from squeeze2c.reference import evaluate_float
from tests.support.onnx_compare import assert_equal_to_onnxruntime, normal_images
from tests.support.tools import require_package

if TYPE_CHECKING:
    import torch
else:
    torch = require_package("torch")

nn = torch.nn


class Fire(nn.Module):
    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Any) -> Any:
        x = self.activation(self.squeeze(x))
        one, three = self.expand1x1(x), self.expand3x3(x)
        return torch.cat([self.activation(one), self.activation(three)], 1)


class SmallSqueezeNet(nn.Module):
    """SqueezeNet in the manner of torchvision; ``tail`` says how it ends."""

    def __init__(self, tail: str) -> None:
        super().__init__()
        self.tail = tail
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            Fire(8, 4, 6),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            Fire(12, 4, 6),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.5), nn.Conv2d(12, 10, 1), nn.ReLU(True))
        self.pool = nn.AvgPool2d(5) if tail == "average" else nn.AdaptiveAvgPool2d((1, 1))

    def forward(self, x: Any) -> Any:
        x = self.classifier(self.features(x))
        match self.tail:
            case "flatten":
                return torch.flatten(self.pool(x), 1)
            case "view":
                x = self.pool(x)
                return x.view(x.size(0), -1)
            case "reshape":
                x = self.pool(x)
                return x.reshape(x.shape[0], x.shape[1])
            case "squeeze":
                return self.pool(x).squeeze(-1).squeeze(-1)
            case "mean":
                return x.clamp(min=0).mean([2, 3])
            case "average":
                return torch.softmax(torch.flatten(self.pool(x), 1), 1)
        raise AssertionError(self.tail)


def export(model: Any, path: Path, opset: int, dynamic: dict[int, str]) -> None:
    """Exports by tracing: the exporter without further packages."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model,
                torch.zeros(1, 3, 45, 42),
                str(path),
                dynamo=False,
                opset_version=opset,
                input_names=["image"],
                output_names=["scores"],
                dynamic_axes={"image": dynamic} if dynamic else None,
            )
    except (TypeError, ModuleNotFoundError) as problem:
        pytest.skip(f"this PyTorch does not export without further packages: {problem}")


@pytest.mark.parametrize("opset", [9, 13, 17])
@pytest.mark.parametrize("dynamic", [{}, {0: "batch"}], ids=["static", "batch"])
@pytest.mark.parametrize("tail", ["flatten", "view", "reshape", "squeeze", "mean", "average"])
def test_exported_models(tmp_path: Path, tail: str, dynamic: dict[int, str], opset: int) -> None:
    torch.manual_seed(1)
    model = SmallSqueezeNet(tail).eval()
    path = tmp_path / "model.onnx"
    export(model, path, opset, dynamic)
    loaded = load_onnx(path)
    graph = read_onnx(loaded, (1, 3, 45, 42) if dynamic else None)
    images = normal_images(graph, deviation=1.0)
    assert_equal_to_onnxruntime(loaded.proto, graph, images)
    with torch.no_grad():
        expected = model(torch.from_numpy(images)).numpy()
    result = evaluate_float(graph, images, keep=["scores"])["scores"]
    np.testing.assert_allclose(result, expected, atol=1e-5)
