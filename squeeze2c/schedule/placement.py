"""Where feature maps live: concatenations give their inputs a slice of their own rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from squeeze2c.ir import Graph, ops


@dataclass(frozen=True, slots=True)
class Placement:
    """A feature map is ``channels`` wide at ``channel_offset`` of the pixels of ``buffer``.

    ``buffer`` names the outermost concatenation that the map belongs to, or the
    map itself. ``pixel_bytes`` is the distance between neighbouring pixels.
    """

    buffer: str
    channel_offset: int
    pixel_bytes: int


def place_feature_maps(graph: Graph) -> Mapping[str, Placement]:
    """The placement of every uint8 feature map of a quantised graph, input included."""
    inside: dict[str, tuple[str, int]] = {}
    for node in graph.nodes:
        if isinstance(node, ops.QConcat):
            offset = 0
            for name in node.inputs:
                inside[name] = (node.output, offset)
                offset += graph.values[name].type.channels
    placements: dict[str, Placement] = {}
    for name, value in graph.values.items():
        if len(value.type.shape) != 4:
            continue
        buffer, offset = name, 0
        while buffer in inside:
            buffer, step = inside[buffer]
            offset += step
        placements[name] = Placement(buffer, offset, graph.values[buffer].type.channels)
    return placements
