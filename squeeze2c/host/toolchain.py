"""The C compiler of the PC: finding it, asking what it targets, and running it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from squeeze2c.errors import ToolchainError

DEFAULT_FLAGS = ("-O3", "-march=native")
"""Flags of :class:`HostCompiler` unless it is told otherwise, as far as the compiler knows them."""

_COMMON_FLAGS = ("-std=c99", "-fPIC", "-shared")
_OPTIONAL_FLAGS = ("-march=native",)


@dataclass(frozen=True, slots=True)
class HostCompiler:
    """A compiler that takes GCC's options.

    ``command`` starts it; ``flags`` are the caller's part of every command line;
    ``identity`` is all that it predefines with these flags: version, architecture
    and instruction sets, also those that ``-march=native`` stands for on this machine.
    """

    command: tuple[str, ...]
    flags: tuple[str, ...]
    identity: str

    @classmethod
    def find(cls, compiler: str = "cc", flags: Sequence[str] | None = None) -> HostCompiler:
        """The compiler called ``compiler``: a program, a path, or a command such as ``ccache gcc``.

        ``flags``: None means :data:`DEFAULT_FLAGS`. Raises :class:`ToolchainError`
        where there is no such program or it rejects the flags.
        """
        command = (compiler,) if shutil.which(compiler) else tuple(shlex.split(compiler))
        if not command or shutil.which(command[0]) is None:
            raise ToolchainError(
                f"C compiler {compiler!r} is not installed",
                command=compiler,
                hint="'sudo apt-get install gcc' installs one; in Python, compiler= names another",
            )
        if flags is not None:
            return cls(command, tuple(flags), _identity(command, flags))
        try:
            return cls(command, DEFAULT_FLAGS, _identity(command, DEFAULT_FLAGS))
        except ToolchainError:
            plain = tuple(f for f in DEFAULT_FLAGS if f not in _OPTIONAL_FLAGS)
            return cls(command, plain, _identity(command, plain))

    @property
    def description(self) -> str:
        """The command with its flags, as a user would type it."""
        return shlex.join((*self.command, *self.flags))

    def build_library(
        self,
        sources: Sequence[Path],
        include_dirs: Sequence[Path],
        defines: Sequence[str],
        output: Path,
    ) -> None:
        """Compile ``sources`` into the shared library ``output``. Raises :class:`ToolchainError`.

        ``defines`` are ``NAME`` or ``NAME=VALUE``.
        """
        _run(
            (
                *self.command,
                *_COMMON_FLAGS,
                *self.flags,
                *(f"-D{d}" for d in defines),
                *(f"-I{d}" for d in include_dirs),
                *(str(s) for s in sources),
                "-o",
                str(output),
            ),
            "the C compiler failed",
        )


def _identity(command: Sequence[str], flags: Sequence[str]) -> str:
    """All macros that the compiler predefines."""
    return _run((*command, *flags, "-dM", "-E", "-x", "c", "-"), "the C compiler rejects its flags")


def _run(command: Sequence[str], problem: str) -> str:
    """Standard output of ``command``. Raises :class:`ToolchainError` where it fails."""
    try:
        done = subprocess.run(
            command, input="", capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        raise ToolchainError(f"{problem}: {error}", command=shlex.join(command)) from error
    if done.returncode != 0:
        raise ToolchainError(
            f"{problem} with exit code {done.returncode}",
            where=command[0],
            command=shlex.join(command),
            stderr=done.stderr,
        )
    return done.stdout
