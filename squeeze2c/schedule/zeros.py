"""Which layers skip their weights of zero: those where that is predicted to take less time."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace

from squeeze2c.ir import Graph
from squeeze2c.kernels import SPARSE_KERNELS, Sparsity, scratch_bytes, sparsity
from squeeze2c.schedule.cost import instructions_by_stage
from squeeze2c.schedule.model import Schedule
from squeeze2c.schedule.stages import Stage


def skippable_zeros(graph: Graph, packed: Container[str]) -> Mapping[str, Sparsity]:
    """The nodes whose weights may be stored without zeros; those that are ``packed`` are not."""
    found = {node.name: sparsity(graph, node) for node in graph.nodes if node.name not in packed}
    return {name: zeros for name, zeros in found.items() if zeros is not None}


def skip_zeros(
    graph: Graph, schedule: Schedule, zeros: Mapping[str, Sparsity]
) -> Schedule | None:
    """``schedule`` with those layers skipping their ``zeros`` that take less time then.

    Some layers take more flash that way; they keep their zeros where the network would take more.
    None where no layer skips zeros.
    """
    sparse = [_skipping(graph, stage, zeros.get(stage.node)) for stage in schedule.stages]
    if all(stage is None for stage in sparse):
        return None
    trial = [new or old for new, old in zip(sparse, schedule.stages, strict=True)]
    costs = zip(
        instructions_by_stage(graph, replace(schedule, stages=tuple(trial))),
        instructions_by_stage(graph, schedule),
        strict=True,
    )
    chosen = [
        new if new_cost < old_cost else old
        for (new_cost, old_cost), new, old in zip(costs, trial, schedule.stages, strict=True)
    ]
    if sum(_extra_bytes(stage) for stage in chosen) > 0:
        chosen = [
            old if _extra_bytes(new) > 0 else new
            for new, old in zip(chosen, schedule.stages, strict=True)
        ]
    return replace(schedule, stages=tuple(chosen)) if any(s.sparsity for s in chosen) else None


def _extra_bytes(stage: Stage) -> int:
    return stage.sparsity.extra_bytes if stage.sparsity else 0


def _skipping(graph: Graph, stage: Stage, zeros: Sparsity | None) -> Stage | None:
    if zeros is None or stage.kernel not in SPARSE_KERNELS:
        return None
    kernel = SPARSE_KERNELS[stage.kernel]
    scratch = scratch_bytes(graph, graph.node(stage.node), kernel)
    return replace(stage, kernel=kernel, scratch_bytes=scratch, sparsity=zeros)
