"""Random networks under random budgets: more memory never costs time, and errors tell the truth."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squeeze2c.errors import DoesNotFitError
from squeeze2c.ir import Graph
from squeeze2c.memory import collect_buffers, live_at, lower_bound_bytes, plan_memory
from squeeze2c.pipeline import build_program
from squeeze2c.schedule import (
    Candidate,
    ScheduleOptions,
    candidates,
    choose,
    predicted_instructions,
)
from squeeze2c.schedule.search import TOLERANCE
from tests.property.stream_graphs import CORE, graphs
from tests.support.packed import convolutions


def family(
    graph: Graph, push: bool, kind: str, packed: bool = False, bounded: bool = False
) -> tuple[Candidate, ...]:
    """``packed``: every layer, in two tiles. ``bounded``: plan only what may win."""
    tiles = {name: -(-n // 2) for name, n in convolutions(graph).items()} if packed else None
    bound = {"at_least_bytes": lambda s: lower_bound_bytes(collect_buffers(graph, s))}
    return candidates(
        graph, CORE, push, kind, lambda s: plan_memory(graph, s).arena_bytes, packed=tiles,
        **(bound if bounded else {}),
    )  # fmt: skip


KINDS = st.sampled_from(("auto", "stream", "layerwise"))


@given(graph=graphs(), push=st.booleans(), kind=KINDS, packed=st.booleans())
@settings(max_examples=40)
def test_more_memory_is_never_slower(graph: Graph, push: bool, kind: str, packed: bool) -> None:
    found = family(graph, push, kind, packed)
    assert family(graph, push, kind, packed, bounded=True) == found
    assert found
    if kind != "auto":
        assert {c.kind for c in found} == {kind}
    sizes = [c.arena_bytes for c in found]
    costs = [c.instructions for c in found]
    assert sizes == sorted(set(sizes))
    assert costs == sorted(set(costs), reverse=True)
    for c in found:
        assert c.schedule.push == push
        assert c.arena_bytes == plan_memory(graph, c.schedule).arena_bytes
        assert c.instructions == predicted_instructions(graph, c.schedule)
    previous: int | None = None
    for budget in sorted({size + d for size in sizes for d in (-1, 0, 1, 1000)}):
        chosen = choose(found, budget)
        if chosen is None:
            assert budget < sizes[0] and previous is None
            continue
        assert chosen.arena_bytes <= budget
        assert chosen.instructions == min(c.instructions for c in found if c.arena_bytes <= budget)
        assert previous is None or chosen.instructions <= previous
        previous = chosen.instructions
    free = choose(found, None)
    assert free is not None
    near = [c for c in found if c.instructions <= TOLERANCE * costs[-1]]
    assert free is near[0]


@given(graph=graphs(), push=st.booleans(), kind=st.sampled_from(("auto", "stream", "layerwise")))
@settings(max_examples=30)
def test_the_smallest_budget_is_named_and_works(graph: Graph, push: bool, kind: str) -> None:
    mode = "push" if push else "frame"
    with pytest.raises(DoesNotFitError) as caught:
        build_program(graph, CORE, "net", ScheduleOptions(kind, mode, ram_bytes=0))
    error = caught.value
    assert error.available_bytes == 0
    needed = error.needed_bytes
    assert f"{needed:,} bytes" in str(error)
    built = build_program(graph, CORE, "net", ScheduleOptions(kind, mode, ram_bytes=needed))
    assert built.program.arena_bytes <= needed
    with pytest.raises(DoesNotFitError) as caught:
        build_program(graph, CORE, "net", ScheduleOptions(kind, mode, ram_bytes=needed - 1))
    assert caught.value.needed_bytes == needed
    assert caught.value.available_bytes == needed - 1
    assert "1 bytes too many" in str(caught.value)
    # The buffers named are live at once, where the arena is fullest.
    plan = built.plan
    fullest = max(
        (live_at(plan.buffers, step) for step in range(max(b.end for b in plan.buffers))),
        key=lambda live: sum(b.size_bytes for b in live),
    )
    sizes = sorted((b.size_bytes for b in fullest), reverse=True)
    named = re.findall(r"(\S+) ([\d,]+) B(?:,|$)", error.largest or "")
    assert [int(size.replace(",", "")) for _, size in named] == sizes[:3]
    known = {b.name: b.size_bytes for b in plan.buffers}
    assert all(known[name] == int(size.replace(",", "")) for name, size in named)
