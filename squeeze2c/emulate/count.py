"""Exact instruction counts: QEMU with a plugin, on firmware with marks around the layers.

:mod:`squeeze2c.emulate.ticks` counts where there is no plugin.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from squeeze2c.emulate.elf import FirmwareImage
from squeeze2c.emulate.profile import LayerProfile
from squeeze2c.emulate.qemu import find_emulator
from squeeze2c.errors import InternalError, ToolchainError
from squeeze2c.host.toolchain import HostCompiler
from squeeze2c.resources import runtime_dir

COUNT_FILE = "count.txt"
BLOCKS_FILE = "blocks.txt"
MARKS = "s2c_port_marks"
RETURNED = "s2c_port_returned"
"""The instruction that follows the harness's call of a function of the model."""

_MARKS_OF_LAYER_BYTES = 4
"""Two instructions of two bytes: where a layer begins, where it ends."""

RunWith = Callable[[Sequence[str]], object]
"""Runs firmware for one image with more options for QEMU."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Instructions of one image: of the whole run, and of each layer. Where None, why.

    ``method``: ``plugin`` or ``icount``. ``granularity``: instructions that a count of one step may
    be off by; 1 is exact. ``no_plugin``: why the plugin did not count.
    """

    whole: int | None
    layers: tuple[int | None, ...]
    reason: str | None = None
    method: str | None = None
    granularity: float | None = None
    no_plugin: str | None = None
    profiles: tuple[LayerProfile, ...] | None = None
    not_profiled: str | None = None

    @classmethod
    def none(cls, layers: int, reason: str) -> Counts:
        """No counts, because of ``reason``."""
        return cls(None, (None,) * layers, reason, not_profiled=reason)


@dataclass(frozen=True, slots=True)
class Counter:
    """QEMU's plugin, built for this machine."""

    plugin: Path

    @classmethod
    def build(cls, folder: Path) -> Counter:
        """Compile the plugin in ``folder``. Raises :class:`ToolchainError` where it is no use."""
        options = subprocess.run(
            [find_emulator(), "-help"], capture_output=True, text=True, check=False
        )
        if "-plugin" not in options.stdout:
            raise ToolchainError("this QEMU was built without plugins")
        plugin = folder / "s2c_count_plugin.so"
        source = runtime_dir() / "port" / "plugin" / "s2c_count_plugin.c"
        HostCompiler.find(flags=("-O2",)).build_library([source], [], [], plugin)
        return cls(plugin)

    def whole(
        self, run: RunWith, elf: Path, image: FirmwareImage, functions: Sequence[str]
    ) -> int:
        """Instructions of all calls of ``functions`` for one image, in a build without hooks.

        Each from its first instruction to its last; what the harness does between calls
        is not counted. Raises :class:`ToolchainError` where QEMU refuses the plugin.
        """
        places = (RETURNED, *functions)
        marks = self._marks(run, elf, *(f"mark={image.function(p)[0]:#x}" for p in places))
        executed, begin = 0, None
        for number, count in marks:
            if number > 0:
                begin = count if begin is None else begin
            elif begin is not None:
                executed, begin = executed + count - begin, None
        if not executed:
            raise InternalError(f"{functions[0]} was not seen to run")
        return executed

    def layers(
        self, run: RunWith, elf: Path, image: FirmwareImage, layers: int, blocks: bool = False
    ) -> tuple[int, ...]:
        """Instructions of each layer for one image, in the build with marks.

        A layer that works in several steps is the sum of them. Each step
        includes the few instructions that enter its closing mark. ``blocks``: write how often
        each block of instructions ran beside ``elf``, into :data:`BLOCKS_FILE`. Raises
        :class:`ToolchainError` where there are more layers than marks.
        """
        address, size = image.function(MARKS)
        if layers > size // _MARKS_OF_LAYER_BYTES:
            raise ToolchainError(
                f"{layers} layers, the build that counts has marks for "
                f"{size // _MARKS_OF_LAYER_BYTES}"
            )
        counts = [0] * layers
        begin = [0] * layers
        extra = (f"blocks={BLOCKS_FILE}",) if blocks else ()
        for number, executed in self._marks(run, elf, f"marks={address:#x}:{size // 2}", *extra):
            layer, is_end = divmod(number, 2)
            if is_end:
                counts[layer] += executed - begin[layer]
            else:
                begin[layer] = executed
        return tuple(counts)

    def _marks(self, run: RunWith, elf: Path, *arguments: str) -> list[tuple[int, int]]:
        """(number of the mark, instructions executed before it), in the order of execution."""
        # A relative path, because QEMU splits the option at commas, which folders may have.
        plugin = os.path.relpath(self.plugin, elf.parent)
        run(("-plugin", ",".join((plugin, f"out={COUNT_FILE}", *arguments))))
        lines = (elf.parent / COUNT_FILE).read_text(encoding="ascii").splitlines()
        return [(int(number), int(count)) for number, count in map(str.split, lines)]
