"""A schedule: stages, the order of their steps, and how many rows each map keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from squeeze2c.schedule.placement import Placement
from squeeze2c.schedule.rows import RowDemand
from squeeze2c.schedule.stages import INPUT_STAGE, RowInput, Stage


@dataclass(frozen=True, slots=True)
class Step:
    """Output rows ``first_row`` to ``first_row + rows - 1`` of ``stage``.

    A max-pool that runs row by row folds input row ``input_row`` into its one output
    row; otherwise ``input_row`` is None. Stage INPUT_STAGE stands for rows that the
    caller hands over.
    """

    stage: int
    first_row: int
    rows: int
    input_row: int | None = None


@dataclass(frozen=True, slots=True)
class LineBuffer:
    """A feature map of which ``capacity_rows`` rows exist: row r is in slot r % capacity_rows."""

    value: str
    capacity_rows: int
    rows: int
    row_bytes: int

    @property
    def size_bytes(self) -> int:
        return self.capacity_rows * self.row_bytes


@dataclass(frozen=True, slots=True)
class Schedule:
    """``steps`` in order of execution, and where each feature map lives.

    ``strip_rows``: per stage, rows of one step (the last may have fewer);
    ``running``: per stage, whether it is a max-pool that takes one input row a step.
    ``input``: the graph's input. ``push``: the caller hands it over row by row, and a
    line buffer holds the rows still needed; otherwise the image is in the caller's
    memory as a whole, and ``line_buffers`` does not have it.
    """

    stages: tuple[Stage, ...]
    steps: tuple[Step, ...]
    strip_rows: tuple[int, ...]
    running: tuple[bool, ...]
    line_buffers: Mapping[str, LineBuffer]
    placements: Mapping[str, Placement]
    input: str
    push: bool

    def reads(self, step: Step) -> tuple[tuple[RowInput, RowDemand], ...]:
        """What ``step`` reads: inputs of its stage, and the rows of each."""
        if step.stage == INPUT_STAGE:
            return ()
        inputs = self.stages[step.stage].inputs
        if step.input_row is not None:
            return ((inputs[0], RowDemand(step.input_row, step.input_row + 1)),)
        return tuple((i, i.window.demand(step.first_row, step.rows)) for i in inputs)

    def writes(self, step: Step) -> str | None:
        """The buffer whose rows ``step`` writes; None for the layer that sums."""
        if step.stage == INPUT_STAGE:
            return self.input if self.push else None
        return self.stages[step.stage].buffer
