"""Symbolic execution of a schedule in its arena: does every step find the rows it reads?

Every byte of the arena carries the mark of what was last written there: which stage,
which row. A step that reads checks the marks, before and after it has used its scratch and
written its rows; a step that writes sets them. This knows nothing of live ranges and of how
capacities are found, so a mistake in computing those shows here.
"""

from __future__ import annotations

import numpy as np

from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph
from squeeze2c.memory.buffers import scratch_name
from squeeze2c.memory.plan import MemoryPlan
from squeeze2c.schedule import INPUT_STAGE, Schedule, Step

_ROWS = 1 << 20
_GARBAGE = -1


def verify_execution(graph: Graph, schedule: Schedule, plan: MemoryPlan) -> None:
    """Run ``schedule`` on marks instead of numbers.

    Raises :class:`InternalError` where a row is read before it is complete or after it
    was overwritten, computed twice, or never computed, or a step has other rows than
    generated code would compute in it.
    """
    machine = _Machine(graph, schedule, plan)
    for index, step in enumerate(schedule.steps):
        machine.execute(index, step)
    machine.finish()


class _Machine:
    def __init__(self, graph: Graph, schedule: Schedule, plan: MemoryPlan) -> None:
        self._graph = graph
        self._schedule = schedule
        self._offsets = plan.offsets
        self._arena = np.full(plan.arena_bytes, _GARBAGE, np.int64)
        self._next_row = dict.fromkeys(range(INPUT_STAGE, len(schedule.stages)), 0)
        self._taken = dict.fromkeys(range(len(schedule.stages)), 0)
        self._sums_begun = False
        if not schedule.push:
            self._next_row[INPUT_STAGE] = graph.input_value.type.height

    def execute(self, index: int, step: Step) -> None:
        self._check_size(index, step)
        self._check_reads(index, step)
        self._use_scratch(step)
        if step.stage != INPUT_STAGE and self._schedule.stages[step.stage].buffer is None:
            self._accumulate(index)
            self._complete(index, step, step.rows)
        else:
            self._write(index, step)
        # A strip goes on reading and using scratch after its first row is written.
        self._use_scratch(step)
        self._check_reads(index, step)

    def finish(self) -> None:
        for stage, rows in self._next_row.items():
            expected = (
                self._graph.input_value.type.height
                if stage == INPUT_STAGE
                else self._schedule.stages[stage].rows
            )
            if rows != expected:
                raise InternalError(f"stage {stage} computed {rows} of {expected} rows")
        if self._sums_begun:
            self._check_sums(len(self._schedule.steps))

    def _write(self, index: int, step: Step) -> None:
        if step.stage == INPUT_STAGE and not self._schedule.push:
            raise InternalError(f"step {index} waits for rows that the caller has already")
        if step.input_row is not None:
            self._fold(index, step, step.input_row)
            return
        for row in range(step.first_row, step.first_row + step.rows):
            self._slot(step.stage, row)[:] = _mark(step.stage, row)
        self._complete(index, step, step.rows)

    def _fold(self, index: int, step: Step, input_row: int) -> None:
        """A running max-pool takes the next row of its window."""
        window = self._schedule.stages[step.stage].inputs[0].window.demand(step.first_row)
        due = window.first + self._taken[step.stage]
        if input_row != due:
            raise InternalError(f"step {index} takes input row {input_row} where {due} is due")
        slot = self._slot(step.stage, step.first_row)
        if input_row == window.first:
            slot[:] = _mark(step.stage, step.first_row)
        elif (slot != _mark(step.stage, step.first_row)).any():
            raise InternalError(f"step {index} continues a row that was overwritten")
        self._taken[step.stage] += 1
        if input_row == window.last - 1:
            self._taken[step.stage] = 0
            self._complete(index, step, 1)

    def _complete(self, index: int, step: Step, rows: int) -> None:
        if step.first_row != self._next_row[step.stage]:
            raise InternalError(
                f"step {index} computes row {step.first_row} of stage {step.stage}, "
                f"whose next row is {self._next_row[step.stage]}"
            )
        self._next_row[step.stage] = step.first_row + rows

    def _check_size(self, index: int, step: Step) -> None:
        """Generated code knows a step's stage and counts: the rest of it must follow."""
        strip, rows, running = 1, self._graph.input_value.type.height, False
        if step.stage != INPUT_STAGE:
            rows = self._schedule.stages[step.stage].rows
            strip = self._schedule.strip_rows[step.stage]
            running = self._schedule.running[step.stage]
        expected = 1 if running else min(strip, rows - step.first_row)
        if step.rows != expected or (step.input_row is not None) != running:
            raise InternalError(f"step {index} is {step}, where {expected} rows are due")

    def _check_reads(self, index: int, step: Step) -> None:
        for source, demand in self._schedule.reads(step):
            for row in range(demand.first, demand.last):
                for writer in source.writers:
                    self._check(index, writer, row)

    def _check(self, index: int, writer: int, row: int) -> None:
        if row >= self._next_row[writer]:
            raise InternalError(f"step {index} reads row {row} of stage {writer} too early")
        if writer == INPUT_STAGE and not self._schedule.push:
            return
        if (self._slot(writer, row) != _mark(writer, row)).any():
            raise InternalError(f"step {index} reads row {row} of stage {writer} too late")

    def _slot(self, stage: int, row: int) -> np.ndarray:
        """The bytes of row ``row`` that ``stage`` writes: (cols, channels)."""
        stages = self._schedule.stages
        value = self._schedule.input if stage == INPUT_STAGE else stages[stage].output
        kind = self._graph.values[value].type
        placement = self._schedule.placements[value]
        line_buffer = self._schedule.line_buffers[placement.buffer]
        start = self._offsets[placement.buffer]
        start += row % line_buffer.capacity_rows * line_buffer.row_bytes
        pixels = self._arena[start : start + line_buffer.row_bytes].reshape(kind.width, -1)
        return pixels[:, placement.channel_offset : placement.channel_offset + kind.channels]

    def _use_scratch(self, step: Step) -> None:
        if step.stage == INPUT_STAGE:
            return
        stage = self._schedule.stages[step.stage]
        if stage.scratch_bytes:
            start = self._offsets[scratch_name(stage.node)]
            if start + stage.scratch_bytes > len(self._arena):
                raise InternalError(f"the scratch of {stage.node} ends beyond the arena")
            self._arena[start : start + stage.scratch_bytes] = _GARBAGE

    def _accumulate(self, index: int) -> None:
        """Sums that the arena holds stay untouched from the first row to the last step."""
        if not self._schedule.push:
            return
        if self._sums_begun:
            self._check_sums(index)
        self._sums()[:] = _mark(len(self._schedule.stages), 0)
        self._sums_begun = True

    def _check_sums(self, index: int) -> None:
        if (self._sums() != _mark(len(self._schedule.stages), 0)).any():
            raise InternalError(f"the logits' sums were overwritten before step {index}")

    def _sums(self) -> np.ndarray:
        start = self._offsets[self._graph.output]
        return self._arena[start : start + self._graph.output_value.type.size_bytes]


def _mark(stage: int, row: int) -> int:
    return (stage + 1) * _ROWS + row
