"""What the kernels take for granted, proven for every layer before its code is printed.

The preconditions stand in ``runtime_c/include/s2c_kernels.h``: fields of 8 and 16 bits that
hold the geometry, and int32 for every accumulator, requantised result and sum. The generated
context counts rows in 16 bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from squeeze2c.errors import InternalError, QuantizationError, UnsupportedModelError
from squeeze2c.ir import Graph, Window, ops
from squeeze2c.kernels import (
    STRIP_KERNELS,
    KernelSpec,
    m3,
    pairs_weights,
    shares_words,
    skips_zeros,
    zeros_suit,
)
from squeeze2c.kernels.catalogue import POLY_M3
from squeeze2c.reference.fixed_point import MULTIPLIER_LIMIT
from squeeze2c.schedule import Placement, output_rows, place_feature_maps

PAIRED_LIMIT = 1 << 23
"""What accumulators of second channels must stay below where channels come in pairs."""
PAIRED_SHIFT = 24
WINOGRAD_LIMIT = 1 << 25
"""What all accumulators must stay below where 64 times them is computed modulo 2^32."""

M0_LEAST_WEIGHT = -127
"""Any two weights then sum up to at most 255, so 128 times that stays within 16 bits."""

UINT8_MAX = (1 << 8) - 1
UINT16_MAX = (1 << 16) - 1
UINT32_MAX = (1 << 32) - 1
INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1
_COLUMN_BYTES_PER_TAP = 8


def prove_sizes(graph: Graph) -> None:
    """Prove that all feature maps of ``graph`` are small enough for the kernels.

    Quick, so that senseless sizes are refused before schedules of them are made. Raises
    :class:`UnsupportedModelError`.
    """
    placements = place_feature_maps(graph)
    for node in graph.nodes:
        if not isinstance(node, ops.QConcat):
            _prove_maps(graph, placements, node)


def prove_layer(graph: Graph, placements: Mapping[str, Placement], node: ops.Node) -> None:
    """Prove that a kernel can compute ``node``.

    Raises :class:`UnsupportedModelError` where the geometry is too large for the kernels,
    :class:`QuantizationError` where a sum could leave int32.
    """
    _prove_maps(graph, placements, node)
    if isinstance(node, ops.QConv2D | ops.QConvGlobalPool | ops.QMaxPool2D):
        _prove_window(graph, node, node.window)
    match node:
        case ops.QConv2D():
            _prove_results(node, 1, *_result_bounds(graph, node))
        case ops.QConvGlobalPool():
            pixels = _output_pixels(graph, node, node.window)
            _prove_fields(node, "the sum", [("rows", output_rows(graph, node))], UINT16_MAX)
            _prove_results(node, pixels, *_result_bounds(graph, node))
        case ops.QGlobalPool():
            kind = graph.values[node.inputs[0]].type
            _prove_results(node, kind.height * kind.width, np.array([-255]), np.array([255]))
        case ops.QAdd():
            _prove_addition(node)


def suits(graph: Graph, node: ops.Node, kernel: KernelSpec) -> bool:
    """Whether the numbers of ``node``, which is proven, are such that ``kernel`` is exact.

    Kernels for pairs of channels have 256 times the accumulator of each second channel in 32
    bits, shift by 24 bits and cannot clamp above 0. Those for strips have 64 times each
    accumulator, and leave rows to one of the former. Those with several sums in 64 bits take
    them in parts, each of which adds what its fields begin at.
    """
    if kernel.arch == "m0" and isinstance(node, ops.QConv2D | ops.QConvGlobalPool):
        low, high = _accumulator_bounds(graph, node)
        limit = WINOGRAD_LIMIT if kernel in STRIP_KERNELS else 1 << 31
        fits = low.min() >= -limit and high.max() < limit
        return bool(fits and graph.constants[node.inputs[1]].min() >= M0_LEAST_WEIGHT)
    if shares_words(kernel) and isinstance(node, ops.QConv2D | ops.QConvGlobalPool):
        weight = graph.constants[node.inputs[1]]
        largest = max(-_products(weight).min(), _products(weight).max())
        below = largest < m3.offset_limit(weight, kernel == POLY_M3)
        return bool(below) and node.shift == PAIRED_SHIFT and getattr(node, "clamp_min", 0) == 0
    if not pairs_weights(kernel) and not skips_zeros(kernel):
        return True
    if not isinstance(node, ops.QConv2D | ops.QConvGlobalPool):
        raise InternalError(f"{kernel.symbol} is not for {node.kind} {node.name}")
    if skips_zeros(kernel):
        return zeros_suit(graph, node)
    low, high = _accumulator_bounds(graph, node)
    clamp_min = node.clamp_min if isinstance(node, ops.QConv2D) else 0
    limit = WINOGRAD_LIMIT if kernel in STRIP_KERNELS else 1 << 31
    if low.min() < -limit or high.max() >= limit:
        return False
    fits = (low[1::2] >= -PAIRED_LIMIT).all() and (high[1::2] < PAIRED_LIMIT).all()
    return bool(fits) and node.shift == PAIRED_SHIFT and clamp_min == 0


def _prove_maps(graph: Graph, placements: Mapping[str, Placement], node: ops.Node) -> None:
    for name in (*graph.activations(node), node.output):
        kind = graph.values[name].type
        fields = [("channels", kind.channels)]
        if name in placements:
            fields += [
                ("rows", kind.height),
                ("columns", kind.width),
                ("bytes per pixel", placements[name].pixel_bytes),
            ]
        _prove_fields(node, f"feature map {name}", fields, UINT16_MAX)


def _prove_window(graph: Graph, node: ops.Node, window: Window) -> None:
    source = graph.values[node.inputs[0]].type
    padding = window.padding
    small = [
        ("kernel rows", window.kernel[0]),
        ("kernel columns", window.kernel[1]),
        ("columns per stride", window.strides[1]),
        ("columns of padding on the left", padding.left),
    ]
    _prove_fields(node, "window", small, UINT8_MAX)
    if isinstance(node, ops.QMaxPool2D):
        _prove_inside(node, source.height, window, 0, padding.top)
        _prove_inside(node, source.width, window, 1, padding.left)
        return
    columns = _COLUMN_BYTES_PER_TAP * window.taps * source.channels
    _prove_fields(node, "window", [("bytes of scratch", columns)], UINT32_MAX)


def _prove_fields(
    node: ops.Node, what: str, fields: Iterable[tuple[str, int]], largest: int
) -> None:
    for name, value in fields:
        if not 0 <= value <= largest:
            raise UnsupportedModelError(
                f"{what} has {value:,} {name}, kernels handle at most {largest:,}",
                op=node.kind,
                where=str(node.provenance),
                hint="use a smaller input or layer",
            )


def _prove_inside(node: ops.Node, size: int, window: Window, axis: int, before: int) -> None:
    """Every window of a max-pool along ``axis`` must hold a row (column) that is no padding."""
    last_start = (window.count(size, axis) - 1) * window.strides[axis] - before
    if before >= window.kernel[axis] or last_start >= size:
        raise UnsupportedModelError(
            "max-pooling has a window of nothing but padding",
            op=node.kind,
            attribute="pads",
            where=str(node.provenance),
            hint="padding must be smaller than the kernel",
        )


def _output_pixels(graph: Graph, node: ops.Node, window: Window) -> int:
    source = graph.values[node.inputs[0]].type
    return window.count(source.height, 0) * window.count(source.width, 1)


def _result_bounds(
    graph: Graph, node: ops.QConv2D | ops.QConvGlobalPool
) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest requantised result of each output channel over all inputs, int64 (O,).

    A partial sum lies between the bias plus all negative and the bias plus all positive
    products, in whatever order they are added. Raises where one of those leaves int32.
    """
    weight, multiplier = (graph.constants[node.inputs[i]] for i in (1, 3))
    if multiplier.min() < 1 or multiplier.max() >= MULTIPLIER_LIMIT or not 1 <= node.shift <= 30:
        raise InternalError(f"{node.kind} {node.name} has a multiplier or shift out of range")
    if len(node.pad_value) != weight.shape[-1] or not all(0 <= p <= 255 for p in node.pad_value):
        raise InternalError(f"{node.kind} {node.name} pads with {node.pad_value}")
    low, high = _accumulator_bounds(graph, node)
    _prove_int32(node, "an accumulator", low, high)
    half = 1 << (node.shift - 1)
    return (low * multiplier + half) >> node.shift, (high * multiplier + half) >> node.shift


