"""Intermediate representation: what a network is, whatever it is compiled to."""

from squeeze2c.ir.graph import Graph, frozen_array, topological
from squeeze2c.ir.serialise import dump_graph, load_graph
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
    "dump_graph",
    "frozen_array",
    "load_graph",
    "topological",
]
