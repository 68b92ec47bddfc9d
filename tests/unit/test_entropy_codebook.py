"""Code tables: bytes and back, and every rule that a table has to obey."""

from __future__ import annotations

import pytest

from squeeze2c.entropy.codebook import Codebook, Segment, pack_nibbles, unpack_nibbles
from squeeze2c.errors import ArtifactError

# The example of docs/weight-format.md: values -1, 0, 1 and a pair of zeros.
TABLE = bytes([1, 3, 2, 0xFF, 0, 1, 0x00, 0x20, 0x20, 0x23, 0x03])
TABLE_BOOK = Codebook(
    segments=(Segment(-1, 0), Segment(0, 0), Segment(1, 0)),
    prefixes=((), (0,)),
    lengths=((2, 0, 2), (3, 2, 3)),
)


def test_nibbles() -> None:
    assert pack_nibbles([1, 2, 3]) == bytes([0x21, 0x03])
    assert unpack_nibbles(bytes([0x21, 0x03]), 3) == [1, 2, 3]
    assert pack_nibbles([]) == b""


def test_the_documented_table() -> None:
    assert TABLE_BOOK.to_bytes() == TABLE
    assert Codebook.from_bytes(TABLE) == TABLE_BOOK
    words = {(*word.prefix, word.segment.base): word for word in TABLE_BOOK.words()}
    written = {
        values: f"{word.code:0{word.length_bits}b}"[::-1] for values, word in words.items()
    }
    assert written == {
        (-1,): "00", (1,): "01", (0, 0): "10", (0, -1): "110", (0, 1): "111",
    }


def test_segments_and_prefixes_survive() -> None:
    book = Codebook(
        segments=(Segment(-2, 1), Segment(0, 0), Segment(1, 0), Segment(2, 3)),
        prefixes=((), (0,), (0, 0), (-128, 0, 0)),
        lengths=((3, 0, 0, 3), (4, 0, 3, 4), (0, 3, 3, 0), (4, 5, 5, 3)),
    )
    assert Codebook.from_bytes(book.to_bytes()) == book
    words = book.words()
    assert len(words) == 11
    assert words[2].prefix == (0,)
    assert (words[-1].prefix, words[-1].segment) == ((-128, 0, 0), Segment(2, 3))
    assert Segment(2, 3).end == 10


def with_byte(at: int, value: int) -> bytes:
    return TABLE[:at] + bytes([value]) + TABLE[at + 1 :]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (b"", "cut off"),
        (TABLE[:3], "cut off"),
        (TABLE[:-1], "has not"),
        (TABLE + b"\0", "has not"),
        (with_byte(0, 2), "version 2"),
        (with_byte(1, 0), "empty"),
        (with_byte(2, 0), "empty"),
        (with_byte(3, 126), "reaches up to"),
        (with_byte(5, 0), "prefix of 0"),
        (with_byte(5, 8), "prefix of 8"),
        (with_byte(6, 0x08), "8 extra bits"),
        (with_byte(8, 0x21), "not complete"),
        (with_byte(8, 0x2A), "code of 10 bits"),
        (with_byte(10, 0x13), "stray nibble"),
    ],
)
def test_every_rule(table: bytes, complaint: str) -> None:
    with pytest.raises(ArtifactError, match=complaint):
        Codebook.from_bytes(table)
