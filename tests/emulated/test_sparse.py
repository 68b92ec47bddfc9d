"""Kernels that skip weights of zero on the cores that have them, and their predicted cost."""

from __future__ import annotations

import pytest

from squeeze2c.emulate import simulate
from squeeze2c.ir import Graph
from squeeze2c.pipeline import build_program
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.schedule.cost import instructions_by_stage
from squeeze2c.target import core_named
from tests.emulated.conftest import MakeArtifact
from tests.support.programs import random_images
from tests.support.pruned import pruned_fires

pytestmark = pytest.mark.emulated

BOARDS = {
    "cortex-m4": "mps2-an386", "cortex-m7": "mps2-an500", "cortex-m33": "mps2-an505",
    "cortex-m55": "mps3-an547",
}
SCHEDULES = {
    "layerwise": ScheduleOptions("layerwise"),
    "stream": ScheduleOptions("stream"),
    "large": ScheduleOptions("stream", input_mode="frame", ram_bytes=1 << 20),
}


@pytest.fixture(scope="module")
def network() -> Graph:
    return pruned_fires()


@pytest.mark.parametrize("target", BOARDS)
def test_every_layer_equals_the_oracle(
    target: str, network: Graph, make_artifact: MakeArtifact
) -> None:
    artifact = make_artifact(target, graph=network)
    skips = any("sparse" in layer["kernel"] for layer in artifact.layers)
    assert skips == (target != "cortex-m55")  # Helium's kernels are faster with all zeros
    result = simulate(artifact, BOARDS[target], random_images(network, 2))
    assert result.mismatches == 0
    assert result.instructions is not None


@pytest.mark.parametrize("level", ["-O0", "-O1", "-Os"])
def test_any_optimisation_gives_the_same_bits(
    level: str, network: Graph, make_artifact: MakeArtifact
) -> None:
    artifact = make_artifact("cortex-m4", graph=network)
    result = simulate(
        artifact, "mps2-an386", random_images(network, 1), optimisation=level,
        count_instructions=False,
    )  # fmt: skip
    assert result.mismatches == 0


@pytest.mark.parametrize("name", SCHEDULES)
def test_costs_are_predicted(name: str, network: Graph, make_artifact: MakeArtifact) -> None:
    options = SCHEDULES[name]
    artifact = make_artifact("cortex-m4", graph=network, options=options)
    result = simulate(artifact, "mps2-an386", random_images(network, 1))
    schedule = build_program(network, core_named("cortex-m4"), "tiny", options).chosen.schedule
    stages = instructions_by_stage(network, schedule)
    sparse = 0
    for stage, layer, predicted in zip(schedule.stages, result.layers, stages, strict=True):
        if stage.sparsity:
            sparse += 1
            assert predicted == pytest.approx(layer.instructions, rel=0.03), layer.name
    assert sparse >= 3
