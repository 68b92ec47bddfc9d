"""Float graph to integer graph, layer by layer, each on the inputs that the earlier ones yield."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from squeeze2c.errors import CalibrationError, InternalError, QuantizationError
from squeeze2c.ir import DType, Graph, QuantParams, Value, ops, unique_name
from squeeze2c.ir.bounds import requantised_range, sum_fits
from squeeze2c.progress import Progress, silent
from squeeze2c.quantize.add import quantise_add
from squeeze2c.quantize.calibrate import calibrate
from squeeze2c.quantize.equalise import channel_factors, grid_octaves
from squeeze2c.quantize.layer import (
    Group,
    IntegerLayer,
    exact_steps,
    few_scales,
    least_scales,
    quantise_layer,
    requantised_scales,
    summed_scales,
)
from squeeze2c.quantize.lowbit.groups import cluster_rows, group_moments
from squeeze2c.quantize.options import QuantizeOptions
from squeeze2c.quantize.parallel import in_order
from squeeze2c.quantize.scales import activation_params
from squeeze2c.quantize.statistics import (
    BatchSums,
    InputMoments,
    MomentAccumulator,
    evenly_spread,
)
from squeeze2c.reference.columns import columns
from squeeze2c.reference.fixed_point import MULTIPLIER_LIMIT
from squeeze2c.reference.float_eval import evaluate_node
from squeeze2c.reference.int_eval import evaluate_qnode

MULTIPLIER_LEVELS = 16
"""Different multipliers in a layer with one step for all weights: four bits name one."""

LONG_BIAS_BITS = 32

Convolution = ops.Conv2D | ops.ConvGlobalPool


@dataclass(frozen=True, slots=True, eq=False)
class SampleLogits:
    """Logits of the images that the quantizer carried along.

    ``images`` (n,): their numbers. ``real`` float (n, classes) of the float network,
    ``integer`` int32 (n, classes) of the integer one, times ``scale`` real too.
    """

    images: np.ndarray
    real: np.ndarray
    integer: np.ndarray
    scale: float


def quantize(
    graph: Graph,
    images: np.ndarray,
    options: QuantizeOptions | None = None,
    progress: Progress = silent,
) -> Graph:
    """The integer network for a float ``graph`` that has been through the passes.

    ``images``: calibration images, uint8 (N, rows, cols, channels), as the camera
    delivers them. Raises :class:`CalibrationError` where they do not fit the
    graph, :class:`QuantizationError` where an accumulator could overflow or the float
    network's values are not finite.
    """
    return quantize_watched(graph, images, options, progress)[0]


def quantize_watched(
    graph: Graph,
    images: np.ndarray,
    options: QuantizeOptions | None = None,
    progress: Progress = silent,
) -> tuple[Graph, SampleLogits]:
    """As :func:`quantize`, with the logits of ``options.statistics_images`` of ``images``."""
    _check_images(images, graph.input_value.type.shape[1:])
    # One thread: how BLAS shares out the work changes the last bits of sums, and with
    # them a rounded weight here and there. The same model must give the same bytes.
    with threadpool_limits(limits=1, user_api="blas"):
        quantizer = _Quantizer(graph, images, options or QuantizeOptions(), progress)
        return quantizer.run(), quantizer.logits


def _check_images(images: np.ndarray, expected: tuple[int, ...]) -> None:
    if images.ndim != 4 or not len(images) or images.shape[1:] != expected:
        raise CalibrationError(
            f"calibration images have shape {images.shape}, "
            f"the model reads (N, {', '.join(map(str, expected))})"
        )
    if images.dtype != np.uint8:
        raise CalibrationError(
            f"calibration images are {images.dtype}, expected uint8",
            hint="give raw pixels 0..255; preprocessing is part of the compiled network",
        )


class _Quantizer:
    """Walks the float and the integer network side by side over the calibration images."""

    def __init__(
        self, graph: Graph, images: np.ndarray, options: QuantizeOptions, progress: Progress
    ) -> None:
        self._options = options
        self._progress = progress
        self._float = graph
        ranges = calibrate(graph, images, options.batch_images, progress)
        levels = MULTIPLIER_LEVELS if options.weight_steps else 0
        factors = channel_factors(graph, ranges, options.equalisation_exponent, levels)
        self._params = activation_params(graph, ranges, factors)
        self._picked = evenly_spread(len(images), options.statistics_images)
        sample = images[self._picked]
        self._real: dict[str, np.ndarray] = {graph.input: sample.astype(np.float32)}
        self._integer: dict[str, np.ndarray] = {graph.input: sample}
        values = {name: self._quantised_value(graph.values[name]) for name in graph.values}
        self._graph = Graph(graph.name, (), values, {}, graph.input, graph.output, graph.softmax)

    def run(self) -> Graph:
        nodes = self._float.nodes
        last_use = {name: i for i, node in enumerate(nodes) for name in node.inputs}
        for index, node in enumerate(nodes):
            self._progress("quantizing", index, len(nodes))
            self._append(node)
            for name in node.inputs:
                if last_use[name] == index:
                    self._real.pop(name, None)
                    self._integer.pop(name, None)
        self._progress("quantizing", len(nodes), len(nodes))
        return self._graph

    @property
    def logits(self) -> SampleLogits:
        """Of the sample; after :meth:`run`."""
        quant = self._graph.output_value.quant
        if quant is None:
            raise InternalError("the logits have no scale")
        real, integer = (known[self._float.output] for known in (self._real, self._integer))
        return SampleLogits(self._picked, real, integer, quant.scale)

    def _quantised_value(self, value: Value) -> Value:
        dtype = DType.UINT8 if value.name in self._params else DType.INT32
        return replace(
            value, type=replace(value.type, dtype=dtype), quant=self._params.get(value.name)
        )

    def _append(self, node: ops.Node) -> None:
        """Quantise ``node``, add it to the integer graph, and compute both its outputs."""
        common: dict[str, Any] = {
            "name": node.name, "output": node.output, "provenance": node.provenance
        }
        qnode: ops.Node
        match node:
            case ops.Conv2D():
                qnode = self._convolution(node)
            case ops.ConvGlobalPool():
                qnode = self._pooled_convolution(node)
            case ops.MaxPool2D():
                qnode = ops.QMaxPool2D(inputs=node.inputs, window=node.window, **common)
            case ops.Concat():
                qnode = ops.QConcat(inputs=node.inputs, **common)
            case ops.Add():
                a, b, out = (self._params[n] for n in (*node.inputs, node.output))
                qnode = quantise_add(node, a, b, out)
            case ops.GlobalAvgPool2D():
                x = self._float.values[node.inputs[0]].type
                scale = self._params[node.inputs[0]].scale / (x.height * x.width)
                self._set_logits(node.output, scale)
                qnode = ops.QGlobalPool(inputs=node.inputs, **common)
            case _:
                raise InternalError(f"{node.kind} {node.name} reached the quantizer")
        self._graph = replace(self._graph, nodes=(*self._graph.nodes, qnode))
        self._advance(node, qnode)

    def _advance(self, node: ops.Node, qnode: ops.Node) -> None:
        """Run the float and the integer operator over the sample, in batches."""
        layout = self._float.input_value.type.layout

        def evaluated(batch: slice) -> tuple[np.ndarray, np.ndarray]:
            operands = [
                self._real[n][batch] if n in self._real else self._float.constants[n]
                for n in node.inputs
            ]
            activations = [self._integer[n][batch] for n in self._graph.activations(qnode)]
            real = evaluate_node(node, operands, layout).astype(np.float32)
            return real, evaluate_qnode(self._graph, qnode, activations)

        results = in_order(evaluated, self._batches())
        count = len(self._integer[next(iter(self._integer))])
        for batch, parts in zip(self._batches(), results, strict=True):
            for known, part in zip((self._real, self._integer), parts, strict=True):
                if not batch.start:
                    known[node.output] = np.empty((count, *part.shape[1:]), part.dtype)
                known[node.output][batch] = part

    def _batches(self) -> Iterator[slice]:
        count = len(self._integer[next(iter(self._integer))])
        for start in range(0, count, self._options.batch_images):
            yield slice(start, start + self._options.batch_images)

    def _folded(self, node: Convolution) -> tuple[np.ndarray, np.ndarray]:
        """Real weight (O, K) and bias (O,) between equalised input and equalised output."""
        weight = self._float.constants[node.inputs[1]].astype(np.float64)
        bias = self._float.constants[node.inputs[2]].astype(np.float64)
        factor_in = self._params[node.inputs[0]].channel_scale
        if factor_in:
            weight = weight * np.asarray(factor_in)
        out = self._params.get(node.output)
        factor_out = np.asarray(out.channel_scale) if out else np.ones(len(bias))
        return weight.reshape(len(bias), -1) / factor_out[:, None], bias / factor_out

    def _moments(self, node: Convolution, pad_value: tuple[int, ...]) -> InputMoments:
        name = node.inputs[0]
        params = self._params[name]
        channels = self._float.values[name].type.channels
        step = params.scale * np.asarray(params.channel_scale or np.ones(channels))
        fill_real = np.asarray(node.pad_value or (0.0,) * channels) / step
        statistics = MomentAccumulator(node.window, channels, self._options.pixels_per_image)
        fill_int = np.asarray(pad_value)

        def sums(batch: slice) -> BatchSums:
            real = self._real[name][batch] / step.astype(np.float32)
            return statistics.sums(real, self._integer[name][batch], fill_real, fill_int)

        first, *others = self._batches()
        statistics.take(sums(first))
        for part in in_order(sums, others):
            statistics.take(part)
        return statistics.finish()

    def _pad_value(self, node: Convolution) -> tuple[int, ...]:
        """The integer that stands for padding in each input channel."""
        params = self._params[node.inputs[0]]
        channels = self._float.values[node.inputs[0]].type.channels
        real = node.pad_value or (0.0,) * channels
        factor = params.channel_scale or (1.0,) * channels
        return tuple(
            int(np.clip(round(r / (params.scale * f)) + params.zero_point, 0, 255))
            for r, f in zip(real, factor, strict=True)
        )

    def _convolution(self, node: ops.Conv2D) -> ops.Node:
        params, out = self._params[node.inputs[0]], self._params[node.output]
        weight, bias = self._folded(node)
        least = self._steps(node, weight, bias)
        scales = requantised_scales(least, params.scale, out.scale, str(node.provenance))
        pad_value = self._pad_value(node)
        moments = self._moments(node, pad_value)
        layer = quantise_layer(
            weight, bias, params.scale, params.zero_point, scales, ((slice(None), moments),),
            self._options_of(node), str(node.provenance), _whole(weight, least),
        )
        return ops.QConv2D(
            name=node.name, inputs=self._operands(node, layer), output=node.output,
            provenance=node.provenance, window=node.window, shift=layer.shift,
            clamp_min=out.zero_point if node.relu else 0, pad_value=pad_value, relu=node.relu,
        )

    def _steps(self, node: Convolution, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """Rounding step per output channel: as fine as 8 bits allow, or what was asked for.

        Where a step was asked for, there are few different ones once equalisation is undone.
        """
        least = least_scales(weight, bias, self._params[node.inputs[0]].scale)
        exact = exact_steps(weight)
        if exact is not None:
            least = np.maximum(least, exact)
        wanted = self._wanted_step(node)
        if wanted is None:
            return least
        out = self._params.get(node.output)
        factor = np.asarray(out.channel_scale) if out else np.ones(len(bias))
        grid = grid_octaves(self._options.equalisation_exponent, MULTIPLIER_LEVELS)
        return few_scales(np.maximum(wanted / factor, least), wanted, grid, MULTIPLIER_LEVELS)

    def _wanted_step(self, node: Convolution) -> float | None:
        """The one step for all weights of ``node``; None: 8 bits per output channel."""
        return (self._options.weight_steps or {}).get(node.name)

    def _options_of(self, node: Convolution) -> QuantizeOptions:
        """Short biases go with one step for all weights."""
        if self._wanted_step(node) is None:
            return replace(self._options, bias_bits=LONG_BIAS_BITS)
        return self._options

    def _pooled_convolution(self, node: ops.ConvGlobalPool) -> ops.Node:
        params = self._params[node.inputs[0]]
        weight, bias = self._folded(node)
        least = self._steps(node, weight, bias)
        pad_value = self._pad_value(node)
        moments = self._moments(node, pad_value)
        source = self._float.values[node.inputs[0]].type
        pixels = math.prod(node.window.counts(source.height, source.width))
        groups: Sequence[Group] = ((slice(None), moments),)
        if self._wanted_step(node) is not None:
            groups = self._class_groups(node, weight, bias, moments)
        largest = MULTIPLIER_LIMIT - 1
        while largest:
            scales = summed_scales(least, largest)
            layer = quantise_layer(
                weight, bias, params.scale, params.zero_point, scales, groups,
                self._options_of(node), str(node.provenance), _whole(weight, least),
            )
            if _sum_fits(layer, pixels):
                break
            largest //= 2
        else:
            raise QuantizationError(
                f"the sum over {pixels:,} pixels does not fit 32 bits",
                where=str(node.provenance),
                hint="use a smaller input",
            )
        self._set_logits(node.output, params.scale * scales.step * 2.0**layer.shift / pixels)
        return ops.QConvGlobalPool(
            name=node.name, inputs=self._operands(node, layer), output=node.output,
            provenance=node.provenance, window=node.window, shift=layer.shift,
            pad_value=pad_value, relu=node.relu,
        )

    def _class_groups(
        self,
        node: ops.ConvGlobalPool,
        weight: np.ndarray,
        bias: np.ndarray,
        moments: InputMoments,
    ) -> tuple[Group, ...]:
        """Channels of the classifier ``node`` in groups, each with moments of its own."""
        name = node.inputs[0]
        params = self._params[name]
        step = (params.scale * np.asarray(params.channel_scale or (1.0,))).astype(np.float32)
        real = columns(self._real[name] / step, node.window, 0.0)
        integer = columns(self._integer[name], node.window, 0)
        images, taps = len(real), real.shape[-1]
        return tuple(
            group_moments(
                real.reshape(images, -1, taps),
                integer.reshape(images, -1, taps),
                weight * params.scale,
                bias,
                cluster_rows(weight),
                moments,
            )
        )

    def _set_logits(self, name: str, scale: float) -> None:
        value = replace(self._graph.values[name], quant=QuantParams(scale))
        self._graph = replace(self._graph, values={**self._graph.values, name: value})

    def _operands(self, node: Convolution, layer: IntegerLayer) -> tuple[str, ...]:
        """Add the layer's constants to the integer graph; the new node's inputs."""
        kernel_rows, kernel_cols = node.window.kernel
        shape = (len(layer.bias), kernel_rows, kernel_cols, -1)
        taken = {*self._graph.values, *self._graph.constants}
        arrays: Mapping[str, np.ndarray] = {
            unique_name(f"{node.name}/weights", taken): layer.weight.reshape(shape),
            unique_name(f"{node.name}/bias", taken): layer.bias,
            unique_name(f"{node.name}/multiplier", taken): layer.multiplier,
        }
        self._graph = replace(self._graph, constants={**self._graph.constants, **arrays})
        return (node.inputs[0], *arrays)


def _whole(weight: np.ndarray, steps: np.ndarray) -> np.ndarray | None:
    """``weight`` (O, K) in ``steps`` (O,), int64, where 8 bits represent it exactly so."""
    exact = exact_steps(weight)
    if exact is None or not np.allclose(steps[exact > 0], exact[exact > 0], rtol=1e-9, atol=0):
        return None
    divisor = np.where(exact > 0, exact, 1.0)
    whole: np.ndarray = np.rint(weight / divisor[:, None]).astype(np.int64)
    return whole


def _sum_fits(layer: IntegerLayer, pixels: int) -> bool:
    """Whether the sum over ``pixels`` of the requantised outputs stays within int32."""
    results = requantised_range(layer.weight, layer.bias, layer.multiplier, layer.shift)
    return sum_fits(*results, pixels)
