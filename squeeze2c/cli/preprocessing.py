"""The options about preprocessing to a :class:`Preprocess`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from squeeze2c.cli.config import Reader
from squeeze2c.cli.values import read_flag, read_numbers, read_pixels, read_text

if TYPE_CHECKING:
    from squeeze2c.frontend import Preprocess

READERS: dict[str, Reader] = {
    "preprocess": read_text,
    "mean": read_numbers,
    "std": read_numbers,
    "channels": read_text,
    "resize": read_pixels,
    "crop": read_flag,
}


def preprocess_from(settings: Mapping[str, Any], given: frozenset[str]) -> Preprocess | None:
    """The preset refined by the other options; None where ``given`` has none of :data:`READERS`.

    ``given`` names the settings that were given, since a resize of None means
    not to resize. Raises :class:`UsageError` where they do not fit together.
    """
    from squeeze2c.frontend import Preprocess

    if not given & READERS.keys():
        return None
    base = Preprocess.named(settings["preprocess"] or "none")
    changes = {k: settings[k] for k in READERS if k in given and k != "preprocess"}
    # One mean is enough to say that there is one channel; nothing else is guessed.
    for name, other, neutral in (("mean", "std", 1.0), ("std", "mean", 0.0)):
        if name in changes and other not in changes and "preprocess" not in given:
            changes[other] = (neutral,) * len(changes[name])
    return replace(base, **changes)
