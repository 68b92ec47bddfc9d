"""The Jinja environment: strict, and with no filter that computes."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from squeeze2c.resources import templates_dir


@lru_cache(maxsize=1)
def environment() -> Environment:
    """An environment over ``templates/`` in which an undefined name is an error."""
    return Environment(
        loader=FileSystemLoader(templates_dir()),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
