"""From graph, schedule and memory plan to a program without C in it."""

from squeeze2c.lower.build import lower
from squeeze2c.lower.limits import prove_sizes
from squeeze2c.lower.names import check_model_name, identifier
from squeeze2c.lower.packed_weights import BIAS_BITS, PackedWeights, pack_convolution, pack_weights
from squeeze2c.lower.program import (
    AddConstants,
    ConstantArray,
    ConvConstants,
    CProgram,
    Layer,
    RowSource,
    interface_bytes,
)

__all__ = [
    "BIAS_BITS",
    "AddConstants",
    "CProgram",
    "ConstantArray",
    "ConvConstants",
    "Layer",
    "PackedWeights",
    "RowSource",
    "check_model_name",
    "identifier",
    "interface_bytes",
    "lower",
    "pack_convolution",
    "pack_weights",
    "prove_sizes",
]
