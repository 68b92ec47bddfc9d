"""The bare C functions of a model, with canaries around everything that they may touch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from squeeze2c.host import HostModel
from squeeze2c.host.bindings import GeneratedApi
from tests.differential.conftest import Case

(
    OK, NULL, ARENA_SIZE, ARENA_ALIGNMENT, NOT_INITIALISED, WEIGHTS_CRC, ARGUMENT, SEQUENCE, ROWS,
) = range(9)  # fmt: skip
CANARY = 0xA5
MARGIN = 256


class Guarded:
    """``size_bytes`` of canaries at ``address``, which 16 divides, amid more canaries."""

    def __init__(self, size_bytes: int, shift: int = 0) -> None:
        self._all = np.full(size_bytes + 2 * MARGIN + 16, CANARY, np.uint8)
        self._first = MARGIN + -(self._all.ctypes.data + MARGIN) % 16 + shift
        self.bytes = self._all[self._first : self._first + size_bytes]
        self.address = int(self.bytes.ctypes.data)

    @property
    def untouched(self) -> bool:
        return bool((self._all == CANARY).all())

    def check_margins(self) -> None:
        outside = np.delete(self._all, slice(self._first, self._first + len(self.bytes)))
        assert (outside == CANARY).all(), "written outside"


class Bench:
    """Context, arena, image and logits of a model."""

    def __init__(self, case: Case, api: GeneratedApi) -> None:
        ram = case.artifact.manifest["ram"]
        self.case, self.api = case, api
        self.arena_bytes, self.alignment = ram["arena_bytes"], ram["arena_alignment"]
        self.context = Guarded(api.context_bytes)
        self.arena = Guarded(self.arena_bytes)
        self.image = Guarded(case.frames[0].size)
        self.image.bytes[:] = case.frames[0].ravel()
        self.logits = Guarded(4 * case.artifact.classes)

    @property
    def rows(self) -> int:
        """Rows of an image."""
        return len(self.case.frames[0])

    def pointer(self, buffer: Guarded | None, kind: str = "void *") -> Any:
        return self.api.ffi.NULL if buffer is None else self.api.ffi.cast(kind, buffer.address)

    def init(self, context: Guarded | None, arena: Guarded | None, size_bytes: int) -> int:
        function = self.api.function("init")
        return int(function(self.pointer(context), self.pointer(arena), size_bytes))

    def run(self, context: Guarded | None, image: Guarded | None, logits: Guarded | None) -> int:
        return int(
            self.api.function("run")(
                self.pointer(context),
                self.pointer(image, "uint8_t *"),
                self.pointer(logits, "int32_t *"),
            )
        )

    def begin(self, context: Guarded | None) -> int:
        return int(self.api.function("begin")(self.pointer(context)))

    def push(self, context: Guarded | None, rows: Guarded | None, count: int) -> int:
        function = self.api.function("push_rows")
        return int(function(self.pointer(context), self.pointer(rows, "uint8_t *"), count))

    def finish(self, context: Guarded | None, logits: Guarded | None) -> int:
        function = self.api.function("finish")
        return int(function(self.pointer(context), self.pointer(logits, "int32_t *")))

    def push_portion(self, index: int, first: int, count: int, shift: int = 0) -> int:
        """Rows of image ``index``, in memory that is scribbled on as soon as C returns."""
        pixels = self.case.frames[index][first : first + count].ravel()
        rows = Guarded(pixels.size, shift)
        rows.bytes[:] = pixels
        status = self.push(self.context, rows, count)
        np.testing.assert_array_equal(rows.bytes, pixels, "rows are only read")
        rows.check_margins()
        rows.bytes[:] = ~pixels
        return status

    def read_logits(self) -> np.ndarray:
        logits: np.ndarray = self.logits.bytes.copy().view(np.int32)
        return logits

    def expect_logits(self, index: int) -> None:
        """Those of image ``index``, exactly; they are erased afterwards."""
        np.testing.assert_array_equal(self.read_logits(), self.case.logits[index])
        self.logits.bytes[:] = CANARY


def benches(case: Case, build_dir: Path) -> Iterator[Bench]:
    """For a fixture: a bench, and after the test a look at its margins."""
    model = HostModel(case.artifact, flags=("-O1",), cache_dir=build_dir)
    made = Bench(case, model.api)
    yield made
    for buffer in (made.context, made.arena, made.image, made.logits):
        buffer.check_margins()
