"""Layers skip zeros where that is predicted to be cheaper, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from squeeze2c.ir import Graph
from squeeze2c.kernels import Sparsity, skips_zeros
from squeeze2c.lower import CProgram
from squeeze2c.pipeline import build_program
from squeeze2c.planning import Builder
from squeeze2c.progress import silent
from squeeze2c.schedule import ScheduleOptions, schedule_layerwise, skippable_zeros
from squeeze2c.schedule.cost import instructions_by_stage
from squeeze2c.schedule.zeros import skip_zeros
from squeeze2c.target import core_named
from tests.support.fires import fires
from tests.support.pruned import pruned_fires

M4 = core_named("cortex-m4")


@pytest.fixture(scope="module")
def network() -> Graph:
    return pruned_fires()


def skipping(program: CProgram) -> set[str]:
    return {layer.name for layer in program.layers if skips_zeros(layer.kernel)}


def test_pruned_layers_skip_zeros(network: Graph) -> None:
    built = build_program(network, M4, "net")
    assert skipping(built.program) >= {"fire1/three", "fire2/three", "classifier"}
    assert "conv1" not in skipping(built.program)


def test_dense_networks_have_none() -> None:
    assert not skipping(build_program(fires(), M4, "net").program)


@pytest.mark.parametrize("name", ["cortex-m0", "cortex-m3", "host"])
def test_cores_without_the_kernels_have_none(name: str, network: Graph) -> None:
    assert not skipping(build_program(network, core_named(name), "net").program)


def test_each_layer_takes_what_is_cheaper(network: Graph) -> None:
    schedule = schedule_layerwise(network, M4)
    zeros = skippable_zeros(network, ())
    skips = skip_zeros(network, schedule, zeros)
    assert skips is not None
    dense, mixed = (instructions_by_stage(network, s) for s in (schedule, skips))
    for stage, before, after in zip(skips.stages, dense, mixed, strict=True):
        assert after < before if stage.sparsity else after == before


def test_costly_zeros_stay(network: Graph) -> None:
    schedule = schedule_layerwise(network, M4)
    zeros = skippable_zeros(network, ())
    costly = {name: replace(z, words=100 * z.words) for name, z in zeros.items()}
    assert skip_zeros(network, schedule, costly) is None


def test_the_flash_does_not_grow(network: Graph) -> None:
    """Layers that take more flash skip zeros only where others save as much."""
    schedule = schedule_layerwise(network, M4)
    zeros = skippable_zeros(network, ())

    def skipped(**extra: int) -> set[str]:
        changed: dict[str, Sparsity] = {
            name: replace(z, extra_bytes=extra.get(name.partition("/")[0], 0))
            for name, z in zeros.items() if name in ("fire1/three", "classifier")
        }  # fmt: skip
        found = skip_zeros(network, schedule, changed)
        return {stage.node for stage in found.stages if stage.sparsity} if found else set()

    assert skipped(fire1=-5, classifier=5) == {"fire1/three", "classifier"}
    assert skipped(fire1=-5, classifier=6) == {"fire1/three"}
    assert skipped(fire1=1, classifier=1) == set()


def test_packed_layers_keep_their_zeros(network: Graph) -> None:
    free = skippable_zeros(network, {"fire2/three"})
    assert "fire2/three" not in free
    assert {"fire1/three", "classifier"} <= free.keys()


def test_parameters_shrink(network: Graph) -> None:
    sparse = build_program(network, M4, "net").program
    dense = build_program(network, core_named("host"), "net").program
    assert sparse.parameters_bytes < 0.9 * dense.parameters_bytes


def test_plans_are_made_anew_for_other_zeros(network: Graph) -> None:
    """The plan of a network whose weights are not known yet does not serve for its weights."""
    zero = {
        name: 0 * array if name.endswith("weights") else array
        for name, array in network.constants.items()
    }
    builder = Builder(M4, ScheduleOptions(), "net", silent)
    assert not skipping(builder.program(replace(network, constants=zero), {}))
    assert skipping(builder.program(network, {}))
