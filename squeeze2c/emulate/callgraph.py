"""The static call graph of compiled C, with the stack that each function takes.

GCC writes both with ``-fcallgraph-info=su`` (10 and later), a ``.ci`` file beside each object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from squeeze2c.emulate.elf import read_elf
from squeeze2c.errors import InternalError

CALLGRAPH_FLAG = "-fcallgraph-info=su"

_NODE = re.compile(r'^node: \{ title: "(?P<title>[^"]*)" label: "(?P<label>[^"]*)"')
_EDGE = re.compile(r'^edge: \{ sourcename: "(?P<caller>[^"]*)" targetname: "(?P<callee>[^"]*)"')
_STACK = re.compile(r"(?P<bytes>\d+) bytes \((?P<kind>[^)]*)\)")
_INDIRECT = "__indirect_call"
_CALLS = {
    "EM_ARM": {10, 28, 29, 30, 51, 102},  # THM_CALL, CALL, JUMP24, THM_JUMP24, _JUMP19, _JUMP11
    "EM_X86_64": {4},  # PLT32
    "EM_AARCH64": {282, 283},  # JUMP26, CALL26
}
"""ELF relocation types of calls and jumps, by machine."""


@dataclass(frozen=True, slots=True)
class CompiledUnit:
    """What GCC says about one source file.

    ``text``: content of the ``.ci`` file. ``called_outside``: functions that the object
    file calls and does not define, among them helpers of the compiler's own, such as
    those for jump tables, which are in no call graph. ``flash_bytes``: of its sections with
    contents that are loaded, code and constants.
    """

    text: str
    called_outside: frozenset[str] = frozenset()
    flash_bytes: int = 0

    @classmethod
    def read(cls, path: Path) -> CompiledUnit:
        """Of the object file ``path``, beside which lies its ``.ci`` file."""
        text = path.with_suffix(".ci").read_text(encoding="utf-8", errors="replace")
        return cls(text, _called_outside(path), read_elf(path).flash_bytes)


@dataclass(frozen=True, slots=True)
class Depth:
    """Stack of a function and all it calls; ``path``: the calls that need most."""

    stack_bytes: int
    path: tuple[str, ...]


class CallGraph:
    """Functions by title, which for a static function is ``file:name``."""

    def __init__(self, library_bytes: Callable[[str], int]) -> None:
        """``library_bytes``: the stack of a function that is in none of the objects."""
        self._library_bytes = library_bytes
        self._frame_bytes: dict[str, int] = {}
        self._callees: dict[str, set[str]] = {}
        self._depths: dict[str, Depth] = {}

    def add(self, unit: CompiledUnit) -> None:
        """Add the functions of ``unit``.

        Raises :class:`InternalError` for one whose stack depends on its data.
        """
        nodes = [node for line in unit.text.splitlines() if (node := _NODE.match(line))]
        edges = [edge for line in unit.text.splitlines() if (edge := _EDGE.match(line))]
        unseen = unit.called_outside - {edge["callee"] for edge in edges}
        for node in nodes:
            self._add_node(node["title"], node["label"], unseen)
        for edge in edges:
            self._callees.setdefault(edge["caller"], set()).add(edge["callee"])

    def _add_node(self, title: str, label: str, callees: Iterable[str]) -> None:
        stack = _STACK.search(label)
        if stack is None:
            return  # declared here, defined elsewhere
        if stack["kind"] != "static":
            raise InternalError(f"the stack of {_name(title)} is not known at compile time")
        # A function of a header may be compiled in several units, differently in each.
        self._frame_bytes[title] = max(int(stack["bytes"]), self._frame_bytes.get(title, 0))
        self._callees.setdefault(title, set()).update(callees)

    def has(self, function: str) -> bool:
        """Whether the objects define ``function``."""
        return function in self._frame_bytes

    def depth(self, function: str) -> Depth:
        """The deepest path from ``function``, its own frame included.

        A function that ends in a call of another may free its frame first; that is not
        counted on. Raises :class:`InternalError` for recursion and calls through pointers.
        """
        return self._depth(function, ())

    def _depth(self, function: str, callers: tuple[str, ...]) -> Depth:
        if function in callers:
            names = [*callers[callers.index(function) :], function]
            raise InternalError(f"recursion: {' calls '.join(_name(n) for n in names)}")
        if function == _INDIRECT:
            raise InternalError(f"{_name(callers[-1])} calls a function through a pointer")
        if function not in self._depths:
            self._depths[function] = self._search(function, callers)
        return self._depths[function]

    def _search(self, function: str, callers: tuple[str, ...]) -> Depth:
        if function not in self._frame_bytes:
            return Depth(self._library_bytes(function), (function,))
        below = [
            self._depth(callee, (*callers, function))
            for callee in sorted(self._callees[function])
        ]
        deepest = max(below, key=lambda d: d.stack_bytes, default=Depth(0, ()))
        own_bytes = self._frame_bytes[function]
        return Depth(own_bytes + deepest.stack_bytes, (_name(function), *deepest.path))


def _name(title: str) -> str:
    return title.rpartition(":")[2]


def _called_outside(path: Path) -> frozenset[str]:
    """Functions that the object file ``path`` calls and does not define."""
    found = set()
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        calls = _CALLS.get(elf["e_machine"], set())
        for section in elf.iter_sections():
            if not isinstance(section, RelocationSection):
                continue
            symbols = elf.get_section(section["sh_link"])
            assert isinstance(symbols, SymbolTableSection)
            for relocation in section.iter_relocations():
                if relocation["r_info_type"] in calls:
                    symbol = symbols.get_symbol(relocation["r_info_sym"])
                    if symbol["st_shndx"] == "SHN_UNDEF":
                        found.add(str(symbol.name))
    return frozenset(found)
