"""What the kernels take for granted is proven, at the last value that fits and the first that
does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from squeeze2c.errors import InternalError, QuantizationError, UnsupportedModelError
from squeeze2c.ir import (
    DType,
    Graph,
    Layout,
    Padding,
    Provenance,
    QuantParams,
    TensorType,
    Value,
    Window,
    ops,
)
from squeeze2c.kernels import KernelSpec
from squeeze2c.kernels.catalogue import CONV2D, CONV2D_DSP, CONV2D_M3, POLY_M3
from squeeze2c.lower.limits import prove_layer, suits
from squeeze2c.reference import evaluate_int
from squeeze2c.schedule import place_feature_maps

WHERE = Provenance(("the node",))


def layer_graph(
    node: ops.Node, size: tuple[int, int, int], out: tuple[int, ...],
    constants: dict[str, np.ndarray] | None = None,
) -> Graph:
    """``node`` alone; ``size`` rows, columns, channels of every input, ``out`` of its output."""
    values = {}
    for name in node.inputs:
        if name not in (constants or {}):
            kind = TensorType(DType.UINT8, (1, *size), Layout.NHWC)
            values[name] = Value(name, kind, quant=QuantParams(1.0))
    layout = Layout.NHWC if len(out) == 3 else Layout.FLAT
    dtype = DType.UINT8 if len(out) == 3 else DType.INT32
    values["y"] = Value("y", TensorType(dtype, (1, *out), layout), quant=QuantParams(1.0))
    return Graph("net", (node,), values, constants or {}, node.inputs[0], "y")


def prove(graph: Graph) -> None:
    prove_layer(graph, place_feature_maps(graph), graph.nodes[0])


def convolution(
    weight: np.ndarray, bias: int, multiplier: int, shift: int,
    size: tuple[int, int] = (1, 1), window: Window | None = None, pooled: bool = False,
    pad_value: tuple[int, ...] | None = None, relu: bool = False,
) -> Graph:
    """A convolution of one output channel with ``weight`` (rows, cols, channels)."""
    window = window or Window(weight.shape[:2])
    common: dict[str, Any] = {
        "name": "conv", "inputs": ("x", "w", "b", "m"), "output": "y", "provenance": WHERE,
        "window": window, "shift": shift, "relu": relu,
        "pad_value": pad_value if pad_value is not None else (0,) * weight.shape[2],
    }
    node: ops.Node = ops.QConv2D(**common, clamp_min=0)
    if pooled:
        node = ops.QConvGlobalPool(**common)
    rows, cols = window.count(size[0], 0), window.count(size[1], 1)
    constants: dict[str, np.ndarray] = {
        "w": weight[None].astype(np.int8, copy=False), "b": np.array([bias], np.int32),
        "m": np.array([multiplier], np.int32),
    }
    out = (1,) if pooled else (rows, cols, 1)
    return layer_graph(node, (*size, weight.shape[2]), out, constants)


def pool(size: tuple[int, int, int], window: Window) -> Graph:
    node = ops.QMaxPool2D(name="p", inputs=("x",), output="y", window=window, provenance=WHERE)
    rows, cols = window.count(size[0], 0), window.count(size[1], 1)
    return layer_graph(node, size, (rows, cols, size[2]))


ONES = np.ones((1, 1, 1))


@pytest.mark.parametrize("multiplier", [1, 3, 1 << 22, (1 << 23) - 1])
@pytest.mark.parametrize("shift", [1, 2, 10, 22, 24, 30])
def test_requantised_results_must_fit_int32(shift: int, multiplier: int) -> None:
    """The greatest bias that passes gives a result that fits, one more would not."""
    reach = 255
    fits = min(2**31 - 1, ((2**31 << shift) - (1 << (shift - 1)) - 1) // multiplier) - reach
    graph = convolution(ONES, fits, multiplier, shift)
    prove(graph)
    acc = fits + reach
    assert (acc * multiplier + (1 << (shift - 1))) >> shift <= 2**31 - 1
    with pytest.raises(QuantizationError, match="beyond 32 bits") as caught:
        prove(convolution(ONES, fits + 1, multiplier, shift))
    assert caught.value.where == "the node"
    least = max(-(2**31), -(((2**31 << shift) + (1 << (shift - 1))) // multiplier)) + reach
    prove(convolution(-ONES, least, multiplier, shift))
    with pytest.raises(QuantizationError, match="beyond 32 bits"):
        prove(convolution(-ONES, least - 1, multiplier, shift))


@pytest.mark.parametrize("relu", [False, True])
def test_sums_over_pixels_must_fit_int32(relu: bool) -> None:
    pixels = 3 * 5
    largest = (2**31 - 1) // pixels
    passing = convolution(ONES, (largest - 255) * 2, 2, 2, (3, 5), pooled=True, relu=relu)
    prove(passing)
    image = np.full((1, 3, 5, 1), 255, np.uint8)
    assert 0 < evaluate_int(passing, image)["y"][0, 0] <= 2**31 - 1
    prove(convolution(ONES, largest - 255, 1 << 10, 10, (3, 5), pooled=True, relu=relu))
    with pytest.raises(QuantizationError, match="sum over 15 pixels"):
        prove(convolution(ONES, largest - 254, 1 << 10, 10, (3, 5), pooled=True, relu=relu))


def test_huge_maps_do_not_overflow_the_proof() -> None:
    graph = convolution(ONES, 2**31 - 256, 1 << 10, 10, (60000, 60000), pooled=True)
    with pytest.raises(QuantizationError, match="sum over 3,600,000,000 pixels"):
        prove(graph)


def test_global_pool_must_fit_int32() -> None:
    node = ops.QGlobalPool(name="g", inputs=("x",), output="y", provenance=WHERE)
    rows, cols = 21931, 384
    assert rows * cols == (2**31 - 1) // 255
    prove(layer_graph(node, (rows, cols, 4), (4,)))
    with pytest.raises(QuantizationError, match="sum over"):
        prove(layer_graph(node, (rows + 1, cols, 4), (4,)))


def test_rows_that_are_summed_are_counted_in_16_bits() -> None:
    """Of a padded map there are more than of the map itself."""
    window = Window((1, 1), (1, 1), Padding(top=35535))
    prove(convolution(ONES, 0, 1, 24, (30000, 1), window, pooled=True))
    window = Window((1, 1), (1, 1), Padding(top=35536))
    with pytest.raises(UnsupportedModelError, match="65,536 rows"):
        prove(convolution(ONES, 0, 1, 24, (30000, 1), window, pooled=True))


def test_additions_must_fit_int32() -> None:
    def addition(a: int, b: int) -> Graph:
        node = ops.QAdd(
            name="a", inputs=("x", "z"), output="y", multiplier_a=a, multiplier_b=b, shift=20,
            clamp_min=0, provenance=WHERE,
        )
        return layer_graph(node, (2, 2, 1), (2, 2, 1))

    largest = (2**31 - 1) // 255
    prove(addition(largest - 7, 7))
    with pytest.raises(QuantizationError, match="a sum"):
        prove(addition(largest - 7, 8))


@pytest.mark.parametrize(
    ("multiplier", "shift"), [(0, 24), (-1, 24), (1 << 23, 24), (1, 0), (1, 31)]
)
def test_multipliers_out_of_range_are_a_bug(multiplier: int, shift: int) -> None:
    with pytest.raises(InternalError, match="multiplier or shift"):
        prove(convolution(ONES, 0, multiplier, shift))


@pytest.mark.parametrize("pad_value", [(), (1, 2), (-1,), (256,)])
def test_wrong_pad_values_are_a_bug(pad_value: tuple[int, ...]) -> None:
    with pytest.raises(InternalError, match="pads with"):
        prove(convolution(ONES, 0, 1, 24, pad_value=pad_value))


GEOMETRY = {
    "rows": ((65536, 1, 1), Window((1, 1))),
    "columns": ((1, 65536, 1), Window((1, 1))),
    "channels": ((1, 1, 65536), Window((1, 1))),
    "kernel rows": ((256, 1, 1), Window((256, 1))),
    "kernel columns": ((1, 256, 1), Window((1, 256))),
    "columns per stride": ((1, 9, 1), Window((1, 1), (1, 256))),
    "columns of padding on the left": ((1, 9, 1), Window((1, 255), (1, 1), Padding(left=256))),
}
FITTING = {
    "rows": ((65535, 1, 1), Window((1, 1))),
    "columns": ((1, 65535, 1), Window((1, 1))),
    "channels": ((1, 1, 65535), Window((1, 1))),
    "kernel rows": ((255, 1, 1), Window((255, 1))),
    "kernel columns": ((1, 255, 1), Window((1, 255))),
    "columns per stride": ((1, 9, 1), Window((1, 1), (1, 255))),
    "columns of padding on the left": ((1, 9, 1), Window((1, 255), (1, 1), Padding(left=254))),
    "rows, strides and padding of rows": (
        (65535, 1, 1), Window((255, 1), (9000, 1), Padding(254, 0, 254, 0)),
    ),
}


@pytest.mark.parametrize("what", FITTING)
def test_the_largest_geometry_passes(what: str) -> None:
    prove(pool(*FITTING[what]))


@pytest.mark.parametrize("what", GEOMETRY)
def test_geometry_beyond_the_fields_is_refused(what: str) -> None:
    with pytest.raises(UnsupportedModelError, match=f"{what}, kernels handle at most") as caught:
        prove(pool(*GEOMETRY[what]))
    assert caught.value.where == "the node"
    assert caught.value.op == "QMaxPool2D"


def test_a_concatenation_too_wide_for_a_stride_is_refused() -> None:
    """The layer's own channels fit; the pixels of the concatenation it writes into do not."""
    kind = [TensorType(DType.UINT8, (1, 1, 1, n), Layout.NHWC) for n in (40000, 40000, 80000)]
    values = {
        name: Value(name, t, quant=QuantParams(1.0))
        for name, t in zip(("image", "a", "b", "y"), (kind[0], *kind), strict=True)
    }
    make: dict[str, Any] = {"window": Window((1, 1)), "inputs": ("image",), "provenance": WHERE}
    nodes = (
        ops.QMaxPool2D(name="a", output="a", **make), ops.QMaxPool2D(name="b", output="b", **make),
        ops.QConcat(name="y", inputs=("a", "b"), output="y"),
    )
    graph = Graph("net", nodes, values, {}, "image", "y")
    with pytest.raises(UnsupportedModelError, match="80,000 bytes per pixel"):
        prove_layer(graph, place_feature_maps(graph), nodes[0])


