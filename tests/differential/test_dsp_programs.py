"""Programs for cores with the DSP extension, on this machine: plain and packed, in every height."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto

from squeeze2c.export import Calibration, read_artifact, write_folder
from squeeze2c.frontend import LoadedModel, Preprocess
from squeeze2c.host import HostModel
from squeeze2c.ir import Graph
from squeeze2c.kernels import STRIP_KERNELS, KernelSpec, transforms_once
from squeeze2c.lower import pack_weights
from squeeze2c.pipeline import STACK_RESERVE_BYTES, Built, build_program, render_folder
from squeeze2c.quantize import QuantizeOptions, quantize
from squeeze2c.reference import evaluate_int
from squeeze2c.schedule import ScheduleOptions, words
from squeeze2c.target import Core, core_named
from tests.support.fires import fires
from tests.support.programs import camera_builder, random_images

CORE = core_named("cortex-m4")


def folder_of(
    graph: Graph, options: ScheduleOptions, packed: bool, path: Path, core: Core = CORE
) -> set[str]:
    """Writes the folder; which operations its kernels are for."""
    weights = pack_weights(graph) if packed else None
    built = build_program(graph, core, "net", options, packed=weights)
    loaded = LoadedModel(Path("net.onnx"), "0" * 64, ModelProto())
    files = render_folder(built, graph, core, loaded, Preprocess(), Calibration(2), ())
    write_folder(path, files)
    return {layer.kernel.op for layer in built.program.layers}


def assert_equals_oracle(path: Path, graph: Graph) -> None:
    model = HostModel(read_artifact(path))
    images = random_images(graph, 2, seed=9)
    expected = evaluate_int(graph, images)
    for index, image in enumerate(images):
        for name, array in model.run_layers(image).items():
            np.testing.assert_array_equal(array, expected[name][index], name)


@pytest.mark.parametrize("size", [(35, 47), (27, 30), (64, 41)])
@pytest.mark.parametrize("kind", ["layerwise", "stream"])
def test_several_rows_at_once(
    kind: str, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "MORE_BYTES", ())  # no other kernels for layers of odd sizes
    graph = fires(*size)
    options = ScheduleOptions(kind, ram_bytes=1 << 20)
    assert "winograd3x3" in folder_of(graph, options, False, tmp_path / "net")
    assert_equals_oracle(tmp_path / "net", graph)


def _three(built: Built) -> tuple[KernelSpec, int]:
    """The kernel of the 3x3 layer of the network below, and the rows of its strips."""
    layer = next(layer for layer in built.program.layers if layer.name == "three")
    return layer.kernel, layer.strip_rows


@pytest.fixture(scope="module")
def few_levels() -> Graph:
    """Layers that can be packed; channels of the image are no whole word."""
    build = camera_builder(45, 29)
    x = build.conv(build.input, 24, kernel=3, stride=2, padding=1, relu=True, name="conv1")
    s = build.conv(x, 32, relu=True, name="squeeze")
    x = build.concat(
        build.conv(s, 30, relu=True, name="one"),
        build.conv(s, 30, kernel=3, padding=1, relu=True, name="three"),
    )
    x = build.conv(x, 50, relu=True, global_pool=True, name="classifier")
    graph = build.finish(x)
    steps = {
        node.name: float(np.abs(graph.constants[node.inputs[1]]).max()) / 5
        for node in graph.nodes if node.name in ("conv1", "squeeze", "one", "three", "classifier")
    }  # fmt: skip
    integer = quantize(
        graph, random_images(graph, 3), QuantizeOptions(weight_steps=steps, bias_bits=8)
    )
    assert set(pack_weights(integer)) >= {"squeeze", "one", "three", "classifier"}
    return integer


def test_packed_weights_of_kernels_that_share_words(
    few_levels: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoded tiles in plain order, on a core whose other kernels read pairs."""
    monkeypatch.setattr(words, "CYCLES", {"cortex-m4": defaultdict(lambda: 1.0)})
    packed = pack_weights(few_levels)
    options = ScheduleOptions("stream", ram_bytes=1 << 20)
    layers = build_program(few_levels, CORE, "net", options, packed=packed).program.layers
    decoded = {layer.kernel.arch for layer in layers if layer.conv and layer.conv.packed}
    assert "m3" in decoded
    folder_of(few_levels, options, True, tmp_path / "net")
    assert_equals_oracle(tmp_path / "net", few_levels)
    small = ScheduleOptions("stream", ram_bytes=1 << 20, small_code=True)
    layers = build_program(few_levels, CORE, "net", small, packed=packed).program.layers
    assert not any(layer.kernel.arch == "m3" for layer in layers)


@pytest.mark.parametrize("rows", ["one", "four", "all"])
def test_packed_weights(
    rows: str, few_levels: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoded tiles, paired in place.

    Tiles of four rows share their transformed input; the last strip has fewer rows.
    """
    monkeypatch.setattr(words, "MORE_BYTES", ())
    integer, packed = few_levels, pack_weights(few_levels)
    built = build_program(integer, CORE, "net", packed=packed)
    beside = STACK_RESERVE_BYTES + built.program.interface_bytes

    def schedule(ram_bytes: int) -> ScheduleOptions:
        return ScheduleOptions("stream", ram_bytes=ram_bytes)

    sizes = [candidate.arena_bytes + beside for candidate in built.candidates]
    three = {ram: _three(build_program(integer, CORE, "net", schedule(ram), packed=packed))
             for ram in (*sizes, 1 << 20)}  # fmt: skip
    wanted = {
        "one": lambda kernel, strip: kernel not in STRIP_KERNELS,
        "four": transforms_once,
        "all": lambda kernel, strip: kernel in STRIP_KERNELS and strip > 4,
    }[rows]
    ram = next(ram for ram, choice in three.items() if wanted(*choice))
    kernels = folder_of(integer, schedule(ram), True, tmp_path / "net")
    assert ("winograd3x3" in kernels) == (rows != "one")
    assert_equals_oracle(tmp_path / "net", integer)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["layerwise", "stream"])
def test_kernels_for_helium(kind: str, packed: bool, tmp_path: Path) -> None:
    """In their C form: windows of neighbours, single pixels, and channels that are no quads."""
    build = camera_builder(23, 29)
    x = build.conv(build.input, 24, kernel=3, stride=2, padding=1, relu=True, name="conv1")
    s = build.conv(x, 32, relu=True, name="squeeze")
    x = build.concat(
        build.conv(s, 30, relu=True, name="one"),
        build.conv(s, 30, kernel=3, padding=1, relu=True, name="three"),
    )
    x = build.maxpool(x, kernel=3, stride=2)
    graph = build.finish(build.conv(x, 50, relu=True, global_pool=True, name="classifier"))
    names = ("conv1", "squeeze", "one", "three", "classifier")
    steps = {
        node.name: float(np.abs(graph.constants[node.inputs[1]]).max()) / 5
        for node in graph.nodes if node.name in names
    }
    options = QuantizeOptions(weight_steps=steps, bias_bits=8)
    integer = quantize(graph, random_images(graph, 3), options)
    kernels = folder_of(
        integer, ScheduleOptions(kind), packed, tmp_path / "net", core_named("cortex-m55")
    )
    assert kernels == {"conv2d", "conv3x3", "conv2d_sum", "maxpool2d"}
    assert_equals_oracle(tmp_path / "net", integer)
