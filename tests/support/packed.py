"""Programs whose layers have packed weights in tiles of a test's own choice."""

from __future__ import annotations

from collections.abc import Mapping

from squeeze2c.ir import Graph, ops
from squeeze2c.lower import PackedWeights, lower, pack_convolution
from squeeze2c.memory import plan_memory, verify_execution
from squeeze2c.pipeline import Built
from squeeze2c.schedule import Candidate, Schedule, predicted_instructions


def convolutions(graph: Graph) -> dict[str, int]:
    """Output channels of every layer that can be packed, by its name."""
    return {
        node.name: len(graph.constants[node.inputs[1]])
        for node in graph.nodes
        if isinstance(node, ops.QConv2D | ops.QConvGlobalPool)
    }


def pack_in_tiles(graph: Graph, tiles: Mapping[str, int]) -> dict[str, PackedWeights]:
    """The layers in ``tiles`` packed, so many output channels per tile, worth it or not."""
    packed = {}
    for name, channels in tiles.items():
        node = graph.node(name)
        assert isinstance(node, ops.QConv2D | ops.QConvGlobalPool)
        weights = pack_convolution(graph, node, channels)
        assert weights is not None, name
        packed[name] = weights
    return packed


def built_program(
    graph: Graph, schedule: Schedule, packed: Mapping[str, PackedWeights], name: str = "net"
) -> Built:
    """The program of exactly this ``schedule``."""
    plan = plan_memory(graph, schedule)
    verify_execution(graph, schedule, plan)
    chosen = Candidate(
        "stream", schedule, plan.arena_bytes, predicted_instructions(graph, schedule)
    )
    return Built(lower(graph, schedule, plan, name, packed=packed), chosen, (chosen,), plan)
