"""Generated folder plus port layer to an ELF file for one board."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from squeeze2c.codegen.environment import environment
from squeeze2c.codegen.symbols import Symbols
from squeeze2c.emulate.callgraph import CALLGRAPH_FLAG, CompiledUnit
from squeeze2c.emulate.fault import STACK_GUARD_BYTES
from squeeze2c.emulate.stack import StackBound, bound_of_units
from squeeze2c.emulate.toolchain import COMPILE_FLAGS, Toolchain, knows_flag
from squeeze2c.errors import DoesNotFitError, ToolchainError
from squeeze2c.export.artifact import Artifact
from squeeze2c.resources import runtime_dir
from squeeze2c.target import Board, Core, Region

STACK_BYTES = 4096
"""Stack that the linker reserves; what is used of it is measured."""
HOOKS_HEADER = "s2c_hooks.h"
"""Only sources that read it differ between builds."""
_OVERFLOW = re.compile(r"region `?(\w+)'? overflowed by (\d+) byte")


@dataclass(frozen=True, slots=True)
class FirmwareBuild:
    """How firmware is built, in ``folder``.

    ``core`` is what the compiler generates code for; the board's own core may
    be a larger one. ``optimisation`` is a flag of GCC such as ``-O3``.
    """

    artifact: Artifact
    board: Board
    core: Core
    board_core: Core
    toolchain: Toolchain
    folder: Path
    optimisation: str

    def measured(self) -> Path:
        """The ELF file of the firmware as it would ship.

        Raises :class:`DoesNotFitError` where the board is too small and
        :class:`ToolchainError` where a tool fails for another reason.
        """
        for part in ("harness", "model"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        main = self.folder / "harness" / "main.c"
        main.write_text(self._main(), encoding="utf-8")
        objects = self._objects()
        self._compile(objects, *((CALLGRAPH_FLAG,) if self._knows_call_graphs else ()))
        return self._link("measured", objects, self.board.flash)

    def stack_bound(self) -> StackBound | None:
        """The model's stack at most, after :meth:`measured`; None where GCC cannot tell."""
        if not self._knows_call_graphs:
            return None
        model = [self.folder / name for name in self._objects() if name.startswith("model/")]
        units = [CompiledUnit.read(path) for path in model]
        return bound_of_units(units, self.artifact.name, self.compiler)

    @property
    def compiler(self) -> str:
        """What compiles the firmware, for reports."""
        return f"gcc {self.toolchain.version}, {self.toolchain.library}, {self.optimisation}"

    @property
    def _knows_call_graphs(self) -> bool:
        return knows_flag([self.toolchain.gcc], CALLGRAPH_FLAG)

    def with_hooks(self, part: str) -> Path:
        """The ELF file of firmware with the hooks of ``s2c_port_PART.h``; after :meth:`measured`.

        Only objects that read the header of hooks are compiled again. Hooks
        need code, so flash that only the emulator has may be used.
        """
        (self.folder / part).mkdir(exist_ok=True)
        objects = self._objects()
        hooked = {
            f"{part}/{Path(target).name}": source
            for target, source in objects.items()
            if HOOKS_HEADER in (self.folder / target).with_suffix(".d").read_text(encoding="utf-8")
        }
        self._compile(hooked, f'-DS2C_HOOKS_HEADER="s2c_port_{part}.h"')
        replaced = {Path(target).name for target in hooked}
        others = [target for target in objects if Path(target).name not in replaced]
        flash = self.board.flash
        size = self.board.emulated_flash_bytes or flash.size_bytes
        return self._link(part, [*others, *hooked], replace(flash, size_bytes=size))

    def _objects(self) -> dict[str, Path]:
        """Object file, relative to the folder, to its source."""
        harness = [
            self.folder / "harness" / "main.c",
            *sorted((runtime_dir() / "port").glob("*.c")),
            runtime_dir() / "profile" / "s2c_ticks.c",
        ]
        objects = {f"harness/{source.stem}.o": source for source in harness}
        model = enumerate(self.artifact.sources)
        return objects | {f"model/{i:03d}_{source.stem}.o": source for i, source in model}

    def _compile(self, objects: Mapping[str, Path], *extra: str) -> None:
        """Compile every source to its object, with a list of the headers it reads."""
        flags = [*self.core.gcc_flags, self.optimisation, *COMPILE_FLAGS, "-MMD", *extra]
        flags += self.toolchain.library_flags
        port = (runtime_dir() / "port", runtime_dir() / "profile")
        include_dirs = (*self.artifact.include_dirs, *port)
        flags += [f"-I{include_dir}" for include_dir in include_dirs]
        if self.board_core.armv8m:
            flags.append("-DS2C_PORT_ARMV8M")
        commands = [
            [*flags, "-c", str(source), "-o", target] for target, source in objects.items()
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda command: self.toolchain.run(command, self.folder), commands))

    def _link(self, part: str, objects: Iterable[str], flash: Region) -> Path:
        (self.folder / part).mkdir(exist_ok=True)
        script = f"{part}/link.ld"
        (self.folder / script).write_text(self._linker_script(flash), encoding="utf-8")
        elf = f"{part}/firmware.elf"
        command = [*self.core.gcc_flags, *self.toolchain.library_flags, "-nostartfiles"]
        command += [f"-T{script}", "-Wl,--gc-sections", f"-Wl,-Map={part}/firmware.map"]
        try:
            self.toolchain.run([*command, *objects, "-o", elf], self.folder)
        except ToolchainError as error:
            overflow = {
                name: int(count) for name, count in _OVERFLOW.findall(error.stderr or "")
            }
            if overflow:
                raise self._does_not_fit(part, overflow, flash) from error
            raise
        return self.folder / elf

    def _does_not_fit(
        self, part: str, overflow: dict[str, int], flash: Region
    ) -> DoesNotFitError:
        """The error for regions that are too small by so many bytes each."""
        board = self.board
        regions = {r.name: r for r in (flash, board.ram, board.bulk, board.vectors) if r}
        name, *others = sorted(overflow, key=lambda n: overflow[n], reverse=True)
        also = "".join(
            f"its {_what(other)} needs {regions[other].size_bytes + overflow[other]:,} of "
            f"{regions[other].size_bytes:,} bytes, {overflow[other]:,} too many; "
            for other in others
        )
        if name == board.flash.name:
            largest = f"parameters {self.artifact.manifest['flash']['parameters_bytes']:,} bytes"
        else:
            ram = self.artifact.manifest["ram"]
            image = "row of the image" if self.artifact.push else "image"
            largest = (
                f"arena {ram['arena_bytes']:,} bytes, {image} {ram['input_bytes']:,} bytes "
                f"(stack: {STACK_BYTES:,} bytes reserved)"
            )
        return DoesNotFitError(
            f"the {'firmware' if part == 'measured' else f'{part} build'}'s {_what(name)}",
            needed_bytes=regions[name].size_bytes + overflow[name],
            available_bytes=regions[name].size_bytes,
            largest=largest,
            where=f"{self.artifact.name} on {board.name}",
            hint=f"{also}choose a larger board or a smaller model; {board.description}",
        )

    def _main(self) -> str:
        template = environment().get_template("firmware/main.c.j2")
        return template.render(symbols=Symbols(self.artifact.name), push=self.artifact.push)

    def _linker_script(self, flash: Region) -> str:
        board = self.board
        regions = {
            r.name: {
                "name": r.name,
                "access": "rx" if r.kind == "flash" else "rwx",
                "origin": f"{r.origin:#010x}",
                "size_bytes": r.size_bytes,
            }
            for r in (board.vectors, flash, board.ram, board.bulk)
            if r is not None
        }
        fence = (board.fence.origin, board.fence.end) if board.fence else (0, 0)
        return environment().get_template("firmware/link.ld.j2").render(
            board=board.name,
            regions=regions.values(),
            vectors=(board.vectors or flash).name,
            flash=flash.name,
            ram=board.ram.name,
            bulk=board.bulk.name,
            fence={"origin": f"{fence[0]:#010x}", "end": f"{fence[1]:#010x}"},
            harness="*harness/*.o",
            stack_bytes=STACK_BYTES,
            stack_guard_bytes=STACK_GUARD_BYTES,
        )


def _what(region: str) -> str:
    return {"FLASH": "flash", "BULK": "bulk RAM", "VECTORS": "vector table"}.get(region, region)
