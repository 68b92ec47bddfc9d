"""Layers to packed weights and back; what the reference decoder refuses; sizes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from squeeze2c.entropy import (
    PackedLayer,
    decode_layer,
    decode_tile,
    encode_layer,
    estimated_bits,
)
from squeeze2c.errors import ArtifactError, UsageError
from tests.support.unpack import extreme_layers, laplace, pack
from tests.unit.test_entropy_codebook import TABLE

LAYERS = extreme_layers()


@pytest.mark.parametrize("tile_channels", [1, 3, 16, 1000])
@pytest.mark.parametrize("name", LAYERS)
def test_round_trip(name: str, tile_channels: int) -> None:
    weights = LAYERS[name]
    random = np.random.default_rng(3)
    bias = random.integers(-128, 128, len(weights)).astype(np.int8)
    index = random.integers(0, 16, len(weights)).astype(np.uint8)
    packed = encode_layer(weights, bias, index, tile_channels)
    assert packed.tiles == -(-len(weights) // tile_channels)
    decoded = decode_layer(packed)
    for expected, found in zip((weights, bias, index), decoded, strict=True):
        np.testing.assert_array_equal(expected, found)
        assert expected.dtype == found.dtype


@pytest.mark.parametrize("taps", range(1, 8))
@pytest.mark.parametrize("spread", [1, 50])
def test_layers_of_few_weights(taps: int, spread: int) -> None:
    """Some need but one word, yet a complete code has two."""
    for seed in range(20):
        weights = laplace((2, taps), spread, seed)
        np.testing.assert_array_equal(decode_layer(pack(weights, tile_channels=1))[0], weights)


def test_tiles_decode_alone_and_in_any_order() -> None:
    weights = laplace((37, 90), 5)
    packed = pack(weights, tile_channels=8)
    for tile in (4, 0, 3, 1, 2):
        alone, bias, index = decode_tile(packed, tile)
        np.testing.assert_array_equal(alone, weights[tile * 8 : tile * 8 + 8])
        assert bias.shape == index.shape == alone.shape[:1]


def test_equal_multipliers_take_no_space() -> None:
    weights, bias = laplace((30, 10), 2), np.zeros(30, np.int8)
    packed = encode_layer(weights, bias, np.zeros(30, np.uint8), 8)
    assert packed.multiplier_index == b""
    assert not decode_layer(packed)[2].any()


def test_encoding_is_reproducible() -> None:
    weights = laplace((64, 144), 3)
    assert pack(weights) == pack(weights.copy())


# The example of docs/weight-format.md: 0 0 | 1 | 0 -1 is written 10 01 110, first bit lowest; then
# 1 | 0 0, of which the second zero is behind the end where there are two taps.
DOCUMENTED = PackedLayer(
    stream=bytes([0b0111001, 0b0110, 0, 0, 0, 0, 0, 0]),
    table=TABLE,
    tile_offsets=(0, 1),
    offset_shift=0,
    bias=bytes([3, 0xFF]),
    multiplier_index=bytes([0x50]),
    out_channels=2,
    taps=5,
    tile_channels=1,
)


def test_the_documented_layer() -> None:
    weights, bias, index = decode_tile(DOCUMENTED, 0)
    assert weights.tolist() == [[0, 0, 1, 0, -1]]
    assert (bias.tolist(), index.tolist()) == ([3], [0])
    two = dataclasses.replace(DOCUMENTED, taps=2)
    assert decode_tile(two, 1)[0].tolist() == [[1, 0]]
    assert decode_tile(two, 1)[1].tolist() == [-1]
    assert decode_tile(two, 1)[2].tolist() == [5]


@pytest.mark.parametrize("tile", [-1, 2, 100])
def test_there_must_be_such_a_tile(tile: int) -> None:
    with pytest.raises(UsageError, match=f"tile {tile}"):
        decode_tile(pack(laplace((20, 9), 2), tile_channels=10), tile)


PACKED = pack(laplace((20, 30), 3), tile_channels=5)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"stream": b""}, "padding"),
        ({"stream": PACKED.stream[:-1]}, "padding"),
        ({"stream": PACKED.stream[:-4] + b"\0\0\0\1"}, "padding"),
        ({"stream": PACKED.stream[:-8] + bytes(4)}, "weights|bytes from|behind"),
        ({"tile_offsets": PACKED.tile_offsets[:-1]}, "offsets"),
        ({"offset_shift": 8}, "offsets"),
        ({"tile_offsets": (0, 0, *PACKED.tile_offsets[2:])}, "bytes from"),
        ({"tile_offsets": (*PACKED.tile_offsets[:-1], 60000)}, "bytes from|behind"),
        ({"taps": 31}, "weights|behind"),
        ({"taps": 29}, "behind"),
        ({"bias": PACKED.bias[:-1]}, "biases"),
        ({"multiplier_index": PACKED.multiplier_index + b"\0"}, "multiplier"),
    ],
)
def test_corrupt_layers_are_refused(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(ArtifactError, match=complaint):
        decode_layer(dataclasses.replace(PACKED, **change))


@pytest.mark.parametrize(
    ("weights", "bias", "index", "tile_channels"),
    [
        (np.zeros((4, 4), np.int16), np.zeros(4, np.int8), np.zeros(4, np.uint8), 4),
        (np.zeros(4, np.int8), np.zeros(4, np.int8), np.zeros(4, np.uint8), 4),
        (np.zeros((0, 4), np.int8), np.zeros(0, np.int8), np.zeros(0, np.uint8), 4),
        (np.zeros((4, 4), np.int8), np.zeros(4, np.int32), np.zeros(4, np.uint8), 4),
        (np.zeros((4, 4), np.int8), np.zeros(5, np.int8), np.zeros(4, np.uint8), 4),
        (np.zeros((4, 4), np.int8), np.zeros(4, np.int8), np.zeros(4, np.int8), 4),
        (np.zeros((4, 4), np.int8), np.zeros(4, np.int8), np.full(4, 16, np.uint8), 4),
        (np.zeros((4, 4), np.int8), np.zeros(4, np.int8), np.zeros(4, np.uint8), 0),
    ],
)
def test_wrong_arguments_are_refused(
    weights: np.ndarray, bias: np.ndarray, index: np.ndarray, tile_channels: int
) -> None:
    with pytest.raises(UsageError):
        encode_layer(weights, bias, index, tile_channels)


def entropy_bytes(weights: np.ndarray) -> float:
    counts = np.unique(weights, return_counts=True)[1]
    return float(-(counts * np.log2(counts / weights.size)).sum() / 8)


def beside_weights(packed: PackedLayer) -> int:
    return len(packed.bias) + len(packed.multiplier_index)


@pytest.mark.parametrize("spread", [1.0, 1.5, 2.0, 3.0, 6.0])
def test_dense_layers_come_within_two_percent(spread: float) -> None:
    weights = laplace((256, 576), spread)
    packed = pack(weights)
    assert packed.size_bytes - beside_weights(packed) < 1.02 * entropy_bytes(weights)


@pytest.mark.parametrize(
    ("dense", "limit"), [(0.05, 1.07), (0.1, 1.03), (0.2, 1.02), (0.33, 1.02), (0.5, 1.02)]
)
@pytest.mark.parametrize("spread", [4.0, 40.0])
def test_sparse_layers_come_close(spread: float, dense: float, limit: float) -> None:
    weights = laplace((256, 576), spread, dense=dense)
    packed = pack(weights)
    assert packed.size_bytes - beside_weights(packed) < limit * entropy_bytes(weights)


def test_large_layers_get_a_coarser_unit_of_offsets() -> None:
    weights = laplace((1000, 512), 2.0)
    packed = pack(weights)
    assert packed.offset_shift == 2
    assert max(packed.tile_offsets) <= 0xFFFF
    np.testing.assert_array_equal(decode_tile(packed, 62)[0], weights[992:])


@pytest.mark.parametrize("name", ["dense 3 bits", "sparse 8 bits", "wide", "many taps"])
def test_the_estimate_is_close(name: str) -> None:
    weights = LAYERS[name]
    counts = np.bincount(weights.reshape(-1).astype(np.int64) + 128, minlength=256)
    packed = pack(weights)
    exact = packed.size_bytes - beside_weights(packed)
    assert estimated_bits(counts) / 8 == pytest.approx(exact - 3 * packed.tiles, rel=0.02)
