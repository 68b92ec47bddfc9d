"""Cores and boards are consistent with each other."""

from __future__ import annotations

from itertools import pairwise

import pytest

from squeeze2c.errors import UsageError
from squeeze2c.target import BOARDS, CORES, Board, Core, board_named, core_named


def test_names_are_keys() -> None:
    assert all(name == core.name for name, core in CORES.items())
    assert all(name == board.name for name, board in BOARDS.items())


@pytest.mark.parametrize("name", CORES)
def test_cores_by_full_and_short_name(name: str) -> None:
    assert core_named(name) is CORES[name]
    if name.startswith("cortex-"):
        assert core_named(name.removeprefix("cortex-")) is CORES[name]


@pytest.mark.parametrize("name", ["", "cortex-m99", "M4", "cortex_m4"])
def test_unknown_cores_are_the_users_error(name: str) -> None:
    with pytest.raises(UsageError, match="unknown target") as caught:
        core_named(name)
    assert caught.value.hint and "cortex-m4" in caught.value.hint


def test_unknown_boards_are_the_users_error() -> None:
    with pytest.raises(UsageError, match="unknown board") as caught:
        board_named("raspberry")
    assert caught.value.hint and "mps2-an386" in caught.value.hint
    assert board_named("stm32f405").core == "cortex-m4"


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda b: b.name)
def test_boards_are_consistent(board: Board) -> None:
    core = CORES[board.core]
    assert core.gcc_flags
    assert (board.flash.kind, board.ram.kind, board.bulk.kind) == ("flash", "ram", "ram")
    regions = {board.flash, board.ram, board.bulk}
    spans = sorted((r.origin, r.end) for r in regions)
    assert all(0 <= start < end <= 2**32 for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert board.description and board.machine
    if board.fence:
        assert board.fence.origin == board.ram.end
        size = board.fence.size_bytes
        assert size & (size - 1) == 0 and board.fence.origin % size == 0
    if board.vectors:
        assert board.vectors.size_bytes > 0


@pytest.mark.parametrize("name", [n for n in CORES if n != "host"])
def test_every_core_can_be_emulated(name: str) -> None:
    assert any(CORES[board.core].runs(name) for board in BOARDS.values())


@pytest.mark.parametrize("core", CORES.values(), ids=lambda c: c.name)
def test_a_core_runs_its_own_code_and_that_of_lesser_ones(core: Core) -> None:
    assert core.runs(core.name)
    for name in core.also_runs:
        other = CORES[name]
        assert core.dsp >= other.dsp and core.mve >= other.mve
        # What the other one runs, this one runs too.
        assert all(core.runs(further) for further in other.also_runs)
    assert not CORES["cortex-m0"].also_runs
    assert not CORES["cortex-m33"].runs("cortex-m7")


def test_extensions() -> None:
    dsp = {name for name, core in CORES.items() if core.dsp}
    assert dsp == {"cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"}
    assert {name for name, core in CORES.items() if core.mve} == {"cortex-m55"}
    assert CORES["host"].gcc_flags == ()
