"""A generated folder to a shared library for the PC."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from squeeze2c.cache import cached_file
from squeeze2c.errors import ArtifactError, UsageError
from squeeze2c.export.artifact import Artifact
from squeeze2c.host.toolchain import HostCompiler
from squeeze2c.resources import runtime_dir

_FACTS = "s2c_host_facts.c"
_TRACE = "s2c_trace.c"
_TRACE_HEADER = "s2c_trace.h"


def build_host_library(
    artifact: Artifact,
    *,
    compiler: str | HostCompiler = "cc",
    flags: Sequence[str] | None = None,
    traced: bool = False,
    cache_dir: Path | str | None = None,
) -> Path:
    """The shared library of ``artifact``, compiled unless the cache has it.

    ``flags``: None means -O3 -march=native; not looked at where ``compiler`` is a
    :class:`HostCompiler`. ``traced`` adds the hooks of ``s2c_trace.h``. Whatever
    could change the result is part of the name in the cache: the content of all
    sources and headers, the command, and the instruction sets of this machine.

    Raises :class:`ToolchainError` where the compiler is missing or fails,
    :class:`ArtifactError` where a source file is missing, :class:`UsageError`
    where ``cache_dir`` cannot be written.
    """
    found = compiler if isinstance(compiler, HostCompiler) else HostCompiler.find(compiler, flags)
    support = runtime_dir() / "host"
    sources = [*artifact.sources, support / _FACTS]
    defines = [
        f'S2C_HOST_HEADER="{artifact.name}.h"',
        f"S2C_HOST_NAME={artifact.name}",
        f"S2C_HOST_MACRO={artifact.name.upper()}",
    ]
    if traced:
        sources.append(support / _TRACE)
        defines.append(f'S2C_HOOKS_HEADER="{_TRACE_HEADER}"')
    include_dirs = [*artifact.include_dirs, support]
    key = f"{artifact.name}-{_digest(found, sources, include_dirs, defines)}.so"

    def build(output: Path) -> None:
        found.build_library(sources, include_dirs, defines, output)

    try:
        return cached_file(key, None if cache_dir is None else Path(cache_dir), build)
    except OSError as error:
        raise UsageError(
            f"compiled libraries cannot be kept: {error}", hint="choose another cache folder"
        ) from error


def _digest(
    compiler: HostCompiler,
    sources: Sequence[Path],
    include_dirs: Sequence[Path],
    defines: Sequence[str],
) -> str:
    """SHA-256, shortened, over everything that the compiler reads."""
    digest = hashlib.sha256()
    for text in (*compiler.command, *compiler.flags, compiler.identity, *defines):
        _add(digest, text.encode())
    headers = (h for folder in include_dirs for h in sorted(folder.glob("*.h")))
    for file in _unique((*sources, *headers)):
        try:
            content = file.read_bytes()
        except OSError as error:
            raise ArtifactError(
                f"cannot be read: {error.strerror}", where=str(file), hint="compile the model again"
            ) from error
        _add(digest, file.name.encode())
        _add(digest, content)
    return digest.hexdigest()[:32]


def _add(digest: hashlib._Hash, content: bytes) -> None:
    """Length and content, so that no two sequences of parts look the same."""
    digest.update(len(content).to_bytes(8, "little"))
    digest.update(content)


def _unique(files: Iterable[Path]) -> Iterable[Path]:
    return dict.fromkeys(files)
