"""Kernel names: the name is the specification, and can be read back."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SYMBOL = re.compile(
    r"s2c_(?P<op>(?:sparse_)?[a-z0-9]+(?:_sum)?)_(?P<types>(?:u8|s8|s32)(?:_(?:u8|s8|s32))*)"
    r"(?:_(?P<tile>[1-9]\d*x[1-9]\d*))?__(?P<arch>[a-z0-9]+)"
)


@dataclass(frozen=True, slots=True)
class KernelSpec:
    """One kernel of the runtime.

    ``types``: input, weight and output element types, as far as they exist and differ.
    ``tile``: (pixels, output channels) per inner loop. ``arch``: what it needs, ``c`` for
    nothing but C99.
    """

    op: str
    types: tuple[str, ...]
    arch: str
    tile: tuple[int, int] | None = None

    @property
    def symbol(self) -> str:
        """C function name; :meth:`parse` is its inverse."""
        tile = f"_{self.tile[0]}x{self.tile[1]}" if self.tile else ""
        return f"s2c_{self.op}_{'_'.join(self.types)}{tile}__{self.arch}"

    @property
    def source_file(self) -> str:
        """File name below ``runtime_c/src``."""
        return f"{self.symbol}.c"

    @staticmethod
    def parse(symbol: str) -> KernelSpec:
        """The kernel whose symbol this is. Raises ValueError where it is none."""
        match = _SYMBOL.fullmatch(symbol)
        if match is None:
            raise ValueError(f"{symbol!r} is not a kernel symbol")
        rows_cols = match["tile"].split("x") if match["tile"] else None
        tile = (int(rows_cols[0]), int(rows_cols[1])) if rows_cols else None
        return KernelSpec(match["op"], tuple(match["types"].split("_")), match["arch"], tile)
