"""Weights without their zeros: the format, and which layers may have it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import sparse_weights, sparsity, zeros_suit
from tests.support.pruned import pruned_fires


def decoded(stored: np.ndarray, outputs: int, taps: int) -> tuple[np.ndarray, list[int]]:
    """The weights, and the words of each output channel."""
    data = stored.view(np.uint8)
    counts = data[: 2 * outputs].view("<u2").tolist()
    at = max(64, -(-outputs // 2) * 4)
    weight = np.zeros((outputs, taps), np.int8)
    for channel, count in enumerate(counts):
        tap = 0
        for distance, value in data[at : at + 4 * count].reshape(-1, 2):
            assert distance % 16 == 0
            tap += int(distance) // 16
            if value:
                assert weight[channel, tap] == 0
                weight[channel, tap] = value.view(np.int8)
        at += 4 * count
    assert at == len(data)
    return weight, counts


@pytest.mark.parametrize("outputs", [1, 3, 32, 33, 50])
@pytest.mark.parametrize("density", [0.0, 0.01, 0.05, 0.3, 1.0])
def test_weights_can_be_read_back(outputs: int, density: float) -> None:
    rng = np.random.default_rng(1)
    for taps in (1, 2, 15, 16, 17, 31, 400):
        weight = rng.integers(-128, 128, (outputs, taps)).astype(np.int8)
        weight[rng.random(weight.shape) >= density] = 0
        back, counts = decoded(sparse_weights(weight), outputs, taps)
        np.testing.assert_array_equal(back, weight)
        assert min(counts) >= 1


def test_two_entries_fill_a_word() -> None:
    weight = np.zeros((2, 40), np.int8)
    weight[0, [0, 3, 18]] = (5, -1, 7)
    weight[1, 31] = -128
    data = sparse_weights(weight).view(np.uint8)
    assert data[:4].tolist() == [2, 0, 2, 0]
    assert data[64:].tolist() == [
        0, 5, 48, 255, 240, 7, 0, 0,
        240, 0, 240, 0, 16, 128, 0, 0,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def network() -> Graph:
    return pruned_fires()


def with_constants(graph: Graph, node: ops.Node, operand: int, array: np.ndarray) -> Graph:
    return replace(graph, constants={**graph.constants, node.inputs[operand]: array})


def test_what_is_counted_is_what_is_stored(network: Graph) -> None:
    node = network.node("fire2/three")
    weight = network.constants[node.inputs[1]]
    found = sparsity(network, node)
    stored = sparse_weights(weight.reshape(len(weight), -1))
    _, counts = decoded(stored, len(weight), weight.size // len(weight))
    assert found is not None
    assert found.words == sum(counts)
    assert found.chunks == sum(-(-count // 16) for count in counts)
    assert found.short_chunks == sum(-(-count // 8) for count in counts)
    assert found.extra_bytes == len(stored) - weight.size < 0


def test_dense_and_unknown_weights_keep_their_zeros(network: Graph) -> None:
    node = network.node("fire2/three")
    weight = network.constants[node.inputs[1]]
    for other in (np.zeros_like(weight), np.ones_like(weight)):
        assert sparsity(with_constants(network, node, 1, other), node) is None
    assert sparsity(network, network.node("conv1")) is None
    assert sparsity(network, network.node("pool1")) is None


def test_sums_beyond_the_field_are_refused(network: Graph) -> None:
    node = network.node("fire2/three")
    weight, bias = (network.constants[name].copy() for name in node.inputs[1:3])
    matrix = weight.reshape(len(weight), -1).astype(np.int64)
    high = 255 * np.maximum(matrix, 0).sum(axis=1)
    low = 255 * np.minimum(matrix, 0).sum(axis=1)
    for edge, beyond in (((1 << 22) - 1 - high[2], 1), (-(1 << 22) - low[2], -1)):
        for extra in (0, beyond):
            changed = bias.copy()
            changed[2] = edge + extra
            graph = with_constants(network, node, 2, changed)
            assert zeros_suit(graph, node) == (extra == 0)
            assert (sparsity(graph, node) is None) == (extra != 0)


def test_other_shifts_and_limits_are_refused(network: Graph) -> None:
    node = network.node("fire2/three")
    assert isinstance(node, ops.QConv2D)
    assert zeros_suit(network, node)
    assert not zeros_suit(network, replace(node, shift=23))
    assert not zeros_suit(network, replace(node, clamp_min=1))
