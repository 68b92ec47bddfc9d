"""Random small networks read here and run by ONNX Runtime give the same numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from squeeze2c.errors import ShapeError
from tests.support.onnx_compare import assert_equal_to_onnxruntime, read
from tests.support.onnx_models import OnnxBuilder

SIZES = st.tuples(st.integers(1, 5), st.integers(1, 5))
STRIDES = st.tuples(st.integers(1, 4), st.integers(1, 4))
PADS = st.tuples(*[st.integers(0, 3)] * 4)
CEIL_MODE_OPSET = 10


def fits(size: int, kernel: int, stride: int, before: int, after: int, ceil_mode: bool) -> bool:
    room = size + before + after - kernel
    return room >= 0 or (ceil_mode and -room < stride)


@settings(max_examples=200)
@given(st.data())
def test_random_networks(data: st.DataObject) -> None:
    draw = data.draw
    opset = draw(st.sampled_from([7, 9, 10, 12, 13, 18, 22]))
    rows, cols = draw(st.integers(3, 16)), draw(st.integers(3, 16))
    build = OnnxBuilder(
        (1, draw(st.integers(1, 4)), rows, cols), seed=draw(st.integers(0, 99)), opset=opset
    )
    x = build.input
    for _ in range(draw(st.integers(1, 3))):
        kernel, stride = draw(SIZES), draw(STRIDES)
        auto_pad = draw(st.sampled_from([None, None, "VALID", "SAME_UPPER", "SAME_LOWER"]))
        pads = draw(PADS)
        pool = draw(st.booleans())
        if pool:
            pads = tuple(min(p, kernel[i % 2] - 1) for i, p in enumerate(pads))
        if auto_pad and auto_pad != "VALID":
            # ONNX Runtime refuses to pool, and crops for Conv, where the stride is larger.
            stride = tuple(min(s, k) for s, k in zip(stride, kernel, strict=True))
        if pool:
            ceil_mode = draw(st.booleans()) if opset >= CEIL_MODE_OPSET and not auto_pad else None
            x = build.max_pool(
                x, kernel, stride=stride, pads=pads, auto_pad=auto_pad, ceil_mode=ceil_mode
            )
        else:
            x = build.conv(
                x, draw(st.integers(1, 5)), kernel, stride=stride, pads=pads, auto_pad=auto_pad,
                bias=draw(st.booleans()), relu=draw(st.booleans()),
            )
        if draw(st.booleans()):
            x = build.batch_norm(x)
    model = build.finish(build.classifier(x, 3, softmax=draw(st.booleans())), check=False)
    try:
        graph = read(model)
    except ShapeError as error:
        # ONNX Runtime pools maps smaller than the kernel, contrary to the specification.
        assert "does not fit" in str(error)
        return
    batch = np.random.default_rng(0).normal(size=(2, *graph.input_value.type.shape[1:]))
    assert_equal_to_onnxruntime(model, graph, batch.astype(np.float32))


@given(
    st.integers(1, 12), st.integers(1, 5), st.integers(1, 4), st.integers(0, 4), st.integers(0, 4)
)
def test_ceil_mode(size: int, kernel: int, stride: int, before: int, after: int) -> None:
    before, after = min(before, kernel - 1), min(after, kernel - 1)
    build = OnnxBuilder((1, 2, size, 9))
    pads = (before, 0, after, 0)
    x = build.max_pool(build.input, (kernel, 2), stride=(stride, 3), pads=pads, ceil_mode=True)
    model = build.finish(build.classifier(x, 2), check=False)
    if not fits(size, kernel, stride, before, after, ceil_mode=True):
        return
    graph = read(model)
    batch = np.random.default_rng(0).normal(size=(1, 2, size, 9)).astype(np.float32)
    assert_equal_to_onnxruntime(model, graph, batch)
