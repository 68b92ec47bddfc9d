"""Stand-alone C programs around a generated model."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from squeeze2c.export import Artifact

_C = Path(__file__).parent / "c"


def build_program(
    artifact: Artifact, program: str, output: Path, compiler: str, flags: Sequence[str]
) -> Path:
    """``c/PROGRAM.c`` linked with the generated sources, hooks included, as ``output``."""
    command = [
        compiler,
        "-std=c11",
        *flags,
        f'-DS2C_HOST_HEADER="{artifact.name}.h"',
        f"-DS2C_HOST_NAME={artifact.name}",
        f"-DS2C_HOST_MACRO={artifact.name.upper()}",
        f'-DS2C_HOOKS_HEADER="{program}_hooks.h"',
        *(f"-I{folder}" for folder in (*artifact.include_dirs, _C)),
        *(str(source) for source in artifact.sources),
        str(_C / f"{program}.c"),
        "-o",
        str(output),
    ]
    _run(command)
    return output


def run_program(program: Path, *arguments: object) -> str:
    """Run it; what it printed, which a failure shows too."""
    return _run([str(program), *map(str, arguments)])


def complaint_of(program: Path, *arguments: object) -> str:
    """What ``program``, which must fail, prints about it."""
    command = [str(program), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    return result.stderr


def _run(command: Sequence[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr[-6000:]}"
    return result.stdout
