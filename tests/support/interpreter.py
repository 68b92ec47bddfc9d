"""Executes a program by calling the C kernels from Python: what generated code does, unprinted.

Step by step, in one arena, through line buffers: independent of the templates, and quick,
because no compiler runs per network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from squeeze2c.kernels import (
    UNPACK_TABLE_BYTES,
    blocks_weights,
    pairs_weights,
    row_blocks,
    signed_channels,
    signed_columns,
)
from squeeze2c.lower import CProgram, Layer, RowSource
from squeeze2c.lower.program import PackedConstants
from tests.support.kernel_library import Kernels

POISON = 0xEE


class Interpreter:
    """``program`` with its constants and arena in C memory."""

    def __init__(self, kernels: Kernels, program: CProgram) -> None:
        self._kernels = kernels
        self._program = program
        self._arena = kernels.room(program.arena_bytes)
        self._constants = {c.symbol: kernels.memory(c.data) for c in program.constants}
        self._logits = kernels.room(program.classes, "int32")
        self._objects = {layer.index: self._object(layer) for layer in program.layers}
        self._packed = {
            layer.index: self._packed_layer(layer.conv.packed)
            for layer in program.layers
            if layer.conv is not None and layer.conv.packed
        }

    def run(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Every layer's output for one image uint8, as the camera delivers it.

        Rows are read right after they are complete, which with packed weights a strip is
        as a whole. The arena starts as garbage, and
        so do each layer's scratch at every step and its columns at every row: nothing of that may
        matter. With push input, only one row
        of the image exists at a time.
        """
        program = self._program
        assert image.size == program.image_bytes
        self._arena.array[:] = POISON
        self._logits.array[:] = POISON
        self._image = self._kernels.memory(image)
        self._next_row = [0] * len(program.layers)
        self._taken = [0] * len(program.layers)
        self._received = 0
        self._results = {
            layer.output: np.full(layer.output_shape, POISON, np.uint8)
            for layer in program.layers
            if layer.destination
        }
        for index in program.steps:
            if index == len(program.layers):
                self._receive()
            else:
                self._step(program.layers[index])
        assert self._next_row == [layer.rows for layer in program.layers]
        assert self._received == (program.input.rows if program.push else 0)
        for memory in (self._image, self._arena, self._logits, *self._constants.values()):
            memory.check()
        np.testing.assert_array_equal(self._image.array, image.ravel())
        last = program.layers[-1].output
        return {**self._results, last: self._sums().copy()}

    def _receive(self) -> None:
        """The caller's next row goes into its slot, converted."""
        place, size = self._program.input, self._program.input_row_bytes
        start = self._received * size
        row = self._kernels.memory(self._image.array[start : start + size])
        pixels = self._program.input_format
        convert = getattr(
            self._kernels.lib, f"shim_input_{pixels.name if pixels.converts else 'bytes'}"
        )
        count = place.cols if pixels.converts else size
        convert(self._row(place, self._received), row.address, count)
        self._received += 1

    def _step(self, layer: Layer) -> None:
        if layer.running:
            self._fold(layer)
            return
        first = self._next_row[layer.index]
        end = min(first + layer.strip_rows, layer.rows)
        if layer.index in self._packed:
            self._compute_tiles(layer, range(first, end))
            for row in range(first, end):
                self._record(layer, row)
        else:
            for row in range(first, end):
                self._poison(layer, layer.scratch_bytes)
                self._compute(layer, row)
                self._record(layer, row)
        self._next_row[layer.index] = end

    def _poison(self, layer: Layer, size_bytes: int) -> None:
        """So many bytes from the beginning of the layer's scratch."""
        start = layer.scratch_offset_bytes
        self._arena.array[start : start + size_bytes] = POISON

    def _compute_tiles(self, layer: Layer, rows: range) -> None:
        """A strip of a layer with packed weights: each tile of channels is decoded once."""
        assert layer.conv is not None and layer.conv.packed is not None
        packed, ffi = layer.conv.packed, self._kernels.ffi
        descriptor, whole = self._packed[layer.index], self._objects[layer.index]
        columns_bytes = packed.scratch.decoded_offset_bytes
        decoded = self._arena.address + layer.scratch_offset_bytes + columns_bytes
        table = ffi.cast("uint32_t *", decoded)
        bias = ffi.cast("int32_t *", decoded) + UNPACK_TABLE_BYTES // 4
        signed, room = signed_columns(layer.kernel), packed.tile_channels
        room = signed_channels(room) if signed else room
        multiplier = bias + room
        weights = ffi.cast("int8_t *", multiplier + room)
        self._poison(layer, layer.scratch_bytes)
        assert self._kernels.lib.s2c_unpack_prepare(descriptor, table) == 0
        for tile in range(packed.tiles):
            channels = (descriptor, table, tile, weights, bias, multiplier)
            assert self._kernels.lib.s2c_unpack_tile(*channels) == 0
            first = tile * packed.tile_channels
            part = ffi.new("s2c_conv2d *", whole[0])
            part.weights, part.bias, part.multiplier = weights, bias, multiplier
            count = min(packed.tile_channels, packed.out_channels - first)
            part.window.out_channels = count
            if pairs_weights(layer.kernel):
                self._kernels.lib.s2c_pair_tile__dsp(weights, count, packed.taps)
            if blocks_weights(layer.kernel):
                part.weights = weights + packed.tile_channels * packed.taps
                window = ffi.addressof(part, "window")
                self._kernels.lib.s2c_block_tile__host(weights, window, part.weights)
            if signed:
                blocks = row_blocks(layer.kernel, layer.sources[0].channels)
                self._kernels.lib.s2c_signed_tile__mve(
                    weights, bias, multiplier, count, packed.taps, blocks,
                    ffi.cast("int8_t *", self._scratch(layer)),
                )
            for row in rows:
                self._poison(layer, columns_bytes)
                self._compute(layer, row, part, first)

    def _fold(self, layer: Layer) -> None:
        """A max-pool that takes one row of its window."""
        row, taken = self._next_row[layer.index], self._taken[layer.index]
        window = self._inside(layer, row)
        self._pool(layer, row, [window[taken]], keep=taken)
        self._taken[layer.index] += 1
        if taken + 1 == len(window):
            self._record(layer, row)
            self._taken[layer.index] = 0
            self._next_row[layer.index] += 1

    def _compute(
        self, layer: Layer, row: int, part: Any = None, first_channel: int = 0
    ) -> None:
        """Row ``row``; with ``part`` only its channels, from ``first_channel`` on."""
        kernel, source = self._kernel(layer), layer.sources[0]
        constants = part or self._objects[layer.index]
        match layer.kernel.op.removeprefix("sparse_"):
            case "conv2d":
                rows = self._padded_rows(layer, row)
                out = self._out(layer, row) + first_channel
                kernel(constants, rows, self._scratch(layer), out)
            case "poly3x3":
                rows = self._padded_rows(layer, row)
                outs = self._kernels.ffi.new(
                    "uint8_t *[]", [self._out(layer, row) + first_channel]
                )
                kernel(constants, rows, self._scratch(layer), outs, 1)
            case "conv2d_sum":
                sums = self._sums_pointer(row, first_channel)
                rows = self._padded_rows(layer, row)
                kernel(constants, rows, self._scratch(layer), int(layer.relu), sums)
            case "maxpool2d":
                self._pool(layer, row, self._inside(layer, row), keep=0)
            case "sum":
                kernel(
                    self._row(source, row), source.cols, source.channels, source.pixel_bytes,
                    source.zero_point, self._sums_pointer(row),
                )
            case "add":
                a, b = (self._row(s, row) for s in (source, layer.sources[-1]))
                kernel(constants, a, b, self._out(layer, row))

    def _pool(self, layer: Layer, row: int, rows: Sequence[int], keep: int) -> None:
        pointers = [self._row(layer.sources[0], at) for at in rows]
        array = self._kernels.ffi.new("const uint8_t *[]", pointers)
        window = self._objects[layer.index]
        self._kernel(layer)(window, array, len(rows), keep, self._out(layer, row))

    def _record(self, layer: Layer, row: int) -> None:
        place = layer.destination
        if place is not None:
            start = self._arena.array[self._offset(place, row) :]
            shape, strides = (place.cols, place.channels), (place.pixel_bytes, 1)
            pixels = np.lib.stride_tricks.as_strided(start, shape, strides)
            self._results[layer.output][row] = pixels

    def _kernel(self, layer: Layer) -> Any:
        return getattr(self._kernels.lib, layer.kernel.symbol)

    def _offset(self, place: RowSource, row: int) -> int:
        """Byte in arena or image of pixel 0 of row ``row``."""
        assert 0 <= row < place.rows
        return place.offset_bytes + row % place.capacity_rows * place.row_bytes

    def _row(self, place: RowSource, row: int) -> Any:
        base = self._arena if place.in_arena else self._image
        return base.address + self._offset(place, row)

    def _out(self, layer: Layer, row: int) -> Any:
        assert layer.destination is not None and layer.destination.in_arena
        return self._row(layer.destination, row)

    def _inside(self, layer: Layer, row: int) -> range:
        """Rows of a max-pool's window that the map has."""
        first, end = self._span(layer, row)
        return range(max(first, 0), min(end, layer.sources[0].rows))

    def _padded_rows(self, layer: Layer, row: int) -> Any:
        """Row pointers of a convolution's window: the pad row where the map has none."""
        source = layer.sources[0]
        assert layer.conv is not None
        pad = self._constants[layer.conv.pad_row].address
        first, end = self._span(layer, row)
        pointers = [
            self._row(source, at) if 0 <= at < source.rows else pad for at in range(first, end)
        ]
        return self._kernels.ffi.new("const uint8_t *[]", pointers)

    def _span(self, layer: Layer, row: int) -> tuple[int, int]:
        assert layer.window is not None
        first = row * layer.window.strides[0] - layer.window.padding.top
        return first, first + layer.window.kernel[0]

    def _scratch(self, layer: Layer) -> Any:
        address = self._arena.address + layer.scratch_offset_bytes
        return self._kernels.ffi.cast("int16_t *", address)

    def _sums(self) -> np.ndarray:
        """Where the logits accumulate: in the arena with push input."""
        if not self._program.push:
            return self._logits.array
        start = self._program.sums_offset_bytes
        return self._arena.array[start : start + 4 * self._program.classes].view(np.int32)

    def _sums_pointer(self, row: int, first_channel: int = 0) -> Any:
        sums = self._sums()
        if row == 0 and first_channel == 0:
            sums[:] = 0
        return self._kernels.ffi.cast("int32_t *", sums.ctypes.data) + first_channel

    def _object(self, layer: Layer) -> Any:
        """The constants of ``layer`` that its kernel reads."""
        match layer.kernel.op.removeprefix("sparse_"):
            case "conv2d" | "conv2d_sum" | "poly3x3":
                return self._kernels.ffi.new("s2c_conv2d *", self._convolution(layer))
            case "maxpool2d":
                return self._kernels.ffi.new("s2c_window *", self._window(layer))
            case "add":
                return self._kernels.ffi.new("s2c_add *", self._addition(layer))
        return None

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

    def _convolution(self, layer: Layer) -> dict[str, Any]:
        conv, pointer = layer.conv, self._kernels.pointer
        assert conv is not None
        plain = {"weights": "int8_t", "bias": "int32_t", "multiplier": "int32_t"}
        return {
            "window": self._window(layer),
            "groups": conv.groups, "part_blocks": conv.part_blocks,
            **{
                field: pointer(self._constants[getattr(conv, field)], kind)
                for field, kind in plain.items()
                if not conv.packed
            },
            "pad_pixel": self._constants[conv.pad_row].address,
            "shift": conv.shift,
            "out_zero_point": layer.destination.zero_point if layer.destination else 0,
            "clamp_min": layer.clamp_min,
        }

    def _packed_layer(self, packed: PackedConstants) -> Any:
        """The descriptor of packed weights."""
        arrays = {
            "stream": "uint32_t", "table": "uint8_t", "tile_offset": "uint16_t", "bias": "int8_t",
            "multiplier_index": "uint8_t", "multiplier": "int32_t",
        }
        numbers = (
            "stream_words", "taps", "out_channels", "tile_channels", "table_bytes", "offset_shift",
            "bias_shift", "multiplier_count",
        )
        fields = {name: getattr(packed, name) for name in numbers}
        for name, kind in arrays.items():
            symbol = getattr(packed, name)
            if symbol:
                fields[name] = self._kernels.pointer(self._constants[symbol], kind)
        return self._kernels.ffi.new("s2c_packed_layer *", fields)

    def _addition(self, layer: Layer) -> dict[str, int]:
        a, b = layer.sources[0], layer.sources[-1]
        out, add = layer.destination, layer.add
        assert out is not None and add is not None
        return {
            "cols": out.cols, "channels": out.channels, "a_stride_bytes": a.pixel_bytes,
            "b_stride_bytes": b.pixel_bytes, "out_stride_bytes": out.pixel_bytes,
            "a_zero_point": a.zero_point, "b_zero_point": b.zero_point,
            "out_zero_point": out.zero_point, "clamp_min": layer.clamp_min, "shift": add.shift,
            "a_multiplier": add.multiplier_a, "b_multiplier": add.multiplier_b,
        }
