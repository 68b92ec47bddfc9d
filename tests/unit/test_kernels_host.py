"""What kernels for PCs need, as shapes tell."""

from __future__ import annotations

import numpy as np
import pytest

from squeeze2c.ir import Padding, Window
from squeeze2c.kernels import (
    block_weights,
    pair_weights,
    reads_in_place,
    scratch_bytes,
    weights_bytes,
)
from squeeze2c.kernels.catalogue import CONV2D, CONV2D_DSP, CONV2D_HOST
from tests.support.programs import every_operator_graph, quantised

SUMS_BYTES = 17 * 16 * 4


def test_scratch_holds_sums_and_what_a_tile_reads() -> None:
    graph = quantised(every_operator_graph())
    stem, expand = graph.node("stem"), graph.node("fire/expand1x1")
    stride = stem.window.strides[1]
    # Rows of three pixels of three channels are nine bytes, three quads.
    assert scratch_bytes(graph, stem, CONV2D_HOST) == SUMS_BYTES + 3 * (13 * stride * 3 + 12)
    channels = graph.values[expand.inputs[0]].type.channels
    copies = 0 if channels % 4 == 0 else 13 * channels + -(-channels // 4) * 4
    assert scratch_bytes(graph, expand, CONV2D_HOST) == SUMS_BYTES + copies


@pytest.mark.parametrize(
    ("window", "channels", "expected"),
    [
        (Window((1, 1)), 4, True),
        (Window((1, 1), (2, 2)), 64, True),
        (Window((3, 1)), 8, True),
        (Window((1, 1)), 3, False),
        (Window((1, 3)), 4, False),
        (Window((1, 1), (1, 1), Padding(0, 1, 0, 0)), 4, False),
    ],
)
def test_what_is_read_in_place(window: Window, channels: int, expected: bool) -> None:
    assert reads_in_place(window, channels) == expected


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (16, 3, 3, 4), (17, 3, 2, 3), (5, 1, 7, 6)])
def test_sizes_of_weights_are_those_of_their_order(shape: tuple[int, ...]) -> None:
    weight = np.ones(shape, np.int8)
    assert weights_bytes(CONV2D, shape) == weight.nbytes
    assert weights_bytes(CONV2D_DSP, shape) == pair_weights(weight.reshape(shape[0], -1)).nbytes
    assert weights_bytes(CONV2D_HOST, shape) == block_weights(weight).nbytes


def test_blocks_hold_four_taps_of_sixteen_channels() -> None:
    weight = np.arange(2 * 2 * 5, dtype=np.int8).reshape(2, 2, 1, 5)
    blocks = block_weights(weight).reshape(2, 2, 16, 4)
    assert blocks[0, 0, :2].tolist() == [[0, 1, 2, 3], [10, 11, 12, 13]]
    assert blocks[0, 1, :2].tolist() == [[4, 0, 0, 0], [14, 0, 0, 0]]
    assert blocks[1, 0, :2].tolist() == [[5, 6, 7, 8], [15, 16, 17, 18]]
    assert not blocks[:, :, 2:].any()
