"""The table of boards, and which code runs where."""

from __future__ import annotations

from itertools import pairwise

import pytest

from squeeze2c.emulate import firmware, qemu, toolchain
from squeeze2c.emulate.fault import STACK_GUARD_BYTES
from squeeze2c.emulate.simulate import core_for
from squeeze2c.errors import ToolchainError, UsageError
from squeeze2c.target import BOARDS, CORES


@pytest.mark.parametrize("name", BOARDS)
def test_boards_are_consistent(name: str) -> None:
    board = BOARDS[name]
    assert board.name == name
    assert board.core in CORES
    regions = {r.name: r for r in (board.vectors, board.flash, board.ram, board.bulk) if r}
    ordered = sorted(regions.values(), key=lambda r: r.origin)
    assert all(low.end <= high.origin for low, high in pairwise(ordered))
    if board.fence:
        size = board.fence.size_bytes
        assert board.fence.origin == board.ram.end
        assert size & (size - 1) == 0 == board.fence.origin % size


def test_the_stack_guard_suits_the_mpu() -> None:
    assert STACK_GUARD_BYTES >= 32
    assert STACK_GUARD_BYTES & (STACK_GUARD_BYTES - 1) == 0
    assert firmware.STACK_BYTES % 8 == 0


@pytest.mark.parametrize(
    ("target", "board", "core"),
    [
        ("host", "mps2-an385", "cortex-m3"),
        ("host", "mps3-an547", "cortex-m55"),
        ("cortex-m0", "mps2-an385", "cortex-m0"),
        ("cortex-m3", "mps2-an500", "cortex-m3"),
        ("cortex-m4", "mps2-an505", "cortex-m4"),
        ("cortex-m4", "stm32f446", "cortex-m4"),
        ("cortex-m33", "mps3-an547", "cortex-m33"),
    ],
)
def test_code_and_the_boards_that_run_it(target: str, board: str, core: str) -> None:
    assert core_for(target, BOARDS[board]).name == core


@pytest.mark.parametrize(
    ("target", "board"),
    [
        ("cortex-m4", "mps2-an385"),
        ("cortex-m7", "mps2-an386"),
        ("cortex-m7", "mps2-an505"),  # double precision
        ("cortex-m33", "mps2-an500"),
        ("cortex-m55", "mps2-an505"),
    ],
)
def test_code_and_boards_that_do_not(target: str, board: str) -> None:
    with pytest.raises(UsageError, match=f"code for {target} does not run on {board}"):
        core_for(target, BOARDS[board])


def test_missing_tools_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolchainError, match="apt install gcc-arm-none-eabi"):
        toolchain.find_toolchain()
    with pytest.raises(ToolchainError, match="apt install qemu-system-arm"):
        qemu.find_emulator()


def test_time_limits_grow_with_the_work() -> None:
    assert qemu.time_limit_s(0) == qemu.PATIENCE_S
    assert qemu.time_limit_s(350_000_000) > 5 * 60
