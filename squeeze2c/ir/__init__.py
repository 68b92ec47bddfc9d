"""Intermediate representation: what a network is, whatever it is compiled to."""

from squeeze2c.ir.builder import GraphBuilder
from squeeze2c.ir.graph import Graph, frozen_array, topological
from squeeze2c.ir.infer import infer_type
from squeeze2c.ir.names import unique_name
from squeeze2c.ir.printer import format_graph
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
from squeeze2c.ir.verify import verify_graph

__all__ = [
    "DType",
    "Graph",
    "GraphBuilder",
    "Layout",
    "Padding",
    "Provenance",
    "QuantParams",
    "TensorType",
    "Value",
    "Window",
    "dump_graph",
    "format_graph",
    "frozen_array",
    "infer_type",
    "load_graph",
    "topological",
    "unique_name",
    "verify_graph",
]
