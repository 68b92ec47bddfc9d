"""A layer's entropy-coded weights, as they lie in flash."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from squeeze2c.entropy.codebook import pack_nibbles, unpack_nibbles

WORD_BYTES = 4
TILE_OFFSET_BYTES = 2
MAX_OFFSET_SHIFT = 7


@dataclass(frozen=True, slots=True)
class PackedLayer:
    """Everything that ``s2c_packed_layer`` points to, and its geometry.

    ``stream``: little-endian words, the last of which is padding. ``table``: the code table.
    ``tile_offsets[t]``: where tile t begins in the stream, in units of ``2**offset_shift`` bytes.
    ``bias``: one signed byte per output channel. ``multiplier_index``: one nibble per output
    channel, even ones low; empty where all are 0.
    """

    stream: bytes
    table: bytes
    tile_offsets: tuple[int, ...]
    offset_shift: int
    bias: bytes
    multiplier_index: bytes
    out_channels: int
    taps: int
    tile_channels: int

    @property
    def tiles(self) -> int:
        """Number of tiles."""
        return -(-self.out_channels // self.tile_channels)

    @property
    def size_bytes(self) -> int:
        """Bytes of all arrays in flash. The layer's descriptor and its multipliers are extra."""
        offsets = TILE_OFFSET_BYTES * len(self.tile_offsets)
        arrays = (self.stream, self.table, self.bias, self.multiplier_index)
        return offsets + sum(map(len, arrays))

    def channels(self, tile: int) -> range:
        """Output channels of ``tile``."""
        first = tile * self.tile_channels
        return range(first, min(first + self.tile_channels, self.out_channels))

    def bias_of(self, tile: int) -> np.ndarray:
        """int8, one per output channel of ``tile``."""
        channels = self.channels(tile)
        return np.array(np.frombuffer(self.bias, np.int8)[channels.start : channels.stop])

    def multiplier_index_of(self, tile: int) -> np.ndarray:
        """uint8 below 16, one per output channel of ``tile``."""
        channels = self.channels(tile)
        if not self.multiplier_index:
            return np.zeros(len(channels), np.uint8)
        nibbles = unpack_nibbles(self.multiplier_index, self.out_channels)
        return np.array(nibbles[channels.start : channels.stop], np.uint8)


def packed_index(multiplier_index: np.ndarray) -> bytes:
    """``multiplier_index`` in nibbles; nothing where all are 0."""
    return pack_nibbles(multiplier_index.tolist()) if multiplier_index.any() else b""
