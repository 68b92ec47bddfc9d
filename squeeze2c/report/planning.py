"""Which schedules a network has on a core, and which of them a board would get."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from squeeze2c.ir import Graph
from squeeze2c.lower import CProgram, lower
from squeeze2c.memory import MemoryPlan, bytes_beside_scratch, plan_memory
from squeeze2c.schedule import (
    Candidate,
    candidates,
    choose,
    collect_stages,
    place_feature_maps,
    schedule_layerwise,
)
from squeeze2c.schedule.stages import Stage
from squeeze2c.schedule.words import timing
from squeeze2c.target import CORES, KIB, Board

STACK_ESTIMATE_BYTES = 2 * KIB
"""RAM that the stack takes beside arena and image rows, rounded up."""


@dataclass(frozen=True, slots=True)
class RamUse:
    """What one way of running a network takes.

    ``schedule``: stream or layerwise; ``input``: push or frame. ``caller_bytes``: what the
    caller must hold of the image: a row or all of it.
    """

    schedule: str
    input: str
    arena_bytes: int
    lower_bound_bytes: int
    caller_bytes: int

    @property
    def needed_bytes(self) -> int:
        """Arena, the caller's part of the image, and :data:`STACK_ESTIMATE_BYTES`."""
        return self.arena_bytes + self.caller_bytes + STACK_ESTIMATE_BYTES


class Planner:
    """Plans for one quantised ``graph``. Cores whose kernels are alike share them."""

    def __init__(self, graph: Graph, name: str) -> None:
        self._graph = graph
        self._name = name
        self._placements = place_feature_maps(graph)
        self._found: dict[tuple[tuple[Stage, ...], str, bool], tuple[Candidate, ...]] = {}
        self._plans: dict[int, MemoryPlan] = {}
        self._programs: dict[int, CProgram] = {}
        image = graph.input_value.type
        self._row_bytes = image.width * image.channels
        self._image_bytes = image.size_bytes

    def chosen(self, core: str) -> Candidate:
        """What compile chooses without a budget."""
        found = self._candidates(core, push=True)
        return choose(found, None) or found[0]

    def ways(self, core: str) -> tuple[RamUse, ...]:
        """The smallest streams with push and with frame input, and layer by layer."""
        layerwise = schedule_layerwise(self._graph, CORES[core])
        plan = plan_memory(self._graph, layerwise)
        return (
            self._use(self._smallest_stream(core, push=True)),
            self._use(self._smallest_stream(core, push=False)),
            RamUse(
                "layerwise", "frame", plan.arena_bytes, plan.lower_bound_bytes, self._image_bytes
            ),
        )

    def for_board(self, board: Board) -> RamUse:
        """What compile chooses for ``board`` of the schedules that fit; else the smallest one."""
        found = self._candidates(board.core, push=True)
        fitting = tuple(
            c for c in found if self._use(c).needed_bytes <= board.bulk.size_bytes
        )
        best = choose(fitting, None) if fitting else None
        return self._use(best or found[0])

    def program(self, core: str) -> CProgram:
        """The program that :meth:`chosen` becomes."""
        candidate = self.chosen(core)
        key = id(candidate.schedule)
        if key not in self._programs:
            plan = self._plan(candidate)
            self._programs[key] = lower(self._graph, candidate.schedule, plan, self._name)
        return self._programs[key]

    def _candidates(self, core: str, push: bool) -> tuple[Candidate, ...]:
        stages = collect_stages(self._graph, self._placements, CORES[core])
        key = stages, timing(CORES[core]), push
        if key not in self._found:
            self._found[key] = candidates(
                self._graph, CORES[core], push, "auto",
                lambda schedule: plan_memory(self._graph, schedule).arena_bytes,
                beside_bytes=partial(bytes_beside_scratch, self._graph),
            )  # fmt: skip
        return self._found[key]

    def _smallest_stream(self, core: str, push: bool) -> Candidate:
        found = self._candidates(core, push)
        return next((c for c in found if c.kind == "stream"), found[0])

    def _plan(self, candidate: Candidate) -> MemoryPlan:
        key = id(candidate.schedule)
        if key not in self._plans:
            self._plans[key] = plan_memory(self._graph, candidate.schedule)
        return self._plans[key]

    def _use(self, candidate: Candidate) -> RamUse:
        push = candidate.schedule.push
        plan = self._plan(candidate)
        return RamUse(
            candidate.kind, "push" if push else "frame", plan.arena_bytes,
            plan.lower_bound_bytes, self._row_bytes if push else self._image_bytes,
        )  # fmt: skip
