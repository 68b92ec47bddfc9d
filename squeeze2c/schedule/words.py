"""Which layers compute several sums in 64 bits on cores that could do without.

Cores with the DSP extension run the kernels for Cortex-M3, too, which take fewer instructions per
product, but more scratch, and on most cores more cycles per instruction. So schedules are tried
whose layers have these kernels where that is predicted to save both and the scratch is there
anyway, or for a little more RAM.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import SHARED_WORDS, KernelSpec, m3, tile_scratch
from squeeze2c.kernels.catalogue import POLY_M3
from squeeze2c.schedule.cost import products
from squeeze2c.schedule.model import Schedule, Step
from squeeze2c.schedule.stages import INPUT_STAGE, Stage
from squeeze2c.target import Core

MORE_BYTES = (0, 2048, 4096, 8192, 16384, 32768)
"""What the arena may grow by."""
CYCLES: Mapping[str, Mapping[tuple[str, str], float]] = {
    "cortex-m4": {
        ("conv2d", "dsp"): 1.45, ("conv2d_sum", "dsp"): 1.45, ("winograd3x3", "dsp"): 1.43,
        ("conv2d", "m3"): 1.67, ("conv2d_sum", "m3"): 1.67, ("poly3x3", "m3"): 1.59,
    },
    "cortex-m7": {
        ("conv2d", "dsp"): 1.02, ("conv2d_sum", "dsp"): 1.03, ("winograd3x3", "dsp"): 0.96,
        ("conv2d", "m3"): 1.02, ("conv2d_sum", "m3"): 1.01, ("poly3x3", "m3"): 1.11,
    },
}  # fmt: skip
"""Estimated cycles per instruction by core (see ``emulate/cycles.py``), operation and architecture
of kernels: the middle of what layers of SqueezeNet have, which are up to 3 % off. A
Cortex-M4 takes three cycles for each of the ``LDRD`` that these kernels live on."""
WORTH = 0.004
"""Kernels of a family are linked where they save so much of the network: they are 4 KB of code."""

_ALIGNMENT_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Choice:
    """A stage with another kernel, and the instructions and cycles that it saves."""

    stage: Stage
    saved: float
    saved_cycles: float


def timing(core: Core) -> str:
    """The key of ``core`` in :data:`CYCLES`: cores that choose alike have the same."""
    return core.name if core.name in CYCLES else "cortex-m4"


def share_words(
    graph: Graph, schedule: Schedule, core: Core, instructions: float,
    beside_bytes: Sequence[int], polynomials: bool = True,
) -> Iterator[tuple[float, int, Schedule]]:  # fmt: skip
    """Variants of ``schedule``, which takes ``instructions`` on ``core``.

    Of each what it takes, what its arena cannot be smaller than, and itself.
    ``beside_bytes``: what is alive besides its scratch while each stage runs. ``polynomials``:
    whether the kernel for 3x3 windows is wanted.
    """
    steps: dict[int, list[Step]] = defaultdict(list)
    for step in schedule.steps:
        if step.stage != INPUT_STAGE:
            steps[step.stage].append(step)
    cycles = CYCLES[timing(core)]
    least = _arena_bytes(schedule.stages, beside_bytes)
    choices = {
        index: _choices(graph, schedule, index, steps[index], cycles, polynomials)
        for index, stage in enumerate(schedule.stages)
        if stage.kernel in SHARED_WORDS
    }
    seen: set[tuple[Stage, ...]] = {schedule.stages}
    for more in MORE_BYTES:
        picked: dict[int, _Choice] = {}
        for index, found in choices.items():
            room = least + more - beside_bytes[index]
            fitting = [c for c in found if _aligned(c.stage.scratch_bytes) <= room]
            if fitting:
                picked[index] = max(fitting, key=lambda c: (c.saved_cycles, -c.stage.scratch_bytes))
        picked = _worthwhile(picked, WORTH * instructions)
        stages = tuple(
            picked[i].stage if i in picked else stage for i, stage in enumerate(schedule.stages)
        )
        if stages in seen:
            continue
        seen.add(stages)
        cost = instructions - sum(choice.saved for choice in picked.values())
        yield cost, _arena_bytes(stages, beside_bytes), replace(schedule, stages=stages)


def _arena_bytes(stages: Sequence[Stage], beside_bytes: Sequence[int]) -> int:
    return max(_aligned(s.scratch_bytes) + b for s, b in zip(stages, beside_bytes, strict=True))


def _worthwhile(picked: Mapping[int, _Choice], least: float) -> dict[int, _Choice]:
    """Those whose kernels save at least ``least`` instructions together."""
    saved: dict[bool, float] = defaultdict(float)
    for choice in picked.values():
        saved[choice.stage.kernel == POLY_M3] += choice.saved
    return {
        index: choice for index, choice in picked.items()
        if saved[choice.stage.kernel == POLY_M3] >= least
    }  # fmt: skip


def _choices(
    graph: Graph, schedule: Schedule, index: int, steps: Sequence[Step],
    cycles: Mapping[tuple[str, str], float], polynomials: bool,
) -> list[_Choice]:  # fmt: skip
    stage = schedule.stages[index]
    now = products(graph, schedule, index, steps)
    found: list[_Choice] = []
    for kernel, scratch in _kernels(graph, stage, schedule.strip_rows[index], polynomials):
        new = replace(stage, kernel=kernel, scratch_bytes=scratch)
        stages = (*schedule.stages[:index], new, *schedule.stages[index + 1 :])
        then = products(graph, replace(schedule, stages=stages), index, steps)
        saved_cycles = now * cycles[stage.kernel.op, stage.kernel.arch]
        saved_cycles -= then * cycles[kernel.op, kernel.arch]
        if then < now and saved_cycles > 0:
            found.append(_Choice(new, now - then, saved_cycles))
    return found


def _kernels(
    graph: Graph, stage: Stage, strip_rows: int, polynomials: bool
) -> Iterator[tuple[KernelSpec, int]]:
    """Kernels for ``stage``, and scratch that they may have, the least of each first."""
    node = graph.node(stage.node)
    if not isinstance(node, ops.QConv2D | ops.QConvGlobalPool):
        return
    source, window = graph.values[node.inputs[0]].type, node.window
    taps, cols = window.taps * source.channels, window.count(source.width, 1)
    joined = min(strip_rows, stage.rows) if window.taps == 1 else 1
    groups = {
        m3.groups_at_once(taps, joined * cols, most) for most in (0, *m3.COLUMNS_BYTES)
    }  # fmt: skip
    columns = [(SHARED_WORDS[stage.kernel], m3.scratch_bytes(taps, n)) for n in sorted(groups)]
    if polynomials and window.kernel == (3, 3) and window.strides == (1, 1):
        columns += [
            (POLY_M3, m3.poly_scratch_bytes(source.channels, cols, rows))
            for rows in range(1, min(strip_rows, stage.rows, m3.POLY_ROWS) + 1)
        ]
    for kernel, size in columns:
        if stage.tile_channels:
            size = tile_scratch(kernel, size, taps, stage.tile_channels).size_bytes
        yield kernel, size


def _aligned(size_bytes: int) -> int:
    return -(-size_bytes // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
