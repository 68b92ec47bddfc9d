"""Integer graph to program: schedule, memory plan and lowering, checked against the RAM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from squeeze2c.errors import DoesNotFitError, UsageError
from squeeze2c.export import largest_buffers
from squeeze2c.frontend.input_format import InputFormat
from squeeze2c.frontend.input_format import input_format as pixel_format
from squeeze2c.ir import Graph
from squeeze2c.lower import CProgram, PackedWeights, interface_bytes, lower, prove_sizes
from squeeze2c.memory import (
    MemoryPlan,
    bytes_beside_scratch,
    collect_buffers,
    lower_bound_bytes,
    plan_memory,
    verify_execution,
)
from squeeze2c.progress import Progress, silent
from squeeze2c.schedule import (
    Candidate,
    ScheduleOptions,
    candidates,
    choose,
    predicted_instructions,
    skippable_zeros,
)
from squeeze2c.target import Core

RAM_IN_ALL = "RAM for arena, stack, logits and image row"
STACK_RESERVE_BYTES = 1024
HELIUM_STACK_RESERVE_BYTES = 1536
"""Set aside for the stack when ``ram_bytes`` is divided; generated code needs less. Kernels for
Helium save more registers: SqueezeNet v1.1 has up to 1,220 bytes there, 856 on a Cortex-M4."""


def stack_reserve_bytes(core: Core) -> int:
    """What is set aside for the stack on ``core``."""
    return HELIUM_STACK_RESERVE_BYTES if core.mve else STACK_RESERVE_BYTES


@dataclass(frozen=True, slots=True)
class Planned:
    """The schedule chosen of ``candidates``, its memory plan, and the format of the input."""

    chosen: Candidate
    candidates: tuple[Candidate, ...]
    plan: MemoryPlan
    pixels: InputFormat

    def build(
        self, integer: Graph, name: str, packed: Mapping[str, PackedWeights] | None = None
    ) -> Built:
        """The program of ``integer``, which has the shapes that were planned for."""
        program = lower(integer, self.chosen.schedule, self.plan, name, self.pixels, packed)
        found = tuple(_costed(candidate, integer) for candidate in self.candidates)
        return Built(program, _costed(self.chosen, integer), found, self.plan)


@dataclass(frozen=True, slots=True)
class Built:
    """A program, the schedule chosen of ``candidates`` for it, and its memory plan."""

    program: CProgram
    chosen: Candidate
    candidates: tuple[Candidate, ...]
    plan: MemoryPlan


def _costed(candidate: Candidate, integer: Graph) -> Candidate:
    """``candidate`` with what it costs with the weights of ``integer``, if it depends on them.

    Schedules are chosen without weights.
    """
    if not any(stage.kernel.arch in ("m0", "m3") for stage in candidate.schedule.stages):
        return candidate
    cost = predicted_instructions(integer, candidate.schedule)
    return replace(candidate, instructions=cost)


def build_program(
    integer: Graph,
    core: Core,
    name: str,
    options: ScheduleOptions | None = None,
    progress: Progress = silent,
    packed: Mapping[str, PackedWeights] | None = None,
) -> Built:
    """Schedule, memory plan and lowering of a quantised graph; see :func:`plan_program`."""
    planned = plan_program(integer, core, options or ScheduleOptions(), progress, packed)
    return planned.build(integer, name, packed)


def plan_program(
    integer: Graph,
    core: Core,
    options: ScheduleOptions,
    progress: Progress = silent,
    packed: Mapping[str, PackedWeights] | None = None,
) -> Planned:
    """Schedule and memory plan of a quantised graph, or of its skeleton.

    ``packed``: the layers whose weights are stored as codes.

    Raises :class:`DoesNotFitError` where no schedule fits ``options.ram_bytes``.
    """
    pixels = _pixel_format(options, integer)
    prove_sizes(integer)
    found = candidates(
        integer, core, options.push, options.kind,
        lambda schedule: plan_memory(integer, schedule).arena_bytes,
        progress, {node: weights.code.tile_channels for node, weights in (packed or {}).items()},
        lambda schedule: lower_bound_bytes(collect_buffers(integer, schedule)),
        partial(bytes_beside_scratch, integer), options.small_code,
    )  # fmt: skip
    image = integer.input_value.type
    row_bytes = pixels.row_bytes(image.width, image.channels) if options.push else 0
    interface = interface_bytes(integer.output_value.type.channels, row_bytes)
    reserve = stack_reserve_bytes(core) + interface
    budget = None if options.ram_bytes is None else options.ram_bytes - reserve
    chosen = choose(found, budget)
    smallest = chosen or found[0]
    plan = plan_memory(integer, smallest.schedule)
    if chosen is None:
        raise DoesNotFitError(
            RAM_IN_ALL,
            needed_bytes=plan.arena_bytes + reserve,
            available_bytes=options.ram_bytes or 0,
            largest=largest_buffers(plan),
            where="--ram",
            hint=_smaller(options, plan.arena_bytes + reserve, bool(packed)),
        )
    verify_execution(integer, chosen.schedule, plan)
    return Planned(chosen, found, plan, pixels)


class Builder:
    """Programs of one network; what is packed alike and has its zeros alike is planned once."""

    def __init__(
        self, core: Core, options: ScheduleOptions, name: str, progress: Progress
    ) -> None:
        self._core = core
        self._options = options
        self._name = name
        self._progress = progress
        self._plans: dict[frozenset[tuple[str, object]], Planned] = {}

    def build(self, integer: Graph, packed: Mapping[str, PackedWeights]) -> Built:
        """The program of ``integer``, whose shapes are the same at every call."""
        tiles = {node: weights.code.tile_channels for node, weights in packed.items()}
        key = frozenset([*tiles.items(), *skippable_zeros(integer, packed).items()])
        if key not in self._plans:
            self._plans[key] = plan_program(
                integer, self._core, self._options, self._progress, packed
            )
        return self._plans[key].build(integer, self._name, packed)

    def program(self, integer: Graph, packed: Mapping[str, PackedWeights]) -> CProgram:
        """As :meth:`build`, the program alone."""
        return self.build(integer, packed).program


def _smaller(options: ScheduleOptions, needed_bytes: int, packed: bool) -> str:
    """What to do where not even the smallest schedule, of ``needed_bytes``, fits."""
    smallest = f"the smallest budget that works is --ram {needed_bytes}"
    if packed:
        return f"{smallest}; weights that are not packed need less, but more flash"
    if options.kind == "layerwise":
        return f"{smallest}; --schedule stream needs less"
    return f"{smallest}; a smaller input needs less"


def _pixel_format(options: ScheduleOptions, graph: Graph) -> InputFormat:
    """The format of the caller's pixels. Raises :class:`UsageError` where it cannot be read."""
    pixels = pixel_format(options.input_format, graph.input_value.type.channels)
    if pixels.converts and not options.push:
        raise UsageError(
            f"{pixels.name} is converted row by row on its way in, so --input must be push",
            where="--input-format",
            hint="with push, the generated run function still takes a whole image",
        )
    return pixels
