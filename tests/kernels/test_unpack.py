"""The C decoder of packed weights equals the reference decoder, and stays inside its buffers."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.entropy import Codebook, PackedLayer, decode_tile
from squeeze2c.entropy.codebook import CODE_BITS
from tests.support.kernel_library import Build
from tests.support.unpack import (
    ERROR_ARGUMENT,
    ERROR_CRC,
    ERROR_NULL,
    OK,
    SANITISED_UNPACK,
    TABLE_WORDS,
    Unpacker,
    UnpackKernels,
    extreme_layers,
    laplace,
    load_unpacker,
    pack,
)

BUILDS = [
    Build(compiler, flags)
    for compiler in ("gcc", "clang")
    for flags in (
        ("-O0",), ("-O1",), ("-O2",), ("-O3", "-march=native"),
        ("-O0", "-DS2C_UNPACK_UNALIGNED=0"), ("-O3", "-DS2C_UNPACK_UNALIGNED=0"),
    )
]
LAYERS = extreme_layers()
MULTIPLIERS = np.random.default_rng(4).integers(-(2**31), 2**31, 16)


@pytest.fixture(
    scope="module", params=BUILDS[:1] if SANITISED_UNPACK in os.environ else BUILDS, ids=str
)
def kernels(request: pytest.FixtureRequest, build_dir: Path) -> UnpackKernels:
    return load_unpacker(request.param, build_dir)


@cache
def packed_laplace(
    channels: int, taps: int, spread: float, dense: float = 1.0, tile_channels: int = 2
) -> PackedLayer:
    return pack(laplace((channels, taps), spread, taps, dense), tile_channels)


@cache
def packed_extreme(name: str, tile_channels: int = 16) -> PackedLayer:
    return pack(LAYERS[name], tile_channels)


@cache
def reference(packed: PackedLayer, tile: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return decode_tile(packed, tile)


def check_layer(
    kernels: UnpackKernels, packed: PackedLayer, bias_shift: int = 0, shift_bytes: int = 0
) -> None:
    unpacker = Unpacker(kernels, packed, MULTIPLIERS, bias_shift)
    assert unpacker.prepare() == OK
    for tile in range(packed.tiles):
        weights, bias, index = reference(packed, tile)
        decoded = unpacker.tile(tile, shift_bytes)
        assert decoded.status == OK
        np.testing.assert_array_equal(decoded.weights, weights)
        np.testing.assert_array_equal(decoded.bias, bias.astype(np.int32) * (1 << bias_shift))
        np.testing.assert_array_equal(decoded.multiplier, MULTIPLIERS[index])


@pytest.mark.parametrize("name", LAYERS)
def test_c_equals_the_reference(name: str, kernels: UnpackKernels) -> None:
    check_layer(kernels, packed_extreme(name))
    check_layer(kernels, packed_extreme(name, tile_channels=5))


@pytest.mark.parametrize("shift_bytes", [1, 2, 3])
def test_weights_may_lie_anywhere(shift_bytes: int, kernels: UnpackKernels) -> None:
    check_layer(kernels, packed_extreme("sparse 8 bits"), shift_bytes=shift_bytes)
    check_layer(kernels, packed_extreme("dense 3 bits"), shift_bytes=shift_bytes)


@pytest.mark.parametrize("taps", [*range(1, 40), 63, 64, 65, 4607])
def test_every_length_of_tail(taps: int, kernels: UnpackKernels) -> None:
    check_layer(kernels, packed_laplace(3, taps, 2))
    check_layer(kernels, packed_laplace(3, taps, 50, dense=0.3))


@pytest.mark.parametrize("bias_shift", [0, 1, 7, 23, 24])
def test_biases_are_scaled(bias_shift: int, kernels: UnpackKernels) -> None:
    packed = packed_laplace(256, 2, 1, tile_channels=100)
    extremes = np.arange(-128, 128).astype(np.int8).tobytes()
    check_layer(kernels, dataclasses.replace(packed, bias=extremes), bias_shift)


def test_equal_multipliers(kernels: UnpackKernels) -> None:
    packed = dataclasses.replace(packed_laplace(9, 10, 1, tile_channels=16), multiplier_index=b"")
    unpacker = Unpacker(kernels, packed, MULTIPLIERS[3:4])
    assert unpacker.prepare() == OK
    assert set(unpacker.tile(0).multiplier.tolist()) == {int(MULTIPLIERS[3])}


def test_large_offsets(kernels: UnpackKernels) -> None:
    packed = packed_laplace(130, 1024, 40, tile_channels=16)
    assert packed.offset_shift > 0
    check_layer(kernels, packed)


@pytest.mark.parametrize(("name", "most"), [("sparse 8 bits", 5), ("dense 3 bits", 100)])
def test_the_decode_table(name: str, most: int, kernels: UnpackKernels) -> None:
    """Every index begins with the words that its entry stands for."""
    packed = packed_extreme(name)
    unpacker = Unpacker(kernels, packed, MULTIPLIERS)
    assert unpacker.prepare() == OK
    words = Codebook.from_bytes(packed.table).words()
    joined = 0
    for index, entry in enumerate(unpacker.table().tolist()):
        at, weights, found = 0, [], []
        while True:
            matching = [
                w for w in words if (index >> at) & ((1 << w.length_bits) - 1) == w.code
                and at + w.length_bits <= CODE_BITS
            ]
            if not matching:
                break
            word = matching[0]
            plain = word.segment.extra_bits == 0 and len(word.prefix) < 3
            if found and (not plain or len(weights) + len(word.prefix) + 1 > 3):
                break
            found.append(word)
            weights += [*word.prefix, word.segment.base]
            at += word.length_bits
            if not plain:
                break
        first = found[0]
        if first.segment.extra_bits or len(first.prefix) >= 3:
            prefix = first.prefix[0] & 255 if first.prefix else 0
            expected = prefix | (first.segment.base & 255) << 8 | len(first.prefix) << 16
            expected |= first.length_bits << 19 | first.segment.extra_bits << 23
        else:
            expected = len(weights) << 26 | at << 28
            expected |= sum((w & 255) << 8 * i for i, w in enumerate(weights))
            joined += len(found) > 1
        assert entry == expected, index
    assert joined > most


def test_wrong_arguments(kernels: UnpackKernels) -> None:
    packed = packed_laplace(20, 9, 2, tile_channels=8)
    unpacker = Unpacker(kernels, packed, MULTIPLIERS)
    assert unpacker.prepare() == OK
    for tile in (3, 20, 0x10000, 0x20000000, 0xFFFFFFFF):
        assert unpacker.tile(tile).status == ERROR_ARGUMENT
    for change in ({"bias_shift": 25}, {"offset_shift": 8}, {"stream_words": 0}):
        assert Unpacker(kernels, packed, MULTIPLIERS, **change).tile(0).status == ERROR_ARGUMENT
    null, lib, layer = kernels.ffi.NULL, kernels.lib, unpacker.layer
    table = kernels.ffi.new("uint32_t[512]")
    weights, words = kernels.ffi.new("int8_t[72]"), kernels.ffi.new("int32_t[8]")
    assert lib.s2c_unpack_prepare(null, table) == ERROR_NULL
    assert lib.s2c_unpack_prepare(layer, null) == ERROR_NULL
    right = [layer, table, 0, weights, words, words]
    for at in (0, 1, 3, 4, 5):
        assert lib.s2c_unpack_tile(*right[:at], null, *right[at + 1 :]) == ERROR_NULL


def test_an_index_without_multiplier(kernels: UnpackKernels) -> None:
    packed = packed_laplace(4, 9, 2, tile_channels=16)
    packed = dataclasses.replace(packed, multiplier_index=bytes([0x10, 0x32]))
    for count, status in ((4, OK), (3, ERROR_CRC)):
        unpacker = Unpacker(kernels, packed, MULTIPLIERS[:count])
        assert unpacker.prepare() == OK
        assert unpacker.tile(0).status == status


Change = Callable[[bytearray], None]


def set_byte(at: int, value: int) -> Change:
    def change(table: bytearray) -> None:
        table[at] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        set_byte(0, 0), set_byte(0, 2), set_byte(1, 0), set_byte(2, 0), set_byte(2, 3),
        set_byte(3, 127), set_byte(5, 0), set_byte(5, 8), set_byte(-1, 0xAA), set_byte(-1, 0),
        bytearray.clear, bytearray.pop, lambda table: table.append(0),
        lambda table: table.__delitem__(slice(3, None)),
    ],
)
def test_corrupt_tables_are_refused_and_harmless(change: Change, kernels: UnpackKernels) -> None:
    packed = packed_extreme("sparse 8 bits")
    assert packed.table[2] > 1
    table = bytearray(packed.table)
    change(table)
    corrupt = dataclasses.replace(packed, table=bytes(table))
    unpacker = Unpacker(kernels, corrupt, MULTIPLIERS)
    assert unpacker.prepare() == ERROR_CRC
    assert unpacker.table().tolist() == [0x94000000] * TABLE_WORDS
    assert unpacker.tile(0).status in (OK, ERROR_CRC)


def test_streams_that_end_early(kernels: UnpackKernels) -> None:
    for name in ("sparse 8 bits", "dense 3 bits"):
        packed = packed_extreme(name)
        for words in (1, 2, 3, 10, len(packed.stream) // 8):
            cut = dataclasses.replace(packed, stream=packed.stream[: 4 * words])
            unpacker = Unpacker(kernels, cut, MULTIPLIERS)
            assert unpacker.prepare() == OK
            assert unpacker.tile(packed.tiles - 1).status == ERROR_CRC


def test_tiles_that_run_into_the_next(kernels: UnpackKernels) -> None:
    packed = packed_extreme("dense 3 bits")
    early = dataclasses.replace(packed, tile_offsets=(packed.tile_offsets[1] // 2, *[
        offset // 2 for offset in packed.tile_offsets[1:]
    ]))
    unpacker = Unpacker(kernels, early, MULTIPLIERS)
    assert unpacker.prepare() == OK
    assert unpacker.tile(0).status == ERROR_CRC
