"""Weights to codes: parses each tile into words, and writes their bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from squeeze2c.entropy.codebook import Codebook
from squeeze2c.entropy.design import Dictionary, design, with_lengths
from squeeze2c.entropy.packed import MAX_OFFSET_SHIFT, WORD_BYTES, PackedLayer, packed_index
from squeeze2c.errors import InternalError, UsageError

_MAX_OFFSET = 0xFFFF


def encode_layer(
    weights: np.ndarray, bias: np.ndarray, multiplier_index: np.ndarray, tile_channels: int
) -> PackedLayer:
    """A layer's weights int8 (out_channels, taps) in tiles of ``tile_channels`` output channels.

    ``bias`` int8 (out_channels,); ``multiplier_index`` uint8 (out_channels,), below 16. Lossless.
    Raises :class:`UsageError` where shapes, types or values are others.
    """
    _check(weights, bias, multiplier_index, tile_channels)
    out_channels, taps = weights.shape
    tiles = [
        np.ascontiguousarray(weights[first : first + tile_channels]).reshape(-1)
        for first in range(0, out_channels, tile_channels)
    ]
    counts = np.bincount(weights.reshape(-1).astype(np.int64) + 128, minlength=256)
    dictionary = design(counts).dictionary
    parser = _Parser(dictionary)
    parsed = [parser.parse(tile) for tile in tiles]
    codebook = _codebook(dictionary, parser, parsed)
    coder = _Coder(codebook, dictionary)
    stream, offsets, shift = _join([coder.bytes_of(words) for words in parsed])
    return PackedLayer(
        stream=stream,
        table=codebook.to_bytes(),
        tile_offsets=offsets,
        offset_shift=shift,
        bias=bias.astype(np.int8).tobytes(),
        multiplier_index=packed_index(multiplier_index),
        out_channels=out_channels,
        taps=taps,
        tile_channels=tile_channels,
    )


@dataclass(frozen=True, slots=True)
class _Words:
    """A tile as words: ``word[i]`` is prefix * segments + segment, ``last[i]`` its last weight.

    ``open_prefix``: the prefix that the end of the tile cuts off, 0 where there is none.
    """

    word: np.ndarray
    last: np.ndarray
    open_prefix: int


class _Parser:
    """Cuts sequences of weights into words of a dictionary; a machine with a state per prefix."""

    def __init__(self, dictionary: Dictionary) -> None:
        prefixes, segments = dictionary.prefixes, dictionary.segments
        self._number = {prefix: p for p, prefix in enumerate(prefixes)}
        segment_of = np.full(256, -1, np.int64)
        for s, segment in enumerate(segments):
            segment_of[segment.base + 128 : segment.end + 128] = s
        # step[p][byte]: the next prefix, or -1 - word.
        self._step: list[list[int]] = []
        for p, prefix in enumerate(prefixes):
            row = [-1 - (p * len(segments) + int(segment_of[(b + 128) & 255])) for b in range(256)]
            for longer, following in self._number.items():
                if len(longer) == len(prefix) + 1 and longer[:-1] == prefix:
                    row[longer[-1] & 255] = following
            self._step.append(row)

    def parse(self, tile: np.ndarray) -> _Words:
        """Words of the int8 weights of ``tile``, in their order."""
        words: list[int] = []
        last: list[int] = []
        step, state = self._step, 0
        row = step[0]
        for byte in tile.tobytes():
            state = row[byte]
            if state < 0:
                words.append(-1 - state)
                last.append(byte)
                state = 0
            row = step[state]
        values = np.array(last, np.uint8).view(np.int8)
        return _Words(np.array(words, np.int64), values, state)


def _codebook(dictionary: Dictionary, parser: _Parser, parsed: list[_Words]) -> Codebook:
    """The best code for the words that occur, with one for each end of a tile."""
    shape = (len(dictionary.prefixes), len(dictionary.segments))
    every_word = np.concatenate([words.word for words in parsed])
    counts = np.bincount(every_word, minlength=shape[0] * shape[1]).reshape(shape)
    for words in parsed:
        if words.open_prefix:
            begin = dictionary.prefixes[words.open_prefix]
            longer = [p for p, q in enumerate(dictionary.prefixes) if q[: len(begin)] == begin]
            if not counts[longer].any():
                counts[words.open_prefix, 0] = 1
    return with_lengths(dictionary, counts)


class _Coder:
    """Writes words as bits."""

    def __init__(self, codebook: Codebook, dictionary: Dictionary) -> None:
        segments = codebook.segments
        size = len(codebook.prefixes) * len(segments)
        self._code = np.zeros(size, np.int64)
        self._length = np.zeros(size, np.int64)
        self._extra_bits = np.tile([s.extra_bits for s in segments], len(codebook.prefixes))
        self._base = np.tile([s.base for s in segments], len(codebook.prefixes))
        self._prefixes = codebook.prefixes
        self._segments = len(segments)
        number = {
            (prefix, segment): i
            for i, (prefix, segment) in enumerate(
                (p, s) for p in codebook.prefixes for s in segments
            )
        }
        for word in codebook.words():
            i = number[word.prefix, word.segment]
            self._code[i], self._length[i] = word.code, word.length_bits

    def bytes_of(self, words: _Words) -> bytes:
        """The bits of a tile, filled up to whole bytes."""
        word, last = words.word, words.last.astype(np.int64)
        if words.open_prefix:
            closing = self._closing(words.open_prefix)
            word = np.append(word, closing)
            last = np.append(last, self._base[closing])
        length = self._length[word]
        if not length.all():
            raise InternalError("a word without a code")
        value = self._code[word] | (last - self._base[word]) << length
        size = length + self._extra_bits[word]
        owner = np.repeat(np.arange(len(word)), size)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(size) - size, size)
        bits = (value[owner] >> within) & 1
        return np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()

    def _closing(self, prefix: int) -> int:
        """The word with the fewest bits that begins with ``prefix``."""
        begin = self._prefixes[prefix]
        candidates = [
            i
            for p, other in enumerate(self._prefixes)
            if other[: len(begin)] == begin
            for i in range(p * self._segments, (p + 1) * self._segments)
            if self._length[i]
        ]
        return min(candidates, key=lambda i: int(self._length[i] + self._extra_bits[i]))


def _join(tiles: list[bytes]) -> tuple[bytes, tuple[int, ...], int]:
    """Stream, offsets of the tiles, and the unit of offsets that 16 bits demand."""
    for shift in range(MAX_OFFSET_SHIFT + 1):
        unit = 1 << shift
        sizes = [-(-len(tile) // unit) for tile in tiles]
        if sum(sizes[:-1]) <= _MAX_OFFSET:
            break
    else:
        raise UsageError("a layer of more than 8 MB of packed weights")
    stream = b"".join(t.ljust(n * unit, b"\0") for t, n in zip(tiles, sizes, strict=True))
    padding = -len(stream) % WORD_BYTES + WORD_BYTES
    offsets = np.cumsum([0, *sizes[:-1]]).tolist()
    return stream + bytes(padding), tuple(offsets), shift


def _check(
    weights: np.ndarray, bias: np.ndarray, multiplier_index: np.ndarray, tile_channels: int
) -> None:
    if weights.dtype != np.int8 or weights.ndim != 2 or weights.size == 0:
        raise UsageError(f"weights are int8 (channels, taps), not {weights.dtype} {weights.shape}")
    channels = weights.shape[:1]
    if bias.dtype != np.int8 or bias.shape != channels:
        raise UsageError(f"biases are int8 {channels}, not {bias.dtype} {bias.shape}")
    if multiplier_index.shape != channels or multiplier_index.dtype != np.uint8:
        raise UsageError(f"multiplier indices are uint8 {channels}")
    if multiplier_index.max() > 15:
        raise UsageError("multiplier indices are below 16")
    if tile_channels < 1:
        raise UsageError(f"tiles of {tile_channels} channels")