def test_scratch_beyond_32_bits_is_refused() -> None:
    kernel = (255, 255)
    weight = np.broadcast_to(np.int8(0), (*kernel, 8257))
    with pytest.raises(UnsupportedModelError, match="bytes of scratch"):
        prove(convolution(weight, 0, 1, 24, size=kernel))


@pytest.mark.parametrize(
    "window",
    [
        Window((2, 2), (1, 1), Padding(top=2)), Window((2, 2), (1, 1), Padding(left=2)),
        Window((2, 2), (1, 1), Padding(bottom=2)), Window((2, 2), (1, 1), Padding(right=2)),
    ],
)
def test_a_pool_of_padding_alone_is_refused(window: Window) -> None:
    with pytest.raises(UnsupportedModelError, match="nothing but padding") as caught:
        prove(pool((4, 4, 1), window))
    assert caught.value.attribute == "pads"
    prove(pool((4, 4, 1), Window((3, 3), (1, 1), Padding(2, 2, 2, 2))))


def pair(bias: int, weight: int, shift: int = 24, clamp_min: int = 0) -> Graph:
    """Two output channels of one tap; the first one is far beyond 24 bits."""
    node = ops.QConv2D(
        name="conv", inputs=("x", "w", "b", "m"), output="y", provenance=WHERE,
        window=Window((1, 1)), shift=shift, clamp_min=clamp_min, pad_value=(0,),
    )
    constants = {
        "w": np.array([[[[127]]], [[[weight]]]], np.int8),
        "b": np.array([1 << 30, bias], np.int32),
        "m": np.ones(2, np.int32),
    }
    return layer_graph(node, (1, 1, 1), (1, 1, 2), constants)


