"""Integer graph, schedule and memory plan to the program to print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from squeeze2c.errors import InternalError
from squeeze2c.frontend.input_format import RAW, InputFormat
from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import KernelSpec, fallbacks, m3, scratch_bytes, shares_words, tile_scratch
from squeeze2c.kernels.catalogue import POLY_M3
from squeeze2c.lower.limits import prove_layer, suits
from squeeze2c.lower.names import unique_identifiers
from squeeze2c.lower.pack import ConstantPool, weights_crc32
from squeeze2c.lower.packed_weights import PackedWeights, with_tiles
from squeeze2c.lower.program import AddConstants, ConvConstants, CProgram, Layer, RowSource
from squeeze2c.memory import MemoryPlan, scratch_name
from squeeze2c.reference.softmax import softmax_constants
from squeeze2c.schedule import INPUT_STAGE, Schedule, Stage


def lower(
    graph: Graph,
    schedule: Schedule,
    plan: MemoryPlan,
    name: str,
    input_format: InputFormat = RAW,
    packed: Mapping[str, PackedWeights] | None = None,
) -> CProgram:
    """The program of a quantised ``graph`` called ``name`` in C.

    ``input_format``: what the caller's image consists of; only a schedule with ``push``
    can convert it. ``packed``: weights of the layers that the schedule decodes; they are
    coded anew where the schedule wants other tiles.

    Raises :class:`UnsupportedModelError` or :class:`QuantizationError` where a layer is
    beyond what the kernels can compute exactly.
    """
    return _Lowering(graph, schedule, plan, name, input_format, packed or {}).run()


class _Lowering:
    def __init__(
        self,
        graph: Graph,
        schedule: Schedule,
        plan: MemoryPlan,
        name: str,
        input_format: InputFormat,
        packed: Mapping[str, PackedWeights],
    ) -> None:
        self._packed = packed
        self._input_format = input_format
        self._graph = graph
        self._schedule = schedule
        self._plan = plan
        self._name = name
        self._symbols = unique_identifiers(stage.node for stage in schedule.stages)
        self._pool = ConstantPool(graph, schedule.placements, name, self._symbols)

    def run(self) -> CProgram:
        graph = self._graph
        layers = tuple(self._layer(i, stage) for i, stage in enumerate(self._schedule.stages))
        steps = tuple(
            len(layers) if step.stage == INPUT_STAGE else step.stage
            for step in self._schedule.steps
        )
        quant = graph.output_value.quant
        if quant is None:
            raise InternalError("the logits have no scale")
        beta, shift = softmax_constants(quant.scale)
        return CProgram(
            name=self._name,
            input=self._rows_of(graph.input),
            input_format=self._input_format,
            classes=graph.output_value.type.channels,
            logit_scale=quant.scale,
            softmax_beta=beta,
            softmax_shift=shift,
            layers=layers,
            steps=steps,
            steps_symbol=self._pool.steps(steps),
            push=self._schedule.push,
            sums_offset_bytes=self._plan.offsets.get(graph.output, 0),
            constants=self._pool.arrays,
            buffers={
                a.buffer.name: (a.byte_offset, a.buffer.size_bytes) for a in self._plan.allocations
            },
            arena_bytes=self._plan.arena_bytes,
            arena_alignment_bytes=self._plan.alignment_bytes,
            lower_bound_bytes=self._plan.lower_bound_bytes,
            weights_crc32=weights_crc32(self._pool.arrays),
        )

    def _layer(self, index: int, stage: Stage) -> Layer:
        graph = self._graph
        node = graph.node(stage.node)
        prove_layer(graph, self._schedule.placements, node)
        value = graph.values[node.output]
        # Weights are not known when stages are made.
        possible = (stage.kernel, *fallbacks(node, stage.kernel))
        kernel = next(k for k in possible if suits(graph, node, k))
        conv, parameters = None, 0
        if isinstance(node, ops.QConv2D | ops.QConvGlobalPool):
            conv, parameters = self._convolution(node, stage, kernel)
            if shares_words(kernel):
                conv = self._in_parts(node, stage, conv, kernel)
        add = None
        if isinstance(node, ops.QAdd):
            add = AddConstants(node.multiplier_a, node.multiplier_b, node.shift)
        is_map = len(value.type.shape) == 4
        return Layer(
            index=index,
            name=node.name,
            symbol=self._symbols[node.name],
            kind=node.kind,
            kernel=kernel,
            provenance=node.provenance,
            onnx_output=value.source,
            output=node.output,
            output_shape=value.type.shape[1:],
            sources=tuple(self._rows_of(a) for a in graph.activations(node)),
            destination=self._rows_of(node.output) if is_map else None,
            rows=stage.rows,
            strip_rows=self._schedule.strip_rows[index],
            running=self._schedule.running[index],
            window=getattr(node, "window", None),
            conv=conv,
            add=add,
            relu=getattr(node, "relu", False),
            clamp_min=getattr(node, "clamp_min", 0),
            scratch_offset_bytes=self._plan.offsets.get(scratch_name(node.name), 0),
            scratch_bytes=stage.scratch_bytes,
            macs=self._macs(node),
            parameters_bytes=parameters,
        )

    def _convolution(
        self, node: ops.QConv2D | ops.QConvGlobalPool, stage: Stage, kernel: KernelSpec
    ) -> tuple[ConvConstants, int]:
        if not stage.tile_channels:
            return self._pool.convolution(node, kernel)
        taps = node.window.taps * self._graph.values[node.inputs[0]].type.channels
        columns_bytes = scratch_bytes(self._graph, node, kernel)
        if shares_words(kernel):
            decoded = tile_scratch(kernel, 0, taps, stage.tile_channels).size_bytes
            columns_bytes = stage.scratch_bytes - decoded
        scratch = tile_scratch(
            kernel, columns_bytes, taps, stage.tile_channels, node.window.kernel[0]
        )
        packed = with_tiles(self._graph, node, self._packed[node.name], stage.tile_channels)
        return self._pool.packed_convolution(node, packed, scratch)

    def _in_parts(
        self, node: ops.QConv2D | ops.QConvGlobalPool, stage: Stage, conv: ConvConstants,
        kernel: KernelSpec,
    ) -> ConvConstants:  # fmt: skip
        """``conv`` with what kernels need that keep several sums in 64 bits."""
        weights = self._graph.constants[node.inputs[1]]
        scratch = stage.scratch_bytes
        if conv.packed is not None:
            scratch = conv.packed.scratch.decoded_offset_bytes
        if kernel == POLY_M3:
            channels, cols = weights.shape[-1], self._graph.values[node.output].type.width
            return replace(
                conv,
                groups=m3.poly_rows_in(scratch, channels, cols),
                part_blocks=m3.part_blocks(weights, poly=True),
            )
        return replace(
            conv,
            groups=m3.groups_in(scratch, weights.size // len(weights)),
            part_blocks=m3.part_blocks(weights, stage.tile_channels),
        )

    def _rows_of(self, name: str) -> RowSource:
        kind = self._graph.values[name].type
        quant = self._graph.values[name].quant
        placement = self._schedule.placements[name]
        line_buffer = self._schedule.line_buffers.get(placement.buffer)
        base = self._plan.offsets[placement.buffer] if line_buffer else 0
        return RowSource(
            value=name,
            in_arena=line_buffer is not None,
            offset_bytes=base + placement.channel_offset,
            row_bytes=kind.width * placement.pixel_bytes,
            rows=kind.height,
            capacity_rows=line_buffer.capacity_rows if line_buffer else kind.height,
            cols=kind.width,
            channels=kind.channels,
            pixel_bytes=placement.pixel_bytes,
            zero_point=quant.zero_point if quant else 0,
        )

    def _macs(self, node: ops.Node) -> int:
        """Multiply-accumulates of a convolution; padded taps count, as everywhere in the field."""
        if not isinstance(node, ops.QConv2D | ops.QConvGlobalPool):
            return 0
        source = self._graph.values[node.inputs[0]].type
        rows, cols = node.window.counts(source.height, source.width)
        return int(rows * cols * self._graph.constants[node.inputs[1]].size)
