"""Instruction counts without a plugin: SysTick, in QEMU's mode of one nanosecond per instruction.

``-icount shift=0`` makes virtual time a count of instructions. SysTick counts that time in ticks of
the board's clock; the firmware finds out how long a tick is by a loop of known length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from squeeze2c.emulate.records import RecordKind, Stage, read_records
from squeeze2c.errors import ToolchainError

ICOUNT = ("-icount", "shift=0")
"""Options of QEMU: 2^0 nanoseconds per instruction, whatever the real time."""

RunForResults = Callable[[Sequence[str]], Path]
"""Runs firmware for one image with more options for QEMU; its result file."""

_OF_LOOP, _OF_SPANS = 0xFFFF_FFFF, 0xFFFF_FFFE
_LOOP_INSTRUCTIONS = 2 * 10_000_000
_SPANS = 4096
"""Twins of ``runtime_c/port/s2c_port_records.h``."""
_INSTRUCTIONS_PER_S = 1e9
_CLOCK_UNIT_HZ = 1000.0
"""Clocks of boards are multiples of it; the loop tells them to some 50 Hz."""


@dataclass(frozen=True, slots=True)
class TickCounts:
    """Instructions of one image, as exact as ticks are.

    ``per_tick``: instructions per tick. Every step of a layer, and every call of the model for
    ``whole``, is off by less than a tick.
    """

    whole: int
    layers: tuple[int, ...]
    per_tick: float


@dataclass(frozen=True, slots=True)
class _Spans:
    """Ticks and number of the spans that were recorded under each number."""

    ticks: dict[int, int]
    spans: dict[int, int]
    clock_hz: float

    @property
    def per_tick(self) -> float:
        return _INSTRUCTIONS_PER_S / self.clock_hz

    def instructions(self, number: int) -> int:
        """Instructions in all spans called ``number``, less those of reading the counter."""
        empty = self.ticks.get(_OF_SPANS, 0) / _SPANS
        net = self.ticks.get(number, 0) - empty * self.spans.get(number, 0)
        return max(0, round(net * self.per_tick))


def count_by_ticks(layers: int, run_layers: RunForResults, run_calls: RunForResults) -> TickCounts:
    """Counts of firmware with a clock around every layer, and of firmware with one around calls.

    Raises :class:`ToolchainError` where the emulator's SysTick does not run.
    """
    of_layers = _read(run_layers(ICOUNT))
    of_calls = _read(run_calls(ICOUNT))
    stages = (Stage.RUN, Stage.BEGIN, Stage.PUSH_ROWS, Stage.FINISH)
    return TickCounts(
        sum(of_calls.instructions(stage) for stage in stages),
        tuple(of_layers.instructions(layer) for layer in range(layers)),
        of_layers.per_tick,
    )


def _read(results: Path) -> _Spans:
    ticks: dict[int, int] = {}
    spans: dict[int, int] = {}
    for record in read_records(results):
        if record.kind is RecordKind.TICKS:
            ticks[record.first] = ticks.get(record.first, 0) + record.second
            spans[record.first] = spans.get(record.first, 0) + 1
    loop = ticks.get(_OF_LOOP, 0)
    if loop == 0:
        raise ToolchainError("the SysTick of this QEMU stands still with -icount")
    measured_hz = loop * _INSTRUCTIONS_PER_S / _LOOP_INSTRUCTIONS
    return _Spans(ticks, spans, round(measured_hz / _CLOCK_UNIT_HZ) * _CLOCK_UNIT_HZ)
