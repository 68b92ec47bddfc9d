"""The cross-compiler: where it is, which C library it has, and how to run it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from squeeze2c.errors import ToolchainError

COMPILER = "arm-none-eabi-gcc"
OPTIMISATIONS = ("-O0", "-O1", "-O2", "-O3", "-Os")
COMPILE_FLAGS = ("-std=c99", "-Wall", "-Wextra", "-ffunction-sections", "-fdata-sections")
INSTALL_COMPILER = "apt install gcc-arm-none-eabi picolibc-arm-none-eabi"
LIBRARIES = (
    ("picolibc", ("--specs=picolibc.specs",)),
    ("newlib-nano", ("--specs=nano.specs",)),
)
"""C libraries by preference. Firmware needs no more of them than memcpy, memset and strlen."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A cross-compiler with a C library that it finds by ``library_flags``."""

    gcc: str
    version: str
    library: str
    library_flags: tuple[str, ...]

    def run(self, arguments: Sequence[str], folder: Path) -> None:
        """Run the compiler in ``folder``. Raises :class:`ToolchainError` where it fails."""
        run_tool([self.gcc, *arguments], folder)


def find_toolchain() -> Toolchain:
    """The installed cross-compiler. Raises :class:`ToolchainError` where a part is missing."""
    gcc = shutil.which(COMPILER)
    if gcc is None:
        raise ToolchainError(
            f"{COMPILER} is not installed", where="firmware build", hint=INSTALL_COMPILER
        )
    for library, flags in LIBRARIES:
        probe = _run([gcc, *flags, "-E", "-x", "c", "-"], text="#include <string.h>\n")
        if probe.returncode == 0:
            version = _run([gcc, "-dumpfullversion"]).stdout.strip()
            return Toolchain(gcc, version, library, flags)
    raise ToolchainError(
        f"{COMPILER} has no C library: neither {' nor '.join(name for name, _ in LIBRARIES)}",
        where="firmware build",
        hint=INSTALL_COMPILER,
    )


def knows_flag(command: Sequence[str], flag: str) -> bool:
    """Whether the compiler that ``command`` starts accepts ``flag``."""
    return _run([*command, flag, "-E", "-x", "c", "-"], text="\n").returncode == 0


def run_tool(
    command: Sequence[str],
    folder: Path,
    where: str = "firmware build",
    install: str | None = None,
) -> str:
    """What ``command``, run in ``folder``, prints on its standard output.

    Raises :class:`ToolchainError` with what it said where it fails or is missing. ``where`` says
    what was being done, ``install`` how to get the tool.
    """
    if shutil.which(command[0]) is None:
        raise ToolchainError(f"{command[0]} is not installed", where=where, hint=install)
    done = _run(command, folder)
    if done.returncode != 0:
        raise ToolchainError(
            f"{Path(command[0]).name} failed with exit code {done.returncode}",
            command=" ".join(command),
            stderr=done.stderr,
            where=where,
        )
    return done.stdout


def _run(
    command: Sequence[str], folder: Path | None = None, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """``command`` with messages in English, because some of them are parsed."""
    return subprocess.run(
        command,
        cwd=folder,
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
