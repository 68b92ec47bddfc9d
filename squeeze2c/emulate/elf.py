"""Sizes and symbols of a firmware image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

SHF_WRITE, SHF_ALLOC = 1, 2


@dataclass(frozen=True, slots=True)
class Section:
    """A section that occupies memory. ``in_flash``: it has contents; ``in_ram``: writable."""

    name: str
    size_bytes: int
    in_flash: bool
    in_ram: bool


@dataclass(frozen=True, slots=True)
class FirmwareImage:
    """What the linker produced. ``functions`` are (first address, size, name), by address."""

    sections: tuple[Section, ...]
    functions: tuple[tuple[int, int, str], ...]

    @property
    def flash_bytes(self) -> int:
        """Code, constants and the initial contents of data."""
        return sum(s.size_bytes for s in self.sections if s.in_flash)

    @property
    def static_ram_bytes(self) -> int:
        """Data and bss, without the stack."""
        return sum(s.size_bytes for s in self.sections if s.in_ram and s.name != ".stack")

    def size_of(self, *names: str) -> int:
        """Size of the sections called ``names`` together; 0 where there are none, in bytes."""
        return sum(s.size_bytes for s in self.sections if s.name in names)

    def function(self, name: str) -> tuple[int, int]:
        """Address (without the Thumb bit) and size of the function ``name``, in bytes."""
        return next((first, size) for first, size, found in self.functions if found == name)

    def function_at(self, address: int) -> str | None:
        """The name of the function that holds the instruction at ``address``."""
        place = address & ~1
        for first, size, name in self.functions:
            if first <= place < first + size:
                return name
        return None


def read_elf(path: Path) -> FirmwareImage:
    """Sections and functions of the ELF file at ``path``."""
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        sections = tuple(
            Section(
                section.name,
                section["sh_size"],
                section["sh_type"] != "SHT_NOBITS",
                bool(section["sh_flags"] & SHF_WRITE),
            )
            for section in elf.iter_sections()
            if section["sh_flags"] & SHF_ALLOC and section["sh_size"]
        )
        table = elf.get_section_by_name(".symtab")
        functions = sorted(
            (symbol["st_value"] & ~1, symbol["st_size"], symbol.name)
            for symbol in (
                table.iter_symbols() if isinstance(table, SymbolTableSection) else ()
            )
            if symbol["st_info"]["type"] == "STT_FUNC"
        )
    return FirmwareImage(sections, tuple(functions))


def files_of_static_functions(path: Path) -> dict[int, str]:
    """First address of every function that only its own file can call, to that file's name."""
    with path.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        if not isinstance(table, SymbolTableSection):
            return {}
        found = {}
        file = ""
        # A file's own symbols stand behind its name.
        for symbol in table.iter_symbols():
            kind, binding = symbol["st_info"]["type"], symbol["st_info"]["bind"]
            if kind == "STT_FILE":
                file = symbol.name
            elif kind == "STT_FUNC" and binding == "STB_LOCAL" and file:
                found[symbol["st_value"] & ~1] = file
    return found
