"""Names of a model's C symbols and files, all derived from its name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Symbols:
    """Everything that ``name`` prefixes in generated code."""

    name: str

    @property
    def macro(self) -> str:
        return self.name.upper()

    @property
    def header(self) -> str:
        return f"{self.name}.h"

    @property
    def source(self) -> str:
        return f"{self.name}.c"

    @property
    def weights_header(self) -> str:
        return f"{self.name}_weights.h"

    @property
    def weights_source(self) -> str:
        return f"{self.name}_weights.c"

    @property
    def guard(self) -> str:
        return f"{self.macro}_H"

    @property
    def weights_guard(self) -> str:
        return f"{self.macro}_WEIGHTS_H"
