"""Kernels written for Cortex-M3 take over layers on larger cores where that is cheaper."""

from __future__ import annotations

from collections import defaultdict
from functools import partial

import pytest

from squeeze2c.ir import Graph
from squeeze2c.kernels.catalogue import POLY_M3
from squeeze2c.lower import CProgram
from squeeze2c.memory import (
    bytes_beside_scratch,
    collect_buffers,
    lower_bound_bytes,
    plan_memory,
)
from squeeze2c.pipeline import build_program
from squeeze2c.schedule import (
    Schedule,
    ScheduleOptions,
    candidates,
    predicted_instructions,
    schedule_layerwise,
    words,
)
from squeeze2c.schedule.words import share_words
from squeeze2c.target import core_named
from tests.support.fires import fires

M4, M7 = core_named("cortex-m4"), core_named("cortex-m7")
ROOM = ScheduleOptions("stream", ram_bytes=1 << 20)


@pytest.fixture(scope="module")
def network() -> Graph:
    """Odd numbers of channels, where these kernels are ahead."""
    return fires(33, 35, (11, 21))


@pytest.fixture
def even(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every instruction takes a cycle."""
    monkeypatch.setattr(words, "CYCLES", {"cortex-m4": defaultdict(lambda: 1.0)})


def of_m3(made: CProgram | Schedule) -> set[str]:
    layers = made.layers if isinstance(made, CProgram) else made.stages
    return {layer.kernel.op for layer in layers if layer.kernel.arch == "m3"}


def variants(graph: Graph, polynomials: bool = True) -> list[tuple[float, int, Schedule]]:
    schedule = schedule_layerwise(graph, M4)
    cost = predicted_instructions(graph, schedule)
    beside = bytes_beside_scratch(graph, schedule)
    return list(share_words(graph, schedule, M4, cost, beside, polynomials))


@pytest.mark.usefixtures("even")
def test_variants_cost_and_need_what_is_said(network: Graph) -> None:
    found = variants(network)
    plain = schedule_layerwise(network, M4)
    assert found
    for cost, least_bytes, schedule in found:
        assert of_m3(schedule)
        assert cost == pytest.approx(predicted_instructions(network, schedule), abs=1)
        assert cost < predicted_instructions(network, plain)
        assert least_bytes == lower_bound_bytes(collect_buffers(network, schedule))
        assert schedule.steps == plain.steps


@pytest.mark.usefixtures("even")
def test_code_for_size_has_no_polynomials(network: Graph) -> None:
    for _, _, schedule in variants(network, polynomials=False):
        assert all(stage.kernel != POLY_M3 for stage in schedule.stages)
    for small in (False, True):
        options = ScheduleOptions("stream", ram_bytes=1 << 20, small_code=small)
        program = build_program(network, M4, "net", options).program
        assert ("poly3x3" in of_m3(program)) == (not small)


@pytest.mark.usefixtures("even")
def test_more_ram_is_never_slower_and_other_kernels_are_not_worse(network: Graph) -> None:
    find = partial(
        candidates, network, M4, True, "auto", lambda s: plan_memory(network, s).arena_bytes,
        at_least_bytes=lambda s: lower_bound_bytes(collect_buffers(network, s)),
    )  # fmt: skip
    alone = find()
    both = find(beside_bytes=partial(bytes_beside_scratch, network))
    for one in alone:
        assert any(
            c.arena_bytes <= one.arena_bytes and c.instructions <= one.instructions for c in both
        )
    assert both[-1].instructions < alone[-1].instructions


def test_cycles_decide(network: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Cortex-M7 does more of these instructions per cycle than a Cortex-M4."""
    on_m4, on_m7 = (of_m3(build_program(network, core, "net", ROOM).program) for core in (M4, M7))
    assert on_m4 < on_m7
    costly = defaultdict(lambda: 1.0, {("conv2d", "m3"): 9.0, ("poly3x3", "m3"): 9.0})
    monkeypatch.setattr(words, "CYCLES", {"cortex-m4": costly})
    assert of_m3(build_program(network, M7, "net", ROOM).program) <= {"conv2d_sum"}


@pytest.mark.usefixtures("even")
def test_small_code_with_packed_weights_and_other_cores_do_without(network: Graph) -> None:
    for small in (False, True):
        found = candidates(
            network, M4, True, "auto", lambda s: plan_memory(network, s).arena_bytes,
            packed={"fire2/three": 8}, beside_bytes=partial(bytes_beside_scratch, network),
            small_code=small,
        )  # fmt: skip
        assert any(of_m3(one.schedule) for one in found) == (not small)
        for one in found:
            assert one.instructions == round(predicted_instructions(network, one.schedule))
    for name in ("cortex-m0", "cortex-m55", "host"):
        assert not of_m3(build_program(network, core_named(name), "net", ROOM).program)


def test_what_is_beside_scratch(network: Graph) -> None:
    schedule = build_program(network, M4, "net").chosen.schedule
    beside = bytes_beside_scratch(network, schedule)
    needed = max(
        b - stage.scratch_bytes // -16 * 16
        for b, stage in zip(beside, schedule.stages, strict=True)
    )
    assert needed == lower_bound_bytes(collect_buffers(network, schedule))
