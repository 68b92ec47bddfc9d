"""Predicted costs of the kernels for PCs.

On a PC time matters, and nobody counts instructions. So costs are cycles of a counter of 2.6 GHz,
fitted to the times of the layers of SqueezeNet v1.1 on one processor with AVX-512: to 20 % each,
the network as a whole to 3 %. They need only rank schedules, which differ in how many rows a
step computes, and with that in how full tiles are, and in nothing else that would take time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels.layout import BLOCK_CHANNELS, QUAD, padded_taps
from squeeze2c.kernels.select import joins_rows
from squeeze2c.kernels.spec import KernelSpec

ROW = 40.0
TILE = 45.0
BLOCK = 12.0
"""Turning to the next 16 output channels of a tile."""
DOT = 0.75
"""A quad of taps of one pixel and 16 channels."""
TAPS = 0.3
"""Loading the weights of a quad."""
RESULT = 5.7
"""16 results of one pixel."""

POOL_CALL = 30.0
POOL_PIXEL = 8.0
POOL_ROW_PIXEL = 0.4
POOL_COLUMN_CHUNK = 1.4
POOL_CHUNK = 64


def convolution(
    graph: Graph,
    node: ops.QConv2D | ops.QConvGlobalPool,
    kernel: KernelSpec,
    strip_rows: int,
    parts: Sequence[int],
) -> Callable[[int], float]:
    """Cost of so many rows of a step, in passes of ``parts`` output channels."""
    source, window = graph.values[node.inputs[0]].type, node.window
    cols = window.count(source.width, 1)
    pixels = kernel.tile[0] if kernel.tile else 1
    quads = window.kernel[0] * padded_taps(window.kernel[1] * source.channels) // QUAD
    joined = joins_rows(kernel, window, source.width, strip_rows)

    def row(length: int) -> float:
        tiles = -(-length // pixels)
        total = 0.0
        for outputs in parts:
            blocks = -(-outputs // BLOCK_CHANNELS)
            of_tile = TILE + blocks * (BLOCK + quads * TAPS)
            total += ROW + tiles * of_tile + length * blocks * (quads * DOT + RESULT)
        return total

    @cache
    def rows(count: int) -> float:
        return row(count * cols) if joined else count * row(cols)

    return rows


def pool_row(row_columns: Sequence[int], channels: int) -> tuple[float, float]:
    """Cost of a row of output of a max-pool, and of a row of input for it.

    ``row_columns``: how many columns the window of each pixel of output holds.
    """
    chunks = channels / POOL_CHUNK
    pixels = len(row_columns)
    taken = pixels * POOL_ROW_PIXEL + sum(row_columns) * chunks * POOL_COLUMN_CHUNK
    return POOL_CALL + pixels * POOL_PIXEL, taken
