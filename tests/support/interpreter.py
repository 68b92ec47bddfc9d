"""Executes a program by calling the C kernels from Python: what generated code does, unprinted.

Independent of the templates, and quick: no compiler runs per network.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from squeeze2c.lower import CProgram, Layer, RowSource
from tests.support.kernel_library import Kernels, Memory

POISON = 0xEE


class Interpreter:
    """``program`` with its constants and arena in C memory."""

    def __init__(self, kernels: Kernels, program: CProgram) -> None:
        self._kernels = kernels
        self._program = program
        self._arena = kernels.room(program.arena_bytes)
        self._constants = {c.symbol: kernels.memory(c.data) for c in program.constants}
        self._logits = kernels.room(program.classes, "int32")

    def run(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Every layer's output, read right after the layer, for one image (rows, cols, channels).

        The arena starts as garbage, and so does each layer's scratch: neither may matter.
        """
        source = self._kernels.memory(image)
        self._arena.array[:] = POISON
        results = {}
        for layer in self._program.layers:
            end = layer.scratch_offset_bytes + layer.scratch_bytes
            self._arena.array[layer.scratch_offset_bytes : end] = POISON
            self._execute(layer, source)
            if layer.destination is None:
                results[layer.output] = np.array(self._logits.array)
            else:
                results[layer.output] = self._read(layer.destination)
        for memory in (source, self._arena, self._logits, *self._constants.values()):
            memory.check()
        np.testing.assert_array_equal(source.array, image.ravel())
        return results

    def _read(self, place: RowSource) -> np.ndarray:
        start = self._arena.array[place.offset_bytes :]
        strides = (place.row_bytes, place.pixel_bytes, 1)
        shape = (place.rows, place.cols, place.channels)
        return np.array(np.lib.stride_tricks.as_strided(start, shape, strides))

    def _execute(self, layer: Layer, image: Memory) -> None:
        run = {
            "conv2d": self._conv2d, "conv2d_sum": self._conv2d_sum, "maxpool2d": self._maxpool,
            "sum": self._sum, "add": self._add,
        }[layer.kernel.op]
        if layer.destination is None:
            self._logits.array[:] = 0
        kernel = getattr(self._kernels.lib, layer.kernel.symbol)
        run(layer, image, kernel)

    def _row(self, place: RowSource, row: int, image: Memory) -> Any:
        assert 0 <= row < place.rows
        base = self._arena if place.in_arena else image
        return base.address + place.offset_bytes + row * place.row_bytes

    def _out_row(self, layer: Layer, row: int) -> Any:
        assert layer.destination is not None
        return self._row(layer.destination, row, self._arena)

    def _conv2d(self, layer: Layer, image: Memory, kernel: Any) -> None:
        constants = self._conv_constants(layer)
        for row in range(layer.rows):
            rows = self._window_rows(layer, row, image)
            kernel(constants, rows, self._scratch(layer), self._out_row(layer, row))

    def _conv2d_sum(self, layer: Layer, image: Memory, kernel: Any) -> None:
        constants = self._conv_constants(layer)
        logits = self._kernels.pointer(self._logits, "int32_t")
        for row in range(layer.rows):
            rows = self._window_rows(layer, row, image)
            kernel(constants, rows, self._scratch(layer), int(layer.relu), logits)

    def _maxpool(self, layer: Layer, image: Memory, kernel: Any) -> None:
        window = self._kernels.ffi.new("s2c_window *", self._window(layer))
        for row in range(layer.rows):
            kernel(window, self._window_rows(layer, row, image), self._out_row(layer, row))

    def _sum(self, layer: Layer, image: Memory, kernel: Any) -> None:
        place = layer.sources[0]
        logits = self._kernels.pointer(self._logits, "int32_t")
        for row in range(layer.rows):
            kernel(
                self._row(place, row, image), place.cols, place.channels, place.pixel_bytes,
                place.zero_point, logits,
            )

    def _add(self, layer: Layer, image: Memory, kernel: Any) -> None:
        a, b = layer.sources[0], layer.sources[-1]
        out, add = layer.destination, layer.add
        assert out is not None and add is not None
        fields = {
            "cols": out.cols, "channels": out.channels, "a_stride_bytes": a.pixel_bytes,
            "b_stride_bytes": b.pixel_bytes, "out_stride_bytes": out.pixel_bytes,
            "a_zero_point": a.zero_point, "b_zero_point": b.zero_point,
            "out_zero_point": out.zero_point, "clamp_min": layer.clamp_min, "shift": add.shift,
            "a_multiplier": add.multiplier_a, "b_multiplier": add.multiplier_b,
        }
        constants = self._kernels.ffi.new("s2c_add *", fields)
        for row in range(layer.rows):
            kernel(
                constants, self._row(a, row, image), self._row(b, row, image),
                self._out_row(layer, row),
            )

    def _window(self, layer: Layer) -> dict[str, int]:
        window, source, out = layer.window, layer.sources[0], layer.destination
        assert window is not None
        padded = source.cols + window.padding.left + window.padding.right
        return {
            "in_cols": source.cols,
            "out_cols": (padded - window.kernel[1]) // window.strides[1] + 1,
            "in_channels": source.channels,
            "out_channels": out.channels if out else self._program.classes,
            "in_stride_bytes": source.pixel_bytes,
            "out_stride_bytes": out.pixel_bytes if out else 0,
            "kernel_rows": window.kernel[0], "kernel_cols": window.kernel[1],
            "stride_cols": window.strides[1], "pad_left": window.padding.left,
        }

    def _conv_constants(self, layer: Layer) -> Any:
        conv, pointer = layer.conv, self._kernels.pointer
        assert conv is not None
        fields = {
            "window": self._window(layer),
            "weights": pointer(self._constants[conv.weights], "int8_t"),
            "bias": pointer(self._constants[conv.bias], "int32_t"),
            "multiplier": pointer(self._constants[conv.multiplier], "int32_t"),
            "pad_pixel": self._constants[conv.pad_row].address,
            "shift": conv.shift,
            "out_zero_point": layer.destination.zero_point if layer.destination else 0,
            "clamp_min": layer.clamp_min,
        }
        return self._kernels.ffi.new("s2c_conv2d *", fields)

    def _window_rows(self, layer: Layer, row: int, image: Memory) -> Any:
        """Row pointers of one output row; outside, the pad row or (max-pool) the nearest row."""
        window, source = layer.window, layer.sources[0]
        assert window is not None
        first = row * window.strides[0] - window.padding.top
        pointers = []
        for at in range(first, first + window.kernel[0]):
            inside = min(max(at, 0), source.rows - 1)
            if at != inside and layer.conv:
                pointers.append(self._constants[layer.conv.pad_row].address)
            else:
                pointers.append(self._row(source, inside, image))
        return self._kernels.ffi.new("const uint8_t *[]", pointers)

    def _scratch(self, layer: Layer) -> Any:
        address = self._arena.address + layer.scratch_offset_bytes
        return self._kernels.ffi.cast("int16_t *", address)
