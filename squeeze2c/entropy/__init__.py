"""Entropy-coded weights: ``docs/weight-format.md`` is the specification."""

from squeeze2c.entropy.codebook import Codebook
from squeeze2c.entropy.decode import decode_layer, decode_tile
from squeeze2c.entropy.design import estimated_bits
from squeeze2c.entropy.encode import encode_layer
from squeeze2c.entropy.packed import PackedLayer

__all__ = [
    "Codebook",
    "PackedLayer",
    "decode_layer",
    "decode_tile",
    "encode_layer",
    "estimated_bits",
]
