"""From graph, schedule and memory plan to a program without C in it."""

from squeeze2c.lower.build import lower
from squeeze2c.lower.limits import prove_sizes
from squeeze2c.lower.names import check_model_name, identifier
from squeeze2c.lower.program import (
    AddConstants,
    ConstantArray,
    ConvConstants,
    CProgram,
    Layer,
    RowSource,
)

__all__ = [
    "AddConstants",
    "CProgram",
    "ConstantArray",
    "ConvConstants",
    "Layer",
    "RowSource",
    "check_model_name",
    "identifier",
    "lower",
    "prove_sizes",
]
