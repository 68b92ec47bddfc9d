"""The code table of one layer: which words there are, and the bytes that say so.

A *word* stands for one or several weights. It is a prefix (none, or a value and zeros behind it)
and a last weight from a *segment*, an interval of ``2**n`` values: the code says which segment,
``n`` extra bits behind it say which value. Each pair of prefix and segment may have a code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from squeeze2c.entropy.huffman import canonical_codes, is_complete
from squeeze2c.errors import ArtifactError

VERSION = 1
CODE_BITS = 9
"""The longest code word."""
MAX_EXTRA_BITS = 7
MAX_PREFIX_WEIGHTS = 7
MAX_PLAIN_WEIGHTS = 3
"""Words of more weights are escapes to the decoder, even without extra bits."""
MAX_SEGMENTS = 255
MAX_PREFIXES = 255
_HEADER_BYTES = 4


@dataclass(frozen=True, slots=True)
class Segment:
    """The values ``base`` to ``base + 2**extra_bits - 1``."""

    base: int
    extra_bits: int

    @property
    def end(self) -> int:
        """The first value behind it."""
        return self.base + (1 << self.extra_bits)


@dataclass(frozen=True, slots=True)
class Word:
    """One code word: ``prefix``, then ``segment.base`` plus extra bits. First bit lowest."""

    prefix: tuple[int, ...]
    segment: Segment
    length_bits: int
    code: int


@dataclass(frozen=True, slots=True)
class Codebook:
    """Words of a layer.

    ``segments`` are neighbours, in rising order. ``prefixes`` begins with the empty one.
    ``lengths[p][s]`` is the length of the code of prefix p and segment s, 0 where it has none.
    """

    segments: tuple[Segment, ...]
    prefixes: tuple[tuple[int, ...], ...]
    lengths: tuple[tuple[int, ...], ...]

    def words(self) -> tuple[Word, ...]:
        """All words that have a code, by prefix, then segment."""
        pairs = [(prefix, segment) for prefix in self.prefixes for segment in self.segments]
        flat = [length for row in self.lengths for length in row]
        coded = zip(pairs, flat, canonical_codes(flat, CODE_BITS), strict=True)
        return tuple(Word(*pair, length, code) for pair, length, code in coded if length)

    def to_bytes(self) -> bytes:
        """The code table as it lies in flash."""
        table = bytearray(
            [VERSION, len(self.segments), len(self.prefixes), self.segments[0].base & 0xFF]
        )
        for prefix in self.prefixes[1:]:
            table += bytes([prefix[0] & 0xFF, len(prefix)])
        nibbles = [segment.extra_bits for segment in self.segments]
        nibbles += [length for row in self.lengths for length in row]
        return bytes(table) + pack_nibbles(nibbles)

    @classmethod
    def from_bytes(cls, table: bytes) -> Codebook:
        """The inverse of :meth:`to_bytes`. Raises :class:`ArtifactError` on anything else."""
        _require(len(table) >= _HEADER_BYTES, "the code table is cut off")
        version, segment_count, prefix_count, lowest = table[:_HEADER_BYTES]
        _require(version == VERSION, f"the code table is of version {version}, not {VERSION}")
        _require(segment_count > 0 and prefix_count > 0, "the code table is empty")
        split = _HEADER_BYTES + 2 * (prefix_count - 1)
        nibble_count = segment_count * (prefix_count + 1)
        _require(
            len(table) == split + (nibble_count + 1) // 2,
            f"a code table of {segment_count} segments and {prefix_count} prefixes has not "
            f"{len(table)} bytes",
        )
        nibbles = unpack_nibbles(table[split:], nibble_count)
        _require(
            nibble_count % 2 == 0 or table[-1] >> 4 == 0, "the code table ends with a stray nibble"
        )
        segments = []
        base = _signed(lowest)
        for extra_bits in nibbles[:segment_count]:
            segment = Segment(base, extra_bits)
            _require(extra_bits <= MAX_EXTRA_BITS, f"{extra_bits} extra bits")
            _require(segment.end <= 128, f"a segment reaches up to {segment.end - 1}")
            segments.append(segment)
            base = segment.end
        prefixes: list[tuple[int, ...]] = [()]
        for at in range(_HEADER_BYTES, split, 2):
            first, count = _signed(table[at]), table[at + 1]
            _require(1 <= count <= MAX_PREFIX_WEIGHTS, f"a prefix of {count} weights")
            prefixes.append((first, *[0] * (count - 1)))
        flat = nibbles[segment_count:]
        _require(max(flat) <= CODE_BITS, f"a code of {max(flat)} bits")
        _require(is_complete(flat, CODE_BITS), "the code is not complete")
        rows = [flat[at : at + segment_count] for at in range(0, len(flat), segment_count)]
        return cls(tuple(segments), tuple(prefixes), tuple(tuple(row) for row in rows))


def pack_nibbles(nibbles: Sequence[int]) -> bytes:
    """Two per byte, the even one in the low half; an odd number is filled up with 0."""
    even = [*nibbles, 0][: (len(nibbles) + 1) // 2 * 2]
    return bytes(low | high << 4 for low, high in zip(even[::2], even[1::2], strict=True))


def unpack_nibbles(data: bytes, count: int) -> list[int]:
    """The first ``count`` nibbles of ``data``."""
    return [nibble for byte in data for nibble in (byte & 15, byte >> 4)][:count]


def _signed(byte: int) -> int:
    return byte - 256 if byte >= 128 else byte


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ArtifactError(message, where="packed weights", hint="compile the model again")
