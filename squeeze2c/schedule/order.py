"""The order of steps: rows are computed when somebody needs them, and freed soon.

List scheduling over tasks of one strip each. Stages that write slices of one
concatenation advance together, so that no half-written row waits for its other half.
A task is ready when its input rows are complete and some consumer waits for its
output. A cascade boundary is a feature map that is kept as a whole: its readers wait
until it is complete, and what came before need not share memory with what comes after.
Of the ready tasks, one that frees more memory than it takes runs first; if
there is none, the one furthest downstream. Nothing is ever computed twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from squeeze2c.errors import InternalError
from squeeze2c.schedule.model import Step
from squeeze2c.schedule.stages import INPUT_STAGE, RowInput, Stage


@dataclass(frozen=True, slots=True)
class _Task:
    """A strip of a unit: output rows, and for a running max-pool its one input row."""

    first_row: int
    rows: int
    input_row: int | None = None


class _Read:
    """One input of a unit: per task, rows it needs, and the first row still needed then.

    ``whole``: the unit waits until the input is complete.
    """

    def __init__(self, source: RowInput, tasks: Sequence[_Task], whole: bool) -> None:
        self.buffer = source.buffer
        self.writers = source.writers
        self.last: list[int] = []
        first: list[int] = []
        for task in tasks:
            if task.input_row is not None:
                first.append(task.input_row)
                self.last.append(task.input_row + 1)
            else:
                demand = source.window.demand(task.first_row, task.rows)
                first.append(demand.first)
                self.last.append(demand.last)
        if whole:
            self.last = [source.window.in_rows] * len(tasks)
        self.final = max(self.last, default=0)
        # Suffix minimum: rows below it are never read again.
        self.keep_from = [source.window.in_rows] * (len(tasks) + 1)
        for i in range(len(tasks) - 1, -1, -1):
            self.keep_from[i] = min(self.keep_from[i + 1], first[i])


class _Unit:
    """Stages that advance together, and how far they are. Depth 0 is the caller."""

    def __init__(
        self,
        depth: int,
        members: Sequence[int],
        buffer: str | None,
        tasks: Sequence[_Task],
        reads: Sequence[_Read] = (),
    ) -> None:
        self.depth = depth
        self.members = tuple(members)
        self.buffer = buffer
        self.tasks = tasks
        self.reads = reads
        self.readers: list[tuple[_Unit, _Read]] = []
        self.next = 0

    @property
    def done(self) -> bool:
        return self.next == len(self.tasks)


def order_steps(
    stages: Sequence[Stage],
    strip_rows: Sequence[int],
    running: Sequence[bool],
    row_bytes: Mapping[str, int],
    input_rows: int,
    push: bool,
    boundaries: Collection[str] = (),
) -> tuple[Step, ...]:
    """Steps of all stages, and of the caller (INPUT_STAGE), that compute every row once.

    ``boundaries``: buffers between cascades; their readers wait until they are complete.

    ``row_bytes``: size of a row of each buffer. With ``push`` the caller hands over
    ``input_rows`` rows one by one, each a step; without, all are there from the start.
    Raises :class:`InternalError` where it gets stuck, which no valid graph can cause.
    """
    return _Ordering(
        stages, strip_rows, running, row_bytes, input_rows, push, boundaries
    ).run()


class _Ordering:
    def __init__(
        self,
        stages: Sequence[Stage],
        strip_rows: Sequence[int],
        running: Sequence[bool],
        row_bytes: Mapping[str, int],
        input_rows: int,
        push: bool,
        boundaries: Collection[str],
    ) -> None:
        self._row_bytes = row_bytes
        self._written = dict.fromkeys(range(-1, len(stages)), 0)
        self._units: list[_Unit] = []
        for members in _coupled(stages, strip_rows, running):
            head = members[0]
            tasks = _tasks(stages[head], strip_rows[head], running[head])
            reads = [
                _Read(source, tasks, source.buffer in boundaries)
                for m in members
                for source in stages[m].inputs
            ]
            self._units.append(
                _Unit(max(members) + 1, members, stages[head].buffer, tasks, reads)
            )
        self._source = _source(stages, input_rows)
        if not push:
            self._source.next = input_rows
            self._written[INPUT_STAGE] = input_rows
        self._connect(stages)

    def _connect(self, stages: Sequence[Stage]) -> None:
        """Tell every unit who reads its rows."""
        unit_of = {m: u for u in self._units for m in u.members}
        unit_of[INPUT_STAGE] = self._source
        self._readers_of_buffer: dict[str, list[tuple[_Unit, _Read]]] = {}
        for unit in self._units:
            for read in unit.reads:
                self._readers_of_buffer.setdefault(read.buffer, []).append((unit, read))
                for writer in {id(unit_of[w]): unit_of[w] for w in read.writers}.values():
                    writer.readers.append((unit, read))

    def run(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        pending = [unit for unit in (self._source, *self._units) if not unit.done]
        while pending:
            best: _Unit | None = None
            best_key: tuple[int, int, int] = (2, 0, 0)
            for unit in pending:
                if not self._ready(unit):
                    continue
                net = self._net_bytes(unit)
                key = (0, net, -unit.depth) if net < 0 else (1, -unit.depth, net)
                if best is None or key < best_key:
                    best, best_key = unit, key
            if best is None:
                raise InternalError("the schedule is stuck: no step is ready")
            self._advance(best, steps)
            if best.done:
                pending.remove(best)
        return tuple(steps)

    def _ready(self, unit: _Unit) -> bool:
        index = unit.next
        for read in unit.reads:
            last = read.last[index]
            for writer in read.writers:
                if self._written[writer] < last:
                    return False
        return self._wanted(unit)

    def _wanted(self, unit: _Unit) -> bool:
        """Whether a consumer waits for the next rows, or no consumer ever will."""
        row = unit.tasks[unit.next].first_row
        never = True
        for reader, read in unit.readers:
            if read.final > row:
                never = False
                if not reader.done and read.last[reader.next] > row:
                    return True
        return never

    def _net_bytes(self, unit: _Unit) -> int:
        """Bytes of rows that the unit's next task adds, less those that it frees."""
        task = unit.tasks[unit.next]
        net = 0
        if unit.buffer is not None:
            newest = max(self._written[m] for m in unit.members)
            begun = newest if task.input_row is None else self._begun(unit)
            net += max(0, task.first_row + task.rows - begun) * self._row_bytes[unit.buffer]
        for buffer in {read.buffer for read in unit.reads}:
            before = after = None
            for reader, read in self._readers_of_buffer[buffer]:
                now = read.keep_from[reader.next]
                then = read.keep_from[reader.next + 1] if reader is unit else now
                before = now if before is None else min(before, now)
                after = then if after is None else min(after, then)
            if before is not None and after is not None:
                net -= (after - before) * self._row_bytes[buffer]
        return net

    @staticmethod
    def _begun(unit: _Unit) -> int:
        """Rows of a running max-pool that have been begun."""
        return unit.tasks[unit.next - 1].first_row + 1 if unit.next else 0

    def _advance(self, unit: _Unit, steps: list[Step]) -> None:
        task = unit.tasks[unit.next]
        unit.next += 1
        for member in unit.members:
            steps.append(Step(member, task.first_row, task.rows, task.input_row))
        complete = unit.done or unit.tasks[unit.next].first_row > task.first_row
        if complete:
            for member in unit.members:
                self._written[member] = task.first_row + task.rows


