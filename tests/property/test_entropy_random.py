"""Packed weights of random layers: round trips, C beside the reference, and corrupt bytes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squeeze2c.entropy import PackedLayer, decode_layer, decode_tile, encode_layer
from squeeze2c.errors import ArtifactError
from tests.support.kernel_library import Build
from tests.support.unpack import (
    ERROR_ARGUMENT,
    ERROR_CRC,
    OK,
    Unpacker,
    UnpackKernels,
    load_unpacker,
)

MULTIPLIERS = np.arange(1, 17) * 1000003
BUILD = Build("gcc", ("-O2",))


@pytest.fixture(scope="module")
def kernels(build_dir: Path) -> UnpackKernels:
    return load_unpacker(BUILD, build_dir)


@st.composite
def layers(draw: st.DrawFn) -> PackedLayer:
    """Layers with few or many values, as frequent as may be."""
    seed = draw(st.integers(0, 2**32 - 1))
    channels, taps = draw(st.integers(1, 24)), draw(st.integers(1, 60))
    values = draw(st.lists(st.integers(-128, 127), min_size=1, max_size=40, unique=True))
    steepness = draw(st.floats(0, 3))
    random = np.random.default_rng(seed)
    chance = np.exp(-steepness * np.arange(len(values)))
    weights = random.choice(values, (channels, taps), p=chance / chance.sum()).astype(np.int8)
    return encode_layer(
        weights,
        random.integers(-128, 128, channels).astype(np.int8),
        random.integers(0, draw(st.sampled_from([1, 16])), channels).astype(np.uint8),
        draw(st.integers(1, 30)),
    )


def check(kernels: UnpackKernels, packed: PackedLayer) -> None:
    """C equals the reference wherever that accepts the data, and is harmless elsewhere."""
    unpacker = Unpacker(kernels, packed, MULTIPLIERS)
    prepared = unpacker.prepare()
    assert prepared in (OK, ERROR_CRC)
    for tile in range(packed.tiles):
        decoded = unpacker.tile(tile)
        assert decoded.status in (OK, ERROR_CRC)
        try:
            weights, bias, index = decode_tile(packed, tile)
        except ArtifactError:
            continue
        assert (prepared, decoded.status) == (OK, OK)
        np.testing.assert_array_equal(decoded.weights, weights)
        np.testing.assert_array_equal(decoded.bias, bias)
        np.testing.assert_array_equal(decoded.multiplier, MULTIPLIERS[index])
    assert unpacker.tile(packed.tiles).status == ERROR_ARGUMENT


@given(packed=layers())
def test_c_equals_the_reference(kernels: UnpackKernels, packed: PackedLayer) -> None:
    check(kernels, packed)
    decode_layer(packed)


@st.composite
def corrupt_layers(draw: st.DrawFn) -> PackedLayer:
    """Some bytes of a layer's arrays are others."""
    packed = draw(layers())
    arrays = {
        "stream": bytearray(packed.stream),
        "table": bytearray(packed.table),
        "tile_offsets": bytearray(np.array(packed.tile_offsets, "<u2").tobytes()),
        "multiplier_index": bytearray(packed.multiplier_index),
    }
    for _ in range(draw(st.integers(1, 4))):
        array = arrays[draw(st.sampled_from([name for name in arrays if arrays[name]]))]
        array[draw(st.integers(0, len(array) - 1))] = draw(st.integers(0, 255))
    return dataclasses.replace(
        packed,
        stream=bytes(arrays["stream"]),
        table=bytes(arrays["table"]),
        tile_offsets=tuple(np.frombuffer(arrays["tile_offsets"], "<u2").tolist()),
        multiplier_index=bytes(arrays["multiplier_index"]),
        offset_shift=draw(st.integers(0, 7)),
    )


@settings(max_examples=120)
@given(packed=corrupt_layers())
def test_corrupt_layers_are_harmless(kernels: UnpackKernels, packed: PackedLayer) -> None:
    check(kernels, packed)


@given(packed=layers(), table=st.binary(max_size=80), stream=st.binary(max_size=80))
def test_random_bytes_are_harmless(
    kernels: UnpackKernels, packed: PackedLayer, table: bytes, stream: bytes
) -> None:
    check(kernels, dataclasses.replace(packed, table=table))
    padded = stream + bytes(-len(stream) % 4 + 4)
    check(kernels, dataclasses.replace(packed, stream=padded))
