"""Constants in the order in which the kernels read them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import (
    KernelSpec,
    TileScratch,
    block_weights,
    blocks_weights,
    pair_weights,
    pairs_weights,
    row_blocks,
    signed_columns,
    signed_constants,
    skips_zeros,
    sparse_weights,
)
from squeeze2c.kernels.layout import SIGNED_MULTIPLIER_SHIFT
from squeeze2c.lower.packed_weights import Convolution, PackedWeights
from squeeze2c.lower.program import ConstantArray, ConvConstants, PackedConstants
from squeeze2c.schedule import Placement


class ConstantPool:
    """Collects the arrays of all layers; pad rows of equal content are shared."""

    def __init__(
        self,
        graph: Graph,
        placements: Mapping[str, Placement],
        model: str,
        symbols: Mapping[str, str],
    ) -> None:
        self._graph = graph
        self._placements = placements
        self._model = model
        self._symbols = symbols
        self._arrays: list[ConstantArray] = []
        self._pad_rows = self._plan_pad_rows()

    def packed_convolution(
        self, node: Convolution, layer: PackedWeights, scratch: TileScratch
    ) -> tuple[ConvConstants, int]:
        """Add the packed arrays of ``node``; their symbols, and the bytes that are its own."""
        stem = f"{self._model}_{self._symbols[node.name]}"
        code = layer.code
        offsets = np.array(code.tile_offsets, np.uint16)
        own = {
            "stream": ("uint32_t", np.frombuffer(code.stream, "<u4"), "codes of the weights"),
            "code_table": ("uint8_t", np.frombuffer(code.table, np.uint8), "code table"),
            "tile_offset": ("uint16_t", np.resize(offsets, len(offsets) + len(offsets) % 2),
                            "where each tile's codes begin"),
            "bias": ("int8_t", np.frombuffer(code.bias, np.int8),
                     f"bias per output channel, / 2^{layer.bias_shift}"),
            "multiplier": ("int32_t", layer.multipliers,
                           f"requantisation multipliers, / 2^{node.shift}"),
        }  # fmt: skip
        if code.multiplier_index:
            index = np.frombuffer(code.multiplier_index, np.uint8)
            own["multiplier_index"] = ("uint8_t", index, "multiplier per output channel, nibbles")
        arrays = {
            key: ConstantArray(f"{stem}_{key}", element, data, f"{node.name}: {text}")
            for key, (element, data, text) in own.items()
        }
        self._arrays += arrays.values()
        packed = PackedConstants(
            stream=arrays["stream"].symbol,
            table=arrays["code_table"].symbol,
            tile_offset=arrays["tile_offset"].symbol,
            bias=arrays["bias"].symbol,
            multiplier_index=f"{stem}_multiplier_index" if code.multiplier_index else "",
            multiplier=arrays["multiplier"].symbol,
            stream_words=len(code.stream) // 4,
            taps=code.taps,
            out_channels=code.out_channels,
            tile_channels=code.tile_channels,
            tiles=code.tiles,
            table_bytes=len(code.table),
            offset_shift=code.offset_shift,
            bias_shift=layer.bias_shift,
            multiplier_count=len(layer.multipliers),
            scratch=scratch,
        )
        constants = ConvConstants(
            "", "", "", self._pad_rows[node.name], node.shift,
            weights_count=code.out_channels * code.taps,
            weights_bytes=sum(
                len(arrays[key].content) for key in ("stream", "code_table", "tile_offset")
            ),
            packed=packed,
        )  # fmt: skip
        return constants, sum(len(array.content) for array in arrays.values())

    def convolution(self, node: Convolution, kernel: KernelSpec) -> tuple[ConvConstants, int]:
        """Add the arrays of ``node``; their symbols, and the bytes that are its own."""
        if signed_columns(kernel):
            return self._signed_convolution(node, kernel)
        stem = f"{self._model}_{self._symbols[node.name]}"
        weights, bias, multiplier = (self._graph.constants[name] for name in node.inputs[1:4])
        count = weights.size
        outputs, kernel_rows, kernel_cols, inputs = weights.shape
        order = f"{outputs} x {kernel_rows} x {kernel_cols} x {inputs}"
        text = "output, row, column, input channel"
        if pairs_weights(kernel):
            text += "; in pairs of outputs"
            # As bytes, so that it is printed in words like other weights.
            weights = pair_weights(weights.reshape(outputs, -1)).astype("<i2").view(np.int8)
        elif skips_zeros(kernel):
            text = "words of each output, then those words: 16 times a distance, and a weight"
            weights = sparse_weights(weights.reshape(outputs, -1))
        elif blocks_weights(kernel):
            text += "; in blocks of outputs"
            weights = block_weights(weights)
        own = [
            ConstantArray(
                f"{stem}_weights", "int8_t", weights, f"{node.name}: weights, {order} ({text})"
            ),
            ConstantArray(f"{stem}_bias", "int32_t", bias, f"{node.name}: bias per output channel"),
            ConstantArray(
                f"{stem}_multiplier", "int32_t", multiplier,
                f"{node.name}: requantisation multiplier per output channel, / 2^{node.shift}",
            ),
        ]
        self._arrays += own
        constants = ConvConstants(
            own[0].symbol, own[1].symbol, own[2].symbol, self._pad_rows[node.name], node.shift,
            weights_count=count, weights_bytes=len(own[0].content),
        )  # fmt: skip
        return constants, sum(len(array.content) for array in own)

    def _signed_convolution(
        self, node: Convolution, kernel: KernelSpec
    ) -> tuple[ConvConstants, int]:
        """As :meth:`convolution`, for Helium; its kernels find multipliers among the biases."""
        stem = f"{self._model}_{self._symbols[node.name]}"
        weights, bias, multiplier = (self._graph.constants[name] for name in node.inputs[1:4])
        outputs, kernel_rows, kernel_cols, inputs = weights.shape
        order = f"{outputs} x {kernel_rows} x {kernel_cols} x {inputs}"
        blocks = row_blocks(kernel, inputs)
        text = "two outputs, row, block, column" if blocks else "two outputs, taps, padded"
        matrix, numbers = signed_constants(
            weights.reshape(outputs, -1), bias, multiplier, blocks
        )
        own = [
            ConstantArray(
                f"{stem}_weights", "int8_t", matrix, f"{node.name}: weights, {order} ({text})"
            ),
            ConstantArray(
                f"{stem}_bias", "int32_t", numbers,
                f"{node.name}: per quad of outputs bias + 128 * sum of weights, and requantisation "
                f"multiplier, / 2^{node.shift + SIGNED_MULTIPLIER_SHIFT}",
            ),
        ]  # fmt: skip
        self._arrays += own
        constants = ConvConstants(
            own[0].symbol, own[1].symbol, own[1].symbol, self._pad_rows[node.name], node.shift,
            weights_count=weights.size, weights_bytes=len(own[0].content),
        )  # fmt: skip
        return constants, sum(len(array.content) for array in own)

    def steps(self, steps: Sequence[int]) -> str:
        """Add the table of steps; its symbol. One byte each, two where there are many layers."""
        wide = max(steps) > np.iinfo(np.uint8).max
        data = np.zeros(len(steps) + len(steps) % 2, np.uint16 if wide else np.uint8)
        data[: len(steps)] = steps
        array = ConstantArray(
            f"{self._model}_steps",
            "uint16_t" if wide else "uint8_t",
            data,
            "the layer that each step runs; the number of layers stands for the next image row",
        )
        self._arrays.append(array)
        return array.symbol

    @property
    def arrays(self) -> tuple[ConstantArray, ...]:
        return tuple(self._arrays)

    def _plan_pad_rows(self) -> dict[str, str]:
        """Pad row symbol per convolution: one array per distinct pixel that padding reads.

        A kernel steps through a pad row as through the rows of its input, so the pixels
        are as far apart as there; what lies between them is never read. A pixel whose
        channels all read the same is one array for all layers, as long as the longest
        row needs; without vertical padding one pixel is enough.
        """
        length: dict[tuple[int, ...], int] = {}
        key_of: dict[str, tuple[int, ...]] = {}
        for node in self._graph.nodes:
            if not isinstance(node, ops.QConv2D | ops.QConvGlobalPool):
                continue
            pixel, padding = node.pad_value, node.window.padding
            pixel_bytes, pixels = len(pixel), int(padding.any)
            if padding.top or padding.bottom:
                pixel_bytes = self._placements[node.inputs[0]].pixel_bytes
                pixels = self._graph.values[node.inputs[0]].type.width
            if len(set(pixel)) == 1 or not padding.any:
                key = pixel[:1]
            else:
                key = pixel + pixel[:1] * (pixel_bytes - len(pixel))
            length[key] = max(length.get(key, 4), pixels * pixel_bytes)
            key_of[node.name] = key
        symbol_of: dict[tuple[int, ...], str] = {}
        for key, size in length.items():
            symbol_of[key] = f"{self._model}_pad_row_{len(symbol_of)}"
            data = np.resize(np.array(key, np.uint8), size)
            text = ", ".join(str(v) for v in key)
            self._arrays.append(
                ConstantArray(symbol_of[key], "uint8_t", data, f"what padding reads: {text} ...")
            )
        return {name: symbol_of[key] for name, key in key_of.items()}


def weights_crc32(arrays: Sequence[ConstantArray]) -> int:
    """CRC-32 over the content of all arrays, in order."""
    crc = 0
    for array in arrays:
        crc = zlib.crc32(array.content, crc)
    return crc