def _tasks(stage: Stage, strip_rows: int, running: bool) -> tuple[_Task, ...]:
    if running:
        window = stage.inputs[0].window
        return tuple(
            _Task(row, 1, source)
            for row in range(stage.rows)
            for source in range(window.demand(row).first, window.demand(row).last)
        )
    return tuple(
        _Task(row, min(strip_rows, stage.rows - row)) for row in range(0, stage.rows, strip_rows)
    )


def _source(stages: Sequence[Stage], input_rows: int) -> _Unit:
    """The caller as a unit that hands over one row per task."""
    buffer = next(
        (i.buffer for stage in stages for i in stage.inputs if INPUT_STAGE in i.writers), None
    )
    tasks = tuple(_Task(row, 1) for row in range(input_rows))
    return _Unit(0, (INPUT_STAGE,), buffer, tasks)


def _coupled(
    stages: Sequence[Stage], strip_rows: Sequence[int], running: Sequence[bool]
) -> list[list[int]]:
    """Stage indices by unit: the writers of one concatenation, where that delays none of them.

    Writers that depend on one another cannot advance together; nor can those that depend
    on a unit that depends on them, as when two concatenations feed each other's slices.
    """
    writers: dict[str, list[int]] = {}
    for index, stage in enumerate(stages):
        if stage.buffer is not None:
            writers.setdefault(stage.buffer, []).append(index)
    unit_of = list(range(len(stages)))
    for members in writers.values():
        alike = len({(strip_rows[m], stages[m].rows) for m in members}) == 1
        if len(members) == 1 or not alike or any(running[m] for m in members):
            continue
        merged = [members[0] if i in members else unit for i, unit in enumerate(unit_of)]
        if _acyclic(stages, merged):
            unit_of = merged
    units: dict[int, list[int]] = {}
    for index, unit in enumerate(unit_of):
        units.setdefault(unit, []).append(index)
    return list(units.values())


def _acyclic(stages: Sequence[Stage], unit_of: Sequence[int]) -> bool:
    """Whether no unit waits for itself, directly or through others."""
    waits_for: dict[int, set[int]] = {unit: set() for unit in unit_of}
    for index, stage in enumerate(stages):
        for source in stage.inputs:
            waits_for[unit_of[index]].update(unit_of[w] for w in source.writers if w != INPUT_STAGE)
    while waits_for:
        free = {unit for unit, needed in waits_for.items() if not needed}
        if not free:
            return False
        waits_for = {u: needed - free for u, needed in waits_for.items() if u not in free}
    return True
