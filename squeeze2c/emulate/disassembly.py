"""Instructions of a firmware image, as ``objdump`` disassembles them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from squeeze2c.emulate.toolchain import run_tool

DISASSEMBLER = "arm-none-eabi-objdump"
INSTALL = "apt install binutils-arm-none-eabi"
_FLAGS = ("--disassemble", "--wide", "--show-raw-insn")
_HELIUM = ("-m", "armv8.1-m.main")
"""binutils does not take all of Helium from the ELF file's attributes."""
_LINE = re.compile(
    r"^\s*(?P<address>[0-9a-f]+):\t(?P<code>[0-9a-f ]+?)\s*\t(?P<mnemonic>\S+)\s*(?P<operands>.*)$"
)
_COMMENT = re.compile(r"\s*(@|;|//|<).*$")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; ``mnemonic`` in lower case with condition and width, as in ``addeq.w``."""

    address: int
    size_bytes: int
    mnemonic: str
    operands: str


def disassemble(elf: Path, helium: bool = False) -> dict[int, Instruction]:
    """Address to instruction of all code in ``elf``; ``helium``: for a core with vectors.

    Raises :class:`ToolchainError` where objdump is missing or fails.
    """
    flags = (*_FLAGS, *(_HELIUM if helium else ()))
    command = [DISASSEMBLER, *flags, str(elf)]
    return parse(run_tool(command, elf.parent, where="disassembly", install=INSTALL))


def parse(text: str) -> dict[int, Instruction]:
    """What :func:`disassemble` makes of objdump's output; constants between code are left out."""
    found = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is not None and not match["mnemonic"].startswith("."):
            address = int(match["address"], 16)
            size = len(match["code"].replace(" ", "")) // 2
            operands = _COMMENT.sub("", match["operands"])
            found[address] = Instruction(address, size, match["mnemonic"].lower(), operands)
    return found


def straight(code: Mapping[int, Instruction], first: int, count: int) -> list[Instruction]:
    """``count`` instructions one behind the other from ``first``. Raises KeyError."""
    run = []
    address = first
    for _ in range(count):
        run.append(code[address])
        address += code[address].size_bytes
    return run