def _accumulator_bounds(
    graph: Graph, node: ops.QConv2D | ops.QConvGlobalPool
) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest accumulator of each output channel over all inputs, int64 (O,)."""
    weight, bias = (graph.constants[name] for name in node.inputs[1:3])
    low, high = _products(weight)
    return bias + low, bias + high


def _products(weight: np.ndarray) -> np.ndarray:
    """Least and greatest sum of all products of each output channel, int64 (2, O)."""
    matrix = weight.reshape(len(weight), -1).astype(np.int64)
    return 255 * np.stack([np.minimum(matrix, 0).sum(axis=1), np.maximum(matrix, 0).sum(axis=1)])


def _prove_results(node: ops.Node, pixels: int, low: np.ndarray, high: np.ndarray) -> None:
    """``low`` to ``high`` and sums of such results over up to ``pixels`` pixels fit int32."""
    _prove_int32(node, "a requantised result", low, high)
    if pixels > 1:
        # Python integers: the product can leave int64.
        least = np.minimum(low, 0).astype(object) * pixels
        greatest = np.maximum(high, 0).astype(object) * pixels
        _prove_int32(node, f"a sum over {pixels:,} pixels", least, greatest)


def _prove_addition(node: ops.QAdd) -> None:
    largest = 255 * (abs(node.multiplier_a) + abs(node.multiplier_b))
    _prove_int32(node, "a sum", np.array([-largest]), np.array([largest]))


def _prove_int32(node: ops.Node, what: str, low: np.ndarray, high: np.ndarray) -> None:
    beyond = np.maximum(INT32_MIN - low, high - INT32_MAX)
    worst = int(beyond.argmax())
    if beyond[worst] > 0:
        value = high[worst] if high[worst] > INT32_MAX else low[worst]
        raise QuantizationError(
            f"{what} of output channel {worst} could reach {int(value):,}, beyond 32 bits",
            where=str(node.provenance),
            hint="weights or bias are out of proportion to the layer's output; check the "
            "calibration images, or rescale the layer",
        )
