"""Layers as the scheduler sees them: producers and consumers of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import KernelSpec, Sparsity, m3, scratch_bytes, select_kernel
from squeeze2c.schedule.placement import Placement
from squeeze2c.schedule.rows import RowWindow
from squeeze2c.target import Core

INPUT_STAGE = -1
"""Stands for the caller in place of a stage: it writes the rows of the graph's input."""


@dataclass(frozen=True, slots=True)
class RowInput:
    """What a stage reads: rows of ``value``, which lies in ``buffer``, through ``window``.

    ``writers``: the stages whose rows together make up a row of ``value``.
    """

    value: str
    buffer: str
    window: RowWindow
    writers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """One layer. ``rows``: output rows, or for a layer that sums over pixels rows it sums.

    ``output``: the value it yields; ``buffer``: where its rows go, None for the layer
    that sums. ``pool``: a max-pool, which may take its input one row at a time.
    ``tile_channels``: above 0, its weights are packed, and every step decodes them, so
    many output channels at a time. ``sparsity``: of weights whose zeros the kernel skips.
    """

    node: str
    output: str
    kernel: KernelSpec
    inputs: tuple[RowInput, ...]
    rows: int
    buffer: str | None
    scratch_bytes: int
    pool: bool
    tile_channels: int = 0
    sparsity: Sparsity | None = None


def collect_stages(
    graph: Graph,
    placements: Mapping[str, Placement],
    core: Core,
    packed: Mapping[str, int] | None = None,
    strips: bool = False,
    columns_bytes: int = m3.COLUMNS_BYTES[0],
) -> tuple[Stage, ...]:
    """The stages of a quantised ``graph`` in topological order; concatenations are none.

    ``packed``: tile channels of the nodes whose weights are packed. ``strips``: with
    kernels that take several rows at once, where there are any. ``columns_bytes``: see
    ``scratch_bytes``.
    """
    packed = packed or {}
    writers: dict[str, tuple[int, ...]] = {graph.input: (INPUT_STAGE,)}
    stages: list[Stage] = []
    for node in graph.nodes:
        if isinstance(node, ops.QConcat):
            writers[node.output] = tuple(w for name in node.inputs for w in writers[name])
            continue
        window = getattr(node, "window", None)
        inputs = tuple(
            RowInput(
                name,
                placements[name].buffer,
                RowWindow.of(window, graph.values[name].type.height),
                writers[name],
            )
            for name in graph.activations(node)
        )
        kernel = select_kernel(graph, node, core, strips)
        is_map = node.output in placements
        writers[node.output] = (len(stages),)
        stages.append(
            Stage(
                node=node.name,
                output=node.output,
                kernel=kernel,
                inputs=inputs,
                rows=output_rows(graph, node),
                buffer=placements[node.output].buffer if is_map else None,
                scratch_bytes=scratch_bytes(
                    graph, node, kernel, packed.get(node.name, 0), strips, columns_bytes
                ),
                pool=isinstance(node, ops.QMaxPool2D),
                tile_channels=packed.get(node.name, 0),
            )
        )
    return tuple(stages)


def output_rows(graph: Graph, node: ops.Node) -> int:
    """Rows that ``node`` computes; for a layer that sums over pixels, rows it sums over."""
    source = graph.values[node.inputs[0]].type
    if isinstance(node, ops.QConvGlobalPool):
        return node.window.count(source.height, 0)
    if isinstance(node, ops.QGlobalPool):
        return source.height
    return graph.values[node.output].type.height
