"""Intermediate representation: what a network is, whatever it is compiled to."""

from squeeze2c.ir.graph import Graph, frozen_array, topological
from squeeze2c.ir.types import (
    DType,
    Layout,
    Padding,
    Provenance,
    QuantParams,
    TensorType,
    Value,
    Window,
)

__all__ = [
    "DType",
    "Graph",
    "Layout",
    "Padding",
    "Provenance",
    "QuantParams",
    "TensorType",
    "Value",
    "Window",
    "frozen_array",
    "topological",
]
