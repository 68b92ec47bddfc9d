"""Small ONNX models with random weights, for tests; images for them, and ONNX Runtime.

The functions below make the networks that most tests want; what they do not offer,
:class:`OnnxBuilder` builds. The same arguments always give the same model. Feature maps
have the magnitude of the input divided by ``input_std``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest

from squeeze2c.frontend.preprocess import Preprocess
from tests.support.onnx_builder import OPSET, OnnxBuilder, Pads, pair
from tests.support.tools import missing

__all__ = [
    "PIXEL_PREPROCESS",
    "PIXEL_STD",
    "UNIT_PREPROCESS",
    "OnnxBuilder",
    "conv_chain",
    "fire_net",
    "odd_pads_net",
    "random_images",
    "run_onnxruntime",
    "save",
    "squeezenet",
]

PIXEL_STD = 64.0
"""About the standard deviation of pixels 0..255: what ``input_std`` usually is."""


# --- whole networks -----------------------------------------------------------------


def conv_chain(
    channels: Sequence[int] = (8, 12),
    *,
    input_size: int | tuple[int, int] = 16,
    input_channels: int = 3,
    kernel: int = 3,
    stride: int = 1,
    pads: Pads = 1,
    classes: int = 5,
    input_std: float = PIXEL_STD,
    seed: int = 0,
) -> onnx.ModelProto:
    """Convolutions with Relu, one per entry of ``channels``, then the classifier."""
    build = OnnxBuilder((1, input_channels, *pair(input_size)), seed=seed)
    x = build.input
    for index, count in enumerate(channels):
        gain = 1.0 / input_std if index == 0 else 1.0
        x = build.conv(x, count, kernel, stride=stride, pads=pads, gain=gain)
    return build.finish(build.classifier(x, classes))


def fire_net(
    *,
    input_size: int | tuple[int, int] = 24,
    classes: int = 7,
    fires: int = 2,
    bypass: bool = False,
    batch_norm: bool = False,
    softmax: bool = False,
    ceil_mode: bool = True,
    input_std: float = PIXEL_STD,
    seed: int = 0,
) -> onnx.ModelProto:
    """A small SqueezeNet: conv1, pool, Fire modules (every second with bypass), classifier."""
    build = OnnxBuilder((1, 3, *pair(input_size)), seed=seed)
    gain = 1.0 / input_std
    if batch_norm:
        x = build.conv(build.input, 8, 3, stride=2, gain=gain, relu=False, bias=False)
        x = build.relu(build.batch_norm(x))
    else:
        x = build.conv(build.input, 8, 3, stride=2, gain=gain)
    x = build.max_pool(x, ceil_mode=ceil_mode)
    for index in range(fires):
        x = build.fire(x, 4, 8, bypass=bypass and index % 2 == 1)
    return build.finish(build.classifier(build.dropout(x), classes, softmax=softmax))


def odd_pads_net(
    *, input_size: tuple[int, int] = (19, 14), classes: int = 5, seed: int = 0
) -> onnx.ModelProto:
    """Even and oblong kernels, asymmetric pads, unequal strides, padded pooling, odd channels."""
    build = OnnxBuilder((1, 3, *input_size), seed=seed)
    x = build.conv(build.input, 7, (2, 3), pads=(1, 0, 0, 2), gain=1.0 / PIXEL_STD)
    x = build.conv(x, 5, (3, 1), stride=(1, 2), pads=(0, 0, 2, 0))
    x = build.max_pool(x, (3, 2), stride=(2, 1), pads=(1, 1, 1, 0), ceil_mode=True)
    x = build.conv(x, 9, 1, pads=1)
    return build.finish(build.classifier(x, classes, relu=False))


_STEMS: Mapping[str, tuple[int, int, tuple[int, ...]]] = {
    "1.0": (96, 7, (4, 8)),
    "1.1": (64, 3, (3, 5)),
}
"""Version to channels and kernel of conv1, and the Fire modules that pooling follows."""

_BYPASSED = (3, 5, 7, 9)


def squeezenet(
    version: str = "1.1",
    *,
    input_size: int | tuple[int, int] = 224,
    classes: int = 1000,
    softmax: bool = False,
    ceil_mode: bool = True,
    bypass: bool = False,
    input_std: float = PIXEL_STD,
    seed: int = 0,
    opset: int = OPSET,
) -> onnx.ModelProto:
    """SqueezeNet v1.0 or v1.1 with random weights, the topology of torchvision and Caffe.

    ``bypass``: the paper's simple bypass around Fire modules 3, 5, 7 and 9.
    ``input_size`` may be as small as about 20.
    """
    stem, kernel, pool_after = _STEMS[version]
    build = OnnxBuilder((1, 3, *pair(input_size)), seed=seed, opset=opset, input_name="data")
    x = build.conv(build.input, stem, kernel, stride=2, gain=1.0 / input_std, name="conv1")
    x = build.max_pool(x, ceil_mode=ceil_mode, name="pool1")
    for index in range(2, 10):
        step = index // 2
        x = build.fire(
            x, 16 * step, 64 * step, name=f"fire{index}", bypass=bypass and index in _BYPASSED
        )
        if index in pool_after:
            x = build.max_pool(x, ceil_mode=ceil_mode, name=f"pool{index}")
    x = build.dropout(x, name="drop9")
    output = build.classifier(x, classes, softmax=softmax)
    return build.finish(output, name=f"squeezenet{version.replace('.', '_')}")


# --- using them ----------------------------------------------------------------------

UNIT_PREPROCESS = Preprocess(mean=(127.5,) * 3, std=(PIXEL_STD,) * 3)
"""Preprocessing for networks built with ``input_std=1``."""

PIXEL_PREPROCESS = Preprocess(mean=(127.5,) * 3)
"""Preprocessing for networks built with ``input_std=PIXEL_STD``, the default."""


def save(model: onnx.ModelProto, path: Path) -> Path:
    """Writes ``model`` to ``path`` and returns the path."""
    onnx.save_model(model, path)
    return path


def random_images(
    count: int, rows: int, cols: int, channels: int = 3, *, seed: int = 1
) -> np.ndarray:
    """uint8 (count, rows, cols, channels): smooth blobs of colour with noise, full range."""
    rng = np.random.default_rng(seed)
    y = np.linspace(0, 1, rows)[:, None, None]
    x = np.linspace(0, 1, cols)[None, :, None]
    images = np.empty((count, rows, cols, channels), np.uint8)
    for image in images:
        fy, fx, phase = rng.uniform(1, 9, (3, channels))
        waves = np.sin(fy * y + phase) * np.cos(fx * x - phase)
        image[...] = np.clip(127.5 + 110 * waves + rng.normal(0, 12, waves.shape), 0, 255)
    return images


def run_onnxruntime(
    model: onnx.ModelProto, batch: np.ndarray, *, every_tensor: bool = False
) -> dict[str, np.ndarray]:
    """Output name to array, images of ``batch`` (N, C, H, W) one by one and stacked again.

    ``every_tensor`` returns the outputs of all nodes rather than the model's own only.
    Graph optimisation is off, so every tensor exists.
    """
    try:
        import onnxruntime as ort
    except ImportError:
        missing("onnxruntime is not installed")

    if every_tensor:
        model = onnx.ModelProto.FromString(model.SerializeToString())
        known = {o.name for o in model.graph.output}
        for node in model.graph.node:
            for name in node.output:
                if name and name not in known:
                    model.graph.output.append(onnx.ValueInfoProto(name=name))
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as problem:
        # The last release for an older Python knows fewer opsets than onnx does.
        if "only *guarantees* support" in str(problem):
            pytest.skip(f"onnxruntime {ort.__version__} does not know the model's opset")
        raise
    names = [o.name for o in session.get_outputs()]
    source = session.get_inputs()[0].name
    results = [session.run(names, {source: image[None]}) for image in batch]
    return {
        name: np.concatenate([r[i] for r in results]) if np.ndim(results[0][i]) else results[0][i]
        for i, name in enumerate(names)
    }
