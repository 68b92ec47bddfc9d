"""Puts templates and runtime sources inside the wheel, as ``squeeze2c/_data/``.

Editable installations find them in the checkout, see ``squeeze2c/resources.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

RESOURCES = ("templates", "runtime_c")


class ResourcesHook(BuildHookInterface):  # type: ignore[type-arg]  # generic in some releases only
    """Called by hatchling because pyproject.toml names this file."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Force-include the resources in standard wheels."""
        if self.target_name != "wheel" or version != "standard":
            return
        for name in RESOURCES:
            folder = Path(self.root) / name
            if not folder.is_dir():
                raise FileNotFoundError(f"{folder} is missing: the wheel would not work")
            build_data["force_include"][str(folder)] = f"squeeze2c/_data/{name}"
