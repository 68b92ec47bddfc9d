"""Outputs of all layers, recorded by C into arrays of ours: no Python runs in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from squeeze2c.errors import InternalError
from squeeze2c.host.bindings import GeneratedApi


class LayerTrace:
    """Arrays for one inference: ``outputs`` maps value names to uint8 (rows, cols, channels)."""

    def __init__(self, api: GeneratedApi, layers: Sequence[Mapping[str, Any]]) -> None:
        """``layers`` as in the manifest; those of shape [classes] report no rows."""
        self._api = api
        self._layers = layers
        self._table = api.ffi.new("s2c_trace_layer[]", len(layers))
        self._times: dict[int, np.ndarray] = {}
        self.outputs: dict[str, np.ndarray] = {}
        for layer in layers:
            if len(layer["shape"]) == 3:
                self._add(layer)

    def _add(self, layer: Mapping[str, Any]) -> None:
        index, shape = layer["index"], tuple(layer["shape"])
        output = np.zeros(shape, np.uint8)
        times = np.zeros(shape[0], np.uint8)
        entry = self._table[index]
        entry.data = self._api.pointer(output, "uint8_t *")
        entry.times = self._api.pointer(times, "uint8_t *")
        entry.rows, entry.cols, entry.channels = shape
        self.outputs[layer["output"]] = output
        self._times[index] = times

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Rows that this thread computes meanwhile are recorded.

        Raises :class:`InternalError` unless every row came exactly once.
        """
        self._api.function("s2c_trace_begin")(self._table, len(self._layers))
        try:
            yield
        finally:
            refused = self._api.function("s2c_trace_end")()
        if refused:
            raise InternalError(f"{refused} rows fit no layer of the manifest")
        for index, times in self._times.items():
            if (times != 1).any():
                row = int(np.flatnonzero(times != 1)[0])
                raise InternalError(
                    f"layer {self._layers[index]['name']} reported row {row} "
                    f"{times[row]} times instead of once"
                )
