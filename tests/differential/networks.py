"""Small networks that between them use every operator, edge and odd size that C must get right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx

from squeeze2c.frontend import Preprocess
from tests.support import onnx_models
from tests.support.onnx_models import PIXEL_PREPROCESS, PIXEL_STD, OnnxBuilder


@dataclass(frozen=True, slots=True)
class Network:
    """``make`` builds the float model for images of ``shape`` (rows, cols, channels)."""

    make: Callable[[], onnx.ModelProto]
    shape: tuple[int, int, int]
    preprocess: Preprocess = PIXEL_PREPROCESS

    def images(self, count: int, seed: int) -> np.ndarray:
        """uint8 (count, rows, cols, channels); the last ones are all 0 and all 255."""
        images = onnx_models.random_images(count, *self.shape, seed=seed)
        if count > 2:
            images[-2:] = np.array([0, 255], np.uint8)[:, None, None, None]
        return images


def _branches() -> onnx.ModelProto:
    """One map read four times, concatenations inside a concatenation, both ways of padding."""
    build = OnnxBuilder((1, 3, 21, 17), seed=3)
    x = build.conv(build.input, 6, 3, stride=2, gain=1 / PIXEL_STD)
    one = build.conv(x, 5, 1)
    three = build.conv(x, 3, 3, pads=1)
    inner = build.concat(one, three)
    pooled = build.max_pool(x, 3, stride=1, pads=1)
    tall = build.conv(x, 4, (5, 1), pads=(2, 0, 2, 0))
    outer = build.concat(inner, build.conv(pooled, 2, 1), tall)
    joined = build.concat(build.conv(inner, 7, 1), build.conv(outer, 1, 1))
    return build.finish(build.classifier(joined, 6))


def _signed_maps() -> onnx.ModelProto:
    """Convolutions without Relu: zero points are not 0, in padding and sums either."""
    build = OnnxBuilder((1, 3, 16, 15), seed=4)
    x = build.conv(build.input, 8, 3, pads=1, relu=False, gain=1 / PIXEL_STD)
    y = build.conv(x, 8, 3, pads=(0, 2, 2, 0), relu=False)
    z = build.add(x, y)
    pooled = build.max_pool(z, 2, stride=2)
    return build.finish(build.classifier(build.add(pooled, pooled, relu=True), 5, relu=False))


def _pool_ending() -> onnx.ModelProto:
    """The last feature map is not a convolution's, so its bytes are summed instead."""
    build = OnnxBuilder((1, 3, 13, 13), seed=5)
    x = build.conv(build.input, 9, 3, pads=1, gain=1 / PIXEL_STD, relu=False)
    x = build.max_pool(x, 3, stride=2, ceil_mode=True)
    pooled = build.node("GlobalAveragePool", [x], name="pool10")
    return build.finish(build.node("Flatten", [pooled], name="logits", axis=1))


def _ceil_pools() -> onnx.ModelProto:
    """Windows that hang over the right and the lower edge, by one and by two."""
    build = OnnxBuilder((1, 3, 30, 29), seed=6)
    x = build.conv(build.input, 5, 3, gain=1 / PIXEL_STD)
    x = build.max_pool(x, 3, stride=2, ceil_mode=True)
    x = build.max_pool(x, 3, stride=3, ceil_mode=True)
    x = build.max_pool(x, 2, stride=2, pads=(0, 1, 1, 0), ceil_mode=True)
    return build.finish(build.classifier(x, 4))


def _one_pixel() -> onnx.ModelProto:
    """Maps of a single pixel, and one channel, from the first layer on."""
    build = OnnxBuilder((1, 3, 3, 3), seed=7)
    x = build.conv(build.input, 1, 3, gain=1 / PIXEL_STD)
    x = build.conv(x, 3, 3, pads=1)
    return build.finish(build.classifier(x, 2))


def _grey() -> onnx.ModelProto:
    return onnx_models.conv_chain((5, 8), input_size=(11, 18), input_channels=1, seed=8)


def _mean_beyond_pixels() -> onnx.ModelProto:
    """Padding of the first layer stands for real 0, which no pixel does exactly."""
    return onnx_models.conv_chain((6, 7), input_size=(12, 9), kernel=5, pads=2, seed=9)


NETWORKS: Mapping[str, Network] = {
    "chain": Network(lambda: onnx_models.conv_chain(input_size=(16, 19)), (16, 19, 3)),
    "fire": Network(lambda: onnx_models.fire_net(input_size=(25, 22), softmax=True), (25, 22, 3)),
    "bypass": Network(lambda: onnx_models.fire_net(fires=4, bypass=True), (24, 24, 3)),
    "batch norm": Network(lambda: onnx_models.fire_net(batch_norm=True), (24, 24, 3)),
    "odd pads": Network(onnx_models.odd_pads_net, (19, 14, 3)),
    "branches": Network(_branches, (21, 17, 3)),
    "signed maps": Network(_signed_maps, (16, 15, 3)),
    "pool ending": Network(_pool_ending, (13, 13, 3)),
    "ceil pools": Network(_ceil_pools, (30, 29, 3)),
    "one pixel": Network(_one_pixel, (3, 3, 3)),
    "grey": Network(_grey, (11, 18, 1), Preprocess(mean=(127.5,), std=(1.0,))),
    "bgr with deviation": Network(
        _mean_beyond_pixels, (12, 9, 3), Preprocess("bgr", (103.9, 116.8, 123.7), (0.9, 1.0, 1.1))
    ),
    "v1.0": Network(lambda: onnx_models.squeezenet("1.0", input_size=40, classes=11), (40, 40, 3)),
    "v1.1 bypass": Network(
        lambda: onnx_models.squeezenet("1.1", input_size=(35, 33), classes=13, bypass=True),
        (35, 33, 3),
    ),
}
