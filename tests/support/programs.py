"""Small quantised networks and their generated files, for tests of the back end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx

from squeeze2c.export import Calibration
from squeeze2c.frontend import LoadedModel, Preprocess
from squeeze2c.ir import DType, Graph, GraphBuilder, Layout
from squeeze2c.lower import CProgram, PackedWeights
from squeeze2c.pipeline import Built, build_program, render_folder
from squeeze2c.quantize import quantize
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.target import core_named


def camera_builder(rows: int, cols: int, channels: int = 3, seed: int = 0) -> GraphBuilder:
    """A builder for graphs as they are after the passes: NHWC, reading camera pixels."""
    return GraphBuilder(
        rows, cols, channels, layout=Layout.NHWC, dtype=DType.UINT8, seed=seed, name="net"
    )


def every_operator_graph() -> Graph:
    """A float graph with every operator that code is generated for, in odd sizes."""
    build = camera_builder(13, 11)
    x = build.conv(
        build.input, 6, kernel=3, stride=2, padding=(1, 0, 1, 2), relu=True, name="stem",
        pad_value=(104.0, 117.0, 124.0),
    )
    x = build.maxpool(x, kernel=3, stride=1, padding=1, name="pool")
    one = build.conv(x, 3, relu=True, name="fire/expand1x1")
    three = build.conv(x, 5, kernel=3, padding=1, relu=True, name="fire/expand3x3")
    x = build.concat(one, three, name="fire/concat")
    bypass = build.conv(x, 8, kernel=3, padding=1, name="signed")
    x = build.add(x, bypass, relu=True, name="bypass")
    return build.finish(build.conv(x, 4, relu=True, global_pool=True, name="classifier"))


def random_images(graph: Graph, count: int, seed: int = 1) -> np.ndarray:
    """Images uint8 (count, rows, cols, channels) for a graph that reads camera pixels."""
    shape = graph.input_value.type.shape[1:]
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def quantised(graph: Graph, images: int = 6) -> Graph:
    """``graph`` quantised on random images."""
    return quantize(graph, random_images(graph, images))


def program_of(
    integer: Graph,
    target: str = "cortex-m4",
    name: str = "tiny",
    options: ScheduleOptions | None = None,
) -> CProgram:
    """The program of a quantised graph."""
    return build_program(integer, core_named(target), name, options).program


def generated_files(
    integer: Graph,
    target: str = "cortex-m4",
    name: str = "tiny",
    options: ScheduleOptions | None = None,
    packed: Mapping[str, PackedWeights] | None = None,
) -> dict[str, bytes]:
    """All files that compiling ``integer`` would write; the float model is empty."""
    built = build_program(integer, core_named(target), name, options, packed=packed)
    return files_of(built, integer, target)


def files_of(
    built: Built, integer: Graph, target: str = "cortex-m4", optimize: str = "speed"
) -> dict[str, bytes]:
    """All files of a program; the float model is empty."""
    path = Path(f"{built.program.name}.onnx")
    loaded = LoadedModel(path, "0123456789abcdef" * 4, onnx.ModelProto())
    core = core_named(target)
    return render_folder(
        built, integer, core, loaded, Preprocess(), Calibration(6), (), optimize=optimize
    )  # fmt: skip
