"""Generated C against the integer oracle: every byte of every layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from squeeze2c.errors import ArtifactError
from squeeze2c.verification.report import Mismatch


class ExactComparison:
    """Counts differing elements and remembers the first."""

    def __init__(self, layers: Sequence[Mapping[str, Any]]) -> None:
        """``layers`` as in the manifest, in order of execution."""
        self._layers = layers
        self.mismatches = 0
        self.first: Mismatch | None = None

    def add(
        self, image: str, generated: Mapping[str, np.ndarray], oracle: Mapping[str, np.ndarray]
    ) -> None:
        """All layers of one image, by the names of their outputs, without a batch axis."""
        for layer in self._layers:
            ours, expected = generated[layer["output"]], oracle[layer["output"]]
            if ours.shape != expected.shape or ours.dtype != expected.dtype:
                raise ArtifactError(
                    f"layer {layer['name']} is {ours.dtype} {ours.shape} in the manifest and "
                    f"{expected.dtype} {expected.shape} in the oracle",
                    hint="the folder was changed: compile the model again",
                )
            different = ours != expected
            count = int(np.count_nonzero(different))
            if not count:
                continue
            self.mismatches += count
            if self.first is None:
                place = tuple(int(i) for i in np.argwhere(different)[0])
                self.first = Mismatch(
                    image, layer["name"], place, int(ours[place]), int(expected[place])
                )
