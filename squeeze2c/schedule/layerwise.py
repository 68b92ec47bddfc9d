"""The simplest schedule: every layer computes all its rows before the next one starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from squeeze2c.ir import Graph, Window, ops
from squeeze2c.kernels import KernelSpec, scratch_bytes, select_kernel
from squeeze2c.schedule.placement import Placement, place_feature_maps
from squeeze2c.target import Core


@dataclass(frozen=True, slots=True)
class Step:
    """Output rows ``first_row`` to ``first_row + rows - 1`` of ``node``, by ``kernel``."""

    node: str
    kernel: KernelSpec
    first_row: int
    rows: int
    scratch_bytes: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps in order of execution, and where each feature map lives."""

    steps: tuple[Step, ...]
    placements: Mapping[str, Placement]


def schedule_layerwise(graph: Graph, core: Core) -> Schedule:
    """One step per layer of a quantised ``graph``; concatenations need none."""
    steps = []
    for node in graph.nodes:
        if isinstance(node, ops.QConcat):
            continue
        kernel = select_kernel(node, core)
        rows = output_rows(graph, node)
        steps.append(Step(node.name, kernel, 0, rows, scratch_bytes(graph, node, kernel)))
    return Schedule(tuple(steps), place_feature_maps(graph))


def output_rows(graph: Graph, node: ops.Node) -> int:
    """Rows that ``node`` computes; for a layer that sums over pixels, rows it sums over."""
    source = graph.values[node.inputs[0]].type
    if isinstance(node, ops.QConvGlobalPool):
        return windows_along(source.height, node.window, 0)
    if isinstance(node, ops.QGlobalPool):
        return source.height
    return graph.values[node.output].type.height


def windows_along(size: int, window: Window, axis: int) -> int:
    """Number of windows along rows (``axis`` 0) or columns (1) of a map with ``size`` of them."""
    padding = window.padding
    added = padding.top + padding.bottom if axis == 0 else padding.left + padding.right
    return (size + added - window.kernel[axis]) // window.strides[axis] + 1
