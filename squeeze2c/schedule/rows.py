"""Which input rows an output row needs."""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.ir import Window


@dataclass(frozen=True, slots=True)
class RowDemand:
    """Half-open range of rows of one feature map: [first, last)."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class RowWindow:
    """How rows of an output depend on the ``in_rows`` rows of one input.

    Output row r reads input rows r * stride - pad to r * stride - pad + kernel - 1,
    as far as they exist. Elementwise operators have the window (1, 1, 0).
    """

    kernel: int
    stride: int
    pad: int
    in_rows: int

    @staticmethod
    def of(window: Window | None, in_rows: int) -> RowWindow:
        """The vertical part of ``window``; one row to one row where it is None."""
        if window is None:
            return RowWindow(1, 1, 0, in_rows)
        return RowWindow(window.kernel[0], window.strides[0], window.padding.top, in_rows)

    def demand(self, row: int, count: int = 1) -> RowDemand:
        """Input rows that output rows ``row`` to ``row + count - 1`` read."""
        first = row * self.stride - self.pad
        last = (row + count - 1) * self.stride - self.pad + self.kernel
        clipped = min(max(first, 0), self.in_rows)
        return RowDemand(clipped, max(clipped, min(last, self.in_rows)))
