"""Small networks of Fire modules, in sizes that the kernels for strips take."""

from __future__ import annotations

from squeeze2c.ir import Graph
from tests.support.programs import camera_builder, quantised


def fires(rows: int = 35, cols: int = 47, outputs: tuple[int, int] = (11, 18)) -> Graph:
    """Two Fire modules, of 16 and 32 squeezed channels; ``outputs`` of their expand layers."""
    build = camera_builder(rows, cols)
    x = build.conv(build.input, 8, kernel=3, stride=2, relu=True, name="conv1")
    for index, (squeezed, expanded) in enumerate(zip((16, 32), outputs, strict=True), 1):
        s = build.conv(x, squeezed, relu=True, name=f"fire{index}/squeeze")
        one = build.conv(s, expanded, relu=True, name=f"fire{index}/one")
        three = build.conv(s, expanded, kernel=3, padding=1, relu=True, name=f"fire{index}/three")
        x = build.concat(one, three, name=f"fire{index}/concat")
        x = build.maxpool(x, kernel=3, stride=2, name=f"pool{index}") if index == 1 else x
    x = build.conv(x, 10, relu=True, global_pool=True, name="classifier")
    return quantised(build.finish(x), images=2)
