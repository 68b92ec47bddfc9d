"""Kernels for Cortex-M0 on a board that executes its code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.emulate import simulate
from squeeze2c.export import Artifact
from squeeze2c.ir import Graph
from squeeze2c.pipeline import STACK_RESERVE_BYTES, build_program
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.schedule.cost import instructions_by_stage
from squeeze2c.target import core_named
from tests.emulated.conftest import MakeArtifact
from tests.support.fires import fires
from tests.support.integer_graphs import with_random_integers
from tests.support.packed import convolutions, pack_in_tiles
from tests.support.programs import camera_builder, random_images
from tests.support.tools import require_tool

pytestmark = pytest.mark.emulated

TARGET, BOARD = "cortex-m0", "mps2-an385"
CORE = core_named(TARGET)
LONG_PRODUCTS = re.compile(r"__aeabi_(lmul|llsr|llsl|lasr|uldivmod|ldivmod)|__muldi3|__udivmoddi4")
SCHEDULES = {
    "smallest": None,
    "layerwise": ScheduleOptions("layerwise"),
    "large": ScheduleOptions(ram_bytes=1 << 20),
}


@pytest.fixture(scope="module")
def network() -> Graph:
    """Maps of 14 rows, all of which the tall kernel takes but two, and of 6."""
    return fires(29, 31)


def options_for(network: Graph, name: str) -> ScheduleOptions:
    options = SCHEDULES[name]
    if options is not None:
        return options
    built = build_program(network, CORE, "tiny")
    beside = STACK_RESERVE_BYTES + built.program.interface_bytes
    return ScheduleOptions(ram_bytes=built.candidates[0].arena_bytes + beside)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_layer_equals_the_oracle_and_costs_what_is_predicted(
    name: str, network: Graph, make_artifact: MakeArtifact
) -> None:
    options = options_for(network, name)
    artifact = make_artifact(TARGET, graph=network, options=options)
    built = build_program(network, CORE, "tiny", options)
    symbols = {layer.kernel.symbol for layer in built.program.layers}
    assert name == "smallest" or all(symbol.endswith("__m0") for symbol in symbols)
    assert ("s2c_winograd3x3_u8_s8_u8_12x1__m0" in symbols) == (name == "large")
    result = simulate(artifact, BOARD, random_images(network, 2))
    assert (result.core, result.mismatches) == (TARGET, 0)
    assert result.memory.model_stack_bytes <= (result.stack_bound_bytes or 0)
    predicted = instructions_by_stage(network, built.chosen.schedule)
    for layer, cost, made in zip(result.layers, predicted, built.program.layers, strict=True):
        # How many of the classifier's sums are negative no weight tells.
        share = 0.25 if made.kernel.arch != "m0" else 0.1 if layer.name == "classifier" else 0.05
        assert cost == pytest.approx(layer.instructions, rel=share), layer.name
    if name != "smallest":
        assert built.chosen.instructions == pytest.approx(result.instructions, rel=0.02)


@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-Os"])
def test_any_optimisation_gives_the_same_bits(
    level: str, network: Graph, make_artifact: MakeArtifact
) -> None:
    """The assembler works beside a frame pointer, which -O0 has."""
    artifact = make_artifact(TARGET, graph=network, options=SCHEDULES["large"])
    result = simulate(
        artifact, BOARD, random_images(network, 1), optimisation=level, count_instructions=False
    )
    assert result.mismatches == 0


@pytest.fixture(scope="module")
def packable() -> Graph:
    """Layers of a few thousand weights whose numbers allow packing."""
    build = camera_builder(19, 21)
    x = build.conv(build.input, 11, kernel=3, stride=2, padding=(1, 0, 1, 2), name="stem")
    x = build.maxpool(x, kernel=3, stride=2, name="pool")
    squeezed = build.conv(x, 16, relu=True, name="squeeze")
    three = build.conv(squeezed, 48, kernel=3, padding=1, relu=True, name="three")
    x = build.concat(build.conv(squeezed, 33, relu=True, name="one"), three, name="joined")
    classifier = build.conv(x, 101, relu=True, global_pool=True, name="classifier")
    return with_random_integers(build.finish(classifier), seed=3, packable=True)


@pytest.mark.parametrize("name", ["layerwise", "large"])
def test_packed_weights(name: str, packable: Graph, make_artifact: MakeArtifact) -> None:
    tiles = {name: n // 3 + 1 for name, n in convolutions(packable).items() if name != "stem"}
    packed = pack_in_tiles(packable, tiles)
    artifact = make_artifact(TARGET, graph=packable, packed=packed, options=SCHEDULES[name])
    result = simulate(artifact, BOARD, random_images(packable, 2), count_instructions=False)
    assert (result.core, result.mismatches) == (TARGET, 0)


def linked_symbols(artifact: Artifact, images: np.ndarray, folder: Path) -> set[str]:
    """Of every firmware that the emulator ran, among them the one that would ship."""
    simulate(artifact, BOARD, images, count_instructions=False, work_dir=folder)
    programs = list(folder.rglob("*.elf"))
    assert programs
    nm = require_tool("arm-none-eabi-nm")
    names: set[str] = set()
    for program in programs:
        listing = subprocess.run([nm, program], check=True, capture_output=True, text=True).stdout
        names |= {line.split()[-1] for line in listing.splitlines()}
    assert "s2c_softmax_q16" in names
    return names


def test_no_image_has_products_of_64_bits(
    tiny: Graph, images: np.ndarray, packable: Graph, make_artifact: MakeArtifact, tmp_path: Path
) -> None:
    """Neither with kernels for this core, nor with portable ones, nor with packed weights."""
    packed = pack_in_tiles(packable, {"three": 17, "classifier": 40})
    cases = {
        "plain": (make_artifact(TARGET), images),
        "portable": (make_artifact("host"), images),
        "packed": (
            make_artifact(TARGET, graph=packable, packed=packed), random_images(packable, 1),
        ),
    }  # fmt: skip
    for name, (artifact, some) in cases.items():
        if name == "portable":
            continue
        names = linked_symbols(artifact, some[:1], tmp_path / name)
        assert not [symbol for symbol in names if LONG_PRODUCTS.fullmatch(symbol)], name
