"""Checks that a graph keeps its promises. What fails here is a bug of squeeze2c."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from squeeze2c.errors import InternalError, ShapeError
from squeeze2c.ir import ops
from squeeze2c.ir.graph import Graph
from squeeze2c.ir.infer import infer_type
from squeeze2c.ir.types import DType, Layout
from squeeze2c.ir.verify_quantised import verify_quantised

_QUANTISED = (
    ops.QConv2D, ops.QConvGlobalPool, ops.QMaxPool2D, ops.QGlobalPool, ops.QAdd, ops.QConcat
)
_INPUT_TYPES = (DType.FLOAT32, DType.UINT8)


def verify_graph(graph: Graph) -> None:
    """Raise :class:`InternalError`, naming the node, at the first broken invariant of ``graph``.

    Names: every value and constant has one name, nodes have distinct names. Order: a node
    reads constants, the input, or what earlier nodes wrote; each value is written once.
    Types: every output has exactly the type that shape inference gives, from an
    image of batch 1.
    A graph is wholly float or wholly quantised; quantised operators keep what their
    docstrings in :mod:`squeeze2c.ir.ops` say.
    """
    _verify_names(graph)
    _verify_order(graph)
    quantised = [isinstance(n, _QUANTISED) for n in graph.nodes]
    if any(quantised) and not all(quantised):
        raise InternalError("float and quantised operators are mixed", where=graph.name)
    _verify_input(graph)
    for node in graph.nodes:
        _verify_type(graph, node)
    if any(quantised):
        verify_quantised(graph)
    else:
        for node in graph.nodes:
            _verify_float_node(graph, node)


def _verify_names(graph: Graph) -> None:
    for key, value in graph.values.items():
        if key != value.name:
            raise InternalError(f"the value {value.name!r} is filed under {key!r}")
    both = sorted(set(graph.values) & set(graph.constants))
    if both:
        raise InternalError(f"{both} are values and constants at once", where=graph.name)
    for role, name in (("input", graph.input), ("output", graph.output)):
        if name not in graph.values:
            raise InternalError(f"the graph's {role} {name!r} is not a value", where=graph.name)
    for name, array in graph.constants.items():
        if array.flags.writeable:
            raise InternalError(f"the constant {name!r} can be written to", where=graph.name)
    _expect_distinct((n.name for n in graph.nodes), "nodes")


def _verify_order(graph: Graph) -> None:
    known = {graph.input, *graph.constants}
    for node in graph.nodes:
        where = _describe(node)
        for name in node.inputs:
            if name not in known:
                state = "is computed later" if name in graph.values else "does not exist"
                raise InternalError(f"reads {name!r}, which {state}", where=where)
        if node.output in known:
            raise InternalError(f"writes {node.output!r}, which exists already", where=where)
        if node.output not in graph.values:
            raise InternalError(f"writes {node.output!r}, which is not a value", where=where)
        known.add(node.output)
    orphans = sorted(set(graph.values) - known)
    if orphans:
        raise InternalError(f"nothing computes {orphans}", where=graph.name)


def _verify_input(graph: Graph) -> None:
    kind = graph.input_value.type
    is_map = len(kind.shape) == 4 and kind.layout is not Layout.FLAT
    if not is_map or kind.shape[0] != 1 or min(kind.shape) < 1 or kind.dtype not in _INPUT_TYPES:
        raise InternalError(f"the input {graph.input!r} is no image: {kind}", where=graph.name)


def _verify_type(graph: Graph, node: ops.Node) -> None:
    operands = [
        graph.constants[i] if i in graph.constants else graph.values[i].type for i in node.inputs
    ]
    try:
        expected = infer_type(node, operands)
    except ShapeError as error:
        raise InternalError(error.message, where=error.where) from error
    actual = graph.values[node.output].type
    if actual != expected:
        raise InternalError(
            f"the value {node.output!r} is declared {actual}, but is {expected}",
            where=_describe(node),
        )
    if any(dim < 1 for dim in actual.shape):
        raise InternalError(f"the shape {actual.shape} is empty", where=_describe(node))


def _verify_float_node(graph: Graph, node: ops.Node) -> None:
    if graph.values[node.output].quant is not None:
        raise InternalError("a float value has quantisation parameters", where=_describe(node))
    for name in node.inputs:
        array = graph.constants.get(name)
        if array is not None and array.dtype != np.float32:
            raise InternalError(
                f"the constant {name!r} is {array.dtype}, not float32", where=_describe(node)
            )
    match node:
        case ops.Conv2D() | ops.ConvGlobalPool():
            channels = graph.values[node.inputs[0]].type.channels
            if node.pad_value and len(node.pad_value) != channels:
                raise InternalError(
                    f"{len(node.pad_value)} pad values for {channels} channels",
                    where=_describe(node),
                )
        case ops.BatchNorm():
            if not node.epsilon >= 0:
                raise InternalError(f"epsilon is {node.epsilon}", where=_describe(node))


def _expect_distinct(names: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if not name or name in seen:
            raise InternalError(f"two {what} are called {name!r}, or it is no name")
        seen.add(name)


def _describe(node: ops.Node) -> str:
    return f"{node.kind} {node.name}"
