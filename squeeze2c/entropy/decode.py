"""The reference decoder: it defines what packed weights mean, word by word and bit by bit.

Generated C equals it on every stream that this one accepts. It is stricter than C: it also
refuses what C may decode to garbage.
"""

from __future__ import annotations

import numpy as np

from squeeze2c.entropy.codebook import Codebook, Word
from squeeze2c.entropy.packed import MAX_OFFSET_SHIFT, WORD_BYTES, PackedLayer
from squeeze2c.errors import ArtifactError, UsageError


def decode_tile(packed: PackedLayer, tile: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights int8 (channels, taps), bias int8 (channels,), multiplier index uint8 (channels,).

    Raises :class:`ArtifactError` where the data are corrupt, UsageError where there is no such
    tile.
    """
    if not 0 <= tile < packed.tiles:
        raise UsageError(f"tile {tile} of a layer of {packed.tiles} tiles")
    words = {
        (word.length_bits, word.code): word for word in Codebook.from_bytes(packed.table).words()
    }
    begin, end = _tile_bytes(packed, tile)
    channels = packed.channels(tile)
    flat = _decode(packed.stream[begin:end], words, len(channels) * packed.taps, tile)
    # What is left of the tile's bytes only fills them up, to the unit of offsets or to words.
    weights = np.array(flat, np.int16).astype(np.int8).reshape(len(channels), packed.taps)
    _check_channels(packed)
    return weights, packed.bias_of(tile), packed.multiplier_index_of(tile)


def decode_layer(packed: PackedLayer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All tiles: weights int8 (out_channels, taps), bias int8, multiplier index uint8."""
    tiles = [decode_tile(packed, tile) for tile in range(packed.tiles)]
    weights, bias, index = (np.concatenate(parts) for parts in zip(*tiles, strict=True))
    return weights, bias, index


def _decode(data: bytes, words: dict[tuple[int, int], Word], count: int, tile: int) -> list[int]:
    """``count`` weights from the bits of ``data``; zeros must follow them."""
    bits = int.from_bytes(data, "little")
    size = 8 * len(data)
    weights: list[int] = []
    at = 0
    chunk, chunk_at = 0, 0
    while len(weights) < count:
        # Slices of a long integer are slow, so take some thousand bits at a time.
        if at - chunk_at >= 4096 or chunk_at == 0 == at:
            chunk, chunk_at = (bits >> at) & ((1 << 4200) - 1), at
        window = chunk >> (at - chunk_at)
        for length in range(1, 10):
            word = words.get((length, window & ((1 << length) - 1)))
            if word is not None:
                break
        else:
            raise _corrupt(tile, "bits that are no code")
        extra_bits = word.segment.extra_bits
        at += length + extra_bits
        if at > size:
            raise _corrupt(tile, f"{len(weights)} of {count} weights")
        extra = (window >> length) & ((1 << extra_bits) - 1)
        weights += [*word.prefix, word.segment.base + extra]
    if bits >> at:
        raise _corrupt(tile, "something behind its last weight")
    # The last word may stand for more weights than are left.
    return weights[:count]


def _tile_bytes(packed: PackedLayer, tile: int) -> tuple[int, int]:
    """Begin and end of the bytes of ``tile``, with what fills them up."""
    size = len(packed.stream) - WORD_BYTES
    if size < 0 or len(packed.stream) % WORD_BYTES or any(packed.stream[size:]):
        raise _corrupt(tile, "a stream that does not end with a word of padding")
    if len(packed.tile_offsets) != packed.tiles or not 0 <= packed.offset_shift <= MAX_OFFSET_SHIFT:
        raise _corrupt(tile, "offsets that do not fit the layer")
    offsets = [offset << packed.offset_shift for offset in packed.tile_offsets] + [size]
    begin, end = offsets[tile : tile + 2]
    if not begin < end <= size:
        raise _corrupt(tile, f"bytes from {begin} to {end} of {size}")
    return begin, end


def _check_channels(packed: PackedLayer) -> None:
    if len(packed.bias) != packed.out_channels:
        raise _corrupt(0, f"{len(packed.bias)} biases for {packed.out_channels} channels")
    if len(packed.multiplier_index) not in (0, (packed.out_channels + 1) // 2):
        raise _corrupt(0, f"{len(packed.multiplier_index)} bytes of multiplier indices")


def _corrupt(tile: int, what: str) -> ArtifactError:
    return ArtifactError(
        f"tile {tile} has {what}", where="packed weights", hint="compile the model again"
    )
