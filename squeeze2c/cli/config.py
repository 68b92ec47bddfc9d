"""A TOML file in place of options: its keys are the options' names."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from squeeze2c.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Reader = Callable[[Any, str], Any]
"""Makes an option's value from text or TOML; see :mod:`squeeze2c.cli.values`."""


def read_path(value: Any, option: str) -> Path:
    """A path."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value:
        raise UsageError(f"{value!r} is not a path", where=option)
    return Path(value)


def read_config(path: Path, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """The settings in the TOML file at ``path``, checked and converted by ``readers``.

    Relative paths are relative to the file's folder. Raises :class:`UsageError`
    where the file is missing or not TOML, or a key is unknown or its value wrong.
    """
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except OSError as problem:
        raise UsageError(str(problem.strerror), where=str(path)) from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UsageError(f"not a TOML file: {problem}", where=str(path)) from problem
    settings: dict[str, Any] = {}
    for key, value in document.items():
        if key not in readers:
            raise UsageError(f"unknown key {key!r}", where=str(path), hint=_nearest(key, readers))
        result = readers[key](value, f"{path}: {key}")
        settings[key] = path.parent / result if isinstance(result, Path) else result
    return settings


def merge(
    command_line: Mapping[str, Any], config: Mapping[str, Any], readers: Mapping[str, Reader]
) -> dict[str, Any]:
    """All keys of ``readers``: the command line's value, else the file's, else None."""
    merged = {}
    for key, read in readers.items():
        given = command_line.get(key)
        option = key.upper() if key == "model" else f"--{key}"
        merged[key] = config.get(key) if given is None else read(given, option)
    return merged


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(key.replace("_", "-").lower(), known, n=1, cutoff=0.0)
    return f"did you mean {close[0]!r}?"
