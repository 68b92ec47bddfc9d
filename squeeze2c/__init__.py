"""squeeze2c compiles ONNX SqueezeNets to plain, bit-exact C99 for microcontrollers.

The public API is what ``__all__`` names. Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squeeze2c import errors
from squeeze2c._version import __version__

if TYPE_CHECKING:
    from squeeze2c.export.artifact import Artifact, read_artifact
    from squeeze2c.frontend import Preprocess, load_images
    from squeeze2c.host import HostModel
    from squeeze2c.pipeline import compile_model
    from squeeze2c.verification import verify

__all__ = [
    "Artifact",
    "HostModel",
    "Preprocess",
    "__version__",
    "compile_model",
    "errors",
    "load",
    "load_images",
    "read_artifact",
    "verify",
]

_HOME = {
    "Artifact": "squeeze2c.export.artifact",
    "HostModel": "squeeze2c.host",
    "Preprocess": "squeeze2c.frontend",
    "compile_model": "squeeze2c.pipeline",
    "load_images": "squeeze2c.frontend",
    "read_artifact": "squeeze2c.export.artifact",
    "verify": "squeeze2c.verification",
}


def load(folder: Path | str, **options: Any) -> HostModel:
    """The network in a generated ``folder``, built for this machine and ready to run.

    ``options`` go to :class:`HostModel`: compiler, flags, cache_dir. Raises
    :class:`errors.ArtifactError` where squeeze2c did not write the folder,
    :class:`errors.ToolchainError` where there is no C compiler.
    """
    from squeeze2c.export.artifact import read_artifact
    from squeeze2c.host import HostModel

    return HostModel(read_artifact(folder), **options)


def __getattr__(name: str) -> Any:
    """Imports what the public API names when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