@pytest.mark.parametrize(
    ("bias", "weight", "fits"),
    [
        ((1 << 23) - 1 - 255, 1, True), ((1 << 23) - 255, 1, False), ((1 << 23) - 1, -1, True),
        (255 - (1 << 23), -1, True), (254 - (1 << 23), -1, False), (-(1 << 23), 1, True),
    ],
)  # fmt: skip
def test_second_channels_of_pairs_have_24_bits(bias: int, weight: int, fits: bool) -> None:
    graph = pair(bias, weight)
    prove(graph)
    assert suits(graph, graph.nodes[0], CONV2D_DSP) == fits
    assert suits(graph, graph.nodes[0], CONV2D)


def test_pairs_shift_by_24_bits_and_clamp_at_zero() -> None:
    for graph in (pair(0, 1, shift=23), pair(0, 1, clamp_min=1)):
        prove(graph)
        assert not suits(graph, graph.nodes[0], CONV2D_DSP)
        assert suits(graph, graph.nodes[0], CONV2D)


@pytest.mark.parametrize("kernel", [CONV2D_M3, POLY_M3])
def test_sums_that_share_words_shift_by_24_bits_and_clamp_at_zero(kernel: KernelSpec) -> None:
    for graph in (pair(0, 1, shift=23), pair(0, 1, clamp_min=1)):
        assert not suits(graph, graph.nodes[0], kernel)
    graph = pair((1 << 23) - 255, 1)
    assert suits(graph, graph.nodes[0], kernel)


@pytest.mark.parametrize("kernel", [CONV2D_M3, POLY_M3])
def test_starts_of_all_parts_fit_beside_the_sum(kernel: KernelSpec) -> None:
    """With several sums in 64 bits, each part adds 2^20 to what must stay in int32."""
    rows = 3 if kernel == POLY_M3 else 1
    taps_of_a_part = 8 * 3 if kernel == POLY_M3 else 16
    parts = (1 << 31) // ((1 << 20) + 255 * 127 * taps_of_a_part)
    for count, fits in ((parts, True), (parts + 1, False)):
        weight = np.full((rows, rows, count * taps_of_a_part // rows**2), 127, np.int8)
        graph = convolution(weight, bias=0, multiplier=1, shift=24)
        assert suits(graph, graph.nodes[0], kernel) == fits
