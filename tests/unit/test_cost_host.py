"""Predicted costs of kernels for PCs: what they must rank, not what they are."""

from __future__ import annotations

import pytest

from squeeze2c.ir import Graph
from squeeze2c.planning import build_program
from squeeze2c.schedule import ScheduleOptions, predicted_instructions
from squeeze2c.schedule.cost import instructions_by_stage
from squeeze2c.schedule.layerwise import schedule_layerwise
from squeeze2c.target import core_named
from tests.support.programs import every_operator_graph, quantised

HOST = core_named("host")


@pytest.fixture(scope="module")
def graph() -> Graph:
    return quantised(every_operator_graph())


def test_joined_rows_cost_no_more_than_single_ones(graph: Graph) -> None:
    whole = schedule_layerwise(graph, HOST)
    built = build_program(graph, HOST, "net", ScheduleOptions("stream", ram_bytes=1 << 14))
    single = built.candidates[0].schedule
    both = zip(
        instructions_by_stage(graph, whole), instructions_by_stage(graph, single), strict=True
    )
    assert all(joined <= rows for joined, rows in both)


def test_kernels_for_pcs_cost_less_than_portable_ones(graph: Graph) -> None:
    portable = schedule_layerwise(graph, core_named("cortex-m0"))
    assert predicted_instructions(graph, schedule_layerwise(graph, HOST)) * 2 < (
        predicted_instructions(graph, portable)
    )
