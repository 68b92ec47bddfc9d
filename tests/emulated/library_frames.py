"""Stack that functions of a linked Thumb program take, read off its instructions."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
_INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:\s+(\S+)\s*(.*)$")
_TARGET = re.compile(r"<([^>+]+)(?:\+0x[0-9a-f]+)?>")


def stack_by_function(elf: Path) -> dict[str, int]:
    """Bytes per function, with all that it calls.

    Every instruction that lowers the stack pointer counts once, on whichever path it lies,
    which is too much rather than too little as long as none of them is in a loop.
    """
    code = _disassemble(elf)
    depths: dict[str, int] = {}

    def depth(function: str) -> int:
        if function not in depths:
            depths[function] = 0  # loops of jumps between functions end here
            own, called = _frame(code[function], code)
            depths[function] = own + max((depth(c) for c in called - {function}), default=0)
        return depths[function]

    for function in code:
        depth(function)
    by_address = _aliases(elf)
    return {
        alias: depths[name]
        for names in by_address.values()
        for name in names
        if name in depths
        for alias in names
    }


def _disassemble(elf: Path) -> dict[str, list[tuple[str, str]]]:
    code: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    for line in _run("objdump", "-d", "--no-show-raw-insn", str(elf)):
        if function := _FUNCTION.match(line):
            current = code.setdefault(function[1], [])
        elif instruction := _INSTRUCTION.match(line):
            current.append((instruction[1].split(".")[0], instruction[2]))
    return code


def _frame(
    instructions: list[tuple[str, str]], code: dict[str, list[tuple[str, str]]]
) -> tuple[int, set[str]]:
    size, called = 0, set()
    for name, operands in instructions:
        if name == "push" or (name in ("stmdb", "stmfd") and operands.startswith("sp!")):
            size += 4 * _registers(operands)
        elif name == "vpush":
            size += 8 * _registers(operands)
        elif name in ("sub", "subw") and operands.startswith("sp,"):
            constant = re.search(r"#(\d+)", operands)
            assert constant, f"{name} {operands}"
            size += int(constant[1])
        elif lowered := re.search(r"\[sp, #-(\d+)\]!", operands):
            size += int(lowered[1])
        elif name.startswith(("b", "cb")) and (target := _TARGET.search(operands)):
            called |= {target[1]} & set(code)
        assert name != "blx", f"{name} {operands}"
    return size, called


def _registers(operands: str) -> int:
    numbers = {"sl": 10, "fp": 11, "ip": 12, "lr": 14}
    listed = re.search(r"\{(.*)\}", operands)
    assert listed
    count = 0
    for part in listed[1].split(", "):
        ends = [numbers.get(r) or int(r.lstrip("rds")) for r in part.split("-")]
        count += ends[-1] - ends[0] + 1
    return count


def _aliases(elf: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in _run("nm", str(elf)):
        fields = line.split()
        if len(fields) == 3 and fields[1] in "tTwW":
            found.setdefault(fields[0], []).append(fields[2])
    return found


def _run(tool: str, *arguments: str) -> list[str]:
    command = [f"arm-none-eabi-{tool}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
