"""Bytes that firmware computed against those of the integer oracle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from squeeze2c.emulate.records import Record, RecordKind, read_records
from squeeze2c.errors import InternalError
from squeeze2c.export.artifact import Artifact
from squeeze2c.ir import Graph
from squeeze2c.reference import evaluate_int


def read_logits(results: Path) -> np.ndarray:
    """Logits int32 (images, classes) in a result file, in the order of the images."""
    records = [r for r in read_records(results) if r.kind is RecordKind.LOGITS]
    return np.stack([np.frombuffer(r.data, "<i4") for r in records])


class LayerComparison:
    """Counts differences layer by layer. ``mismatches``: per layer; bytes, logits for the last.

    ``logits`` collects the oracle's, int32 (classes,) per image.
    """

    def __init__(self, artifact: Artifact, oracle: Graph) -> None:
        self._layers = artifact.layers
        self._oracle = oracle
        self.mismatches = [0] * len(artifact.layers)
        self.logits: list[np.ndarray] = []

    @property
    def bytes_per_image(self) -> int:
        """Feature maps and logits that the trace build records for one image."""
        return sum(
            int(np.prod(layer["shape"])) * (1 if len(layer["shape"]) == 3 else 4)
            for layer in self._layers
        )

    def compare(self, images: np.ndarray, records: Iterable[Record]) -> None:
        """Compare what the trace build recorded for ``images`` uint8 (n, rows, cols, channels).

        A row that was never recorded counts with all its bytes. Raises
        :class:`InternalError` where the records are not of this network.
        """
        pending = iter(records)
        for image in images:
            expected = evaluate_int(
                self._oracle, image[None], {str(layer["output"]) for layer in self._layers}
            )
            self._compare_image(expected, pending)
            self.logits.append(expected[self._oracle.output][0])

    def _compare_image(self, expected: dict[str, np.ndarray], records: Iterator[Record]) -> None:
        """Consume the records of one image: rows in any order, then its logits."""
        seen: set[tuple[int, int]] = set()
        for record in records:
            match record:
                case Record(RecordKind.ROW, layer, row, data):
                    if (layer, row) in seen:
                        raise InternalError(f"row {row} of {self._name(layer)} was computed twice")
                    seen.add((layer, row))
                    self._compare_row(self._feature_map(expected, layer, row), layer, data)
                case Record(RecordKind.LOGITS, data=data):
                    self._compare_logits(expected[self._oracle.output][0], data)
                    break
                case _:
                    raise InternalError(f"unexpected record {record.kind.name} in a trace")
        for index, description in enumerate(self._layers):
            if len(description["shape"]) == 3:
                rows, cols, channels = description["shape"]
                missing = rows - sum(1 for i, _ in seen if i == index)
                self.mismatches[index] += missing * cols * channels

    def _feature_map(self, expected: dict[str, np.ndarray], layer: int, row: int) -> np.ndarray:
        """What ``row`` of ``layer`` should hold, uint8 (cols * channels,)."""
        if layer >= len(self._layers) or len(self._layers[layer]["shape"]) != 3:
            raise InternalError(f"firmware recorded a row of layer {layer}, which has none")
        rows = expected[str(self._layers[layer]["output"])][0]
        if row >= len(rows):
            raise InternalError(f"firmware recorded row {row} of {self._name(layer)}")
        return np.ravel(rows[row])

    def _compare_row(self, expected: np.ndarray, layer: int, data: bytes) -> None:
        found = np.frombuffer(data, np.uint8)
        if found.shape != expected.shape:
            raise InternalError(
                f"a row of {self._name(layer)} has {found.size} bytes, not {expected.size}"
            )
        self.mismatches[layer] += int(np.count_nonzero(found != expected))

    def _compare_logits(self, expected: np.ndarray, data: bytes) -> None:
        found = np.frombuffer(data, "<i4")
        self.mismatches[-1] += int(np.count_nonzero(found != expected))

    def _name(self, layer: int) -> str:
        return str(self._layers[layer]["name"])
