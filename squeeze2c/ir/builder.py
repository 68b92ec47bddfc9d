"""Small float graphs in a few lines, for tests and tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from squeeze2c.errors import InternalError
from squeeze2c.ir import ops
from squeeze2c.ir.graph import Graph
from squeeze2c.ir.infer import HasShape, channel_axis, feature_map_type, infer_type
from squeeze2c.ir.types import DType, Layout, Padding, Provenance, TensorType, Value, Window
from squeeze2c.ir.verify import verify_graph

Size = int | tuple[int, int]
"""Rows and columns; one number for both."""
Margins = int | tuple[int, int, int, int] | Padding
"""Padding: one number all round, or (top, left, bottom, right) as in ONNX."""


class GraphBuilder:
    """Adds one float node per call; every method returns the name of the value it made.

    ::

        build = GraphBuilder(32, 32, 3)
        x = build.relu(build.conv(build.input, 8, kernel=3, stride=2))
        graph = build.finish(build.gap(build.conv(x, 10)))

    Shapes are inferred. Weights and biases that are not given are drawn from ``seed``,
    scaled so that activations keep their magnitude. A node is called ``name`` (by default
    its operator and a counter), and so are its output and its ONNX node and tensor.

    ``layout`` is that of all feature maps, and so of given weights: OIHW with NCHW, OHWI
    with NHWC. ``dtype`` UINT8 makes the input a camera image, as after the passes.
    Methods raise :class:`~squeeze2c.errors.ShapeError` where operands do not fit.
    """

    def __init__(
        self,
        rows: int,
        cols: int,
        channels: int,
        *,
        layout: Layout = Layout.NCHW,
        dtype: DType = DType.FLOAT32,
        seed: int = 0,
        name: str = "net",
        input_name: str = "image",
    ) -> None:
        self._name = name
        self._layout = layout
        self._rng = np.random.default_rng(seed)
        self._nodes: list[ops.Node] = []
        self._constants: dict[str, np.ndarray] = {}
        self._counters: dict[str, int] = {}
        self.input = input_name
        type_ = feature_map_type(dtype, channels, rows, cols, layout)
        self._values: dict[str, Value] = {input_name: Value(input_name, type_, input_name)}

    def type(self, name: str) -> TensorType:
        """The inferred type of a value."""
        return self._values[name].type

    def constant(self, array: np.ndarray | Sequence[float], name: str = "") -> str:
        """A float32 constant."""
        name = name or self._fresh("constant")
        self._claim(name)
        self._constants[name] = np.array(array, np.float32)
        return name

    def conv(
        self,
        x: str,
        channels: int = 0,
        *,
        kernel: Size = 1,
        stride: Size = 1,
        padding: Margins = 0,
        bias: bool | str | np.ndarray | Sequence[float] = True,
        weight: str | np.ndarray | None = None,
        relu: bool = False,
        pad_value: Sequence[float] = (),
        global_pool: bool = False,
        name: str = "",
    ) -> str:
        """A convolution. ``weight`` and ``bias``: arrays, names of constants or values, or random.

        With ``weight`` given, ``channels`` and ``kernel`` are its own. ``global_pool`` makes it
        a ConvGlobalPool: averaged over all pixels, as after the passes.
        """
        name = name or self._fresh("conv")
        if weight is None:
            weight = self._random_weight(channels, _pair(kernel), self.type(x).channels)
        if not isinstance(weight, str):
            weight = self.constant(weight, f"{name}.weight")
        shape = self._operand(weight).shape
        rows_cols = shape[2:] if self._layout is Layout.NCHW else shape[1:3]
        inputs: tuple[str, ...] = (x, weight)
        if isinstance(bias, str):
            inputs += (bias,)
        elif bias is True:
            inputs += (self.constant(self._rng.normal(0, 0.1, shape[0]), f"{name}.bias"),)
        elif bias is not False:
            inputs += (self.constant(bias, f"{name}.bias"),)
        kind = ops.ConvGlobalPool if global_pool else ops.Conv2D
        window = Window((rows_cols[0], rows_cols[1]), _pair(stride), _padding(padding))
        return self._add(
            kind(
                **self._common(name, *inputs),
                window=window, relu=relu, pad_value=tuple(pad_value),
            )
        )

    def relu(self, x: str, *, name: str = "") -> str:
        name = name or self._fresh("relu")
        return self._add(ops.Relu(**self._common(name, x)))

    def maxpool(
        self,
        x: str,
        *,
        kernel: Size = 3,
        stride: Size = 2,
        padding: Margins = 0,
        name: str = "",
    ) -> str:
        name = name or self._fresh("maxpool")
        window = Window(_pair(kernel), _pair(stride), _padding(padding))
        return self._add(ops.MaxPool2D(**self._common(name, x), window=window))

    def concat(self, *inputs: str, name: str = "") -> str:
        name = name or self._fresh("concat")
        axis = channel_axis(self._layout)
        return self._add(ops.Concat(**self._common(name, *inputs), axis=axis))

    def add(self, a: str, b: str, *, relu: bool = False, name: str = "") -> str:
        name = name or self._fresh("add")
        return self._add(ops.Add(**self._common(name, a, b), relu=relu))

    def batch_norm(
        self,
        x: str,
        *,
        scale: np.ndarray | Sequence[float] | None = None,
        bias: np.ndarray | Sequence[float] | None = None,
        mean: np.ndarray | Sequence[float] | None = None,
        variance: np.ndarray | Sequence[float] | None = None,
        epsilon: float = 1e-5,
        name: str = "",
    ) -> str:
        """Batch normalisation; statistics that are not given are random."""
        name = name or self._fresh("batch_norm")
        channels = self.type(x).channels
        draw = self._rng
        arrays = {
            "scale": draw.uniform(0.5, 1.5, channels) if scale is None else scale,
            "bias": draw.normal(0, 0.2, channels) if bias is None else bias,
            "mean": draw.normal(0, 0.2, channels) if mean is None else mean,
            "variance": draw.uniform(0.5, 2, channels) if variance is None else variance,
        }
        operands = tuple(self.constant(a, f"{name}.{key}") for key, a in arrays.items())
        return self._add(ops.BatchNorm(**self._common(name, x, *operands), epsilon=epsilon))

    def gap(self, x: str, *, name: str = "") -> str:
        name = name or self._fresh("gap")
        return self._add(ops.GlobalAvgPool2D(**self._common(name, x)))

    def softmax(self, x: str, *, axis: int = 1, name: str = "") -> str:
        name = name or self._fresh("softmax")
        return self._add(ops.Softmax(**self._common(name, x), axis=axis))

    def identity(self, x: str, *, name: str = "") -> str:
        name = name or self._fresh("identity")
        return self._add(ops.Identity(**self._common(name, x)))

    def reshape(self, x: str, shape: Sequence[int], *, name: str = "") -> str:
        name = name or self._fresh("reshape")
        return self._add(ops.Reshape(**self._common(name, x), shape=tuple(shape)))

    def flatten(self, x: str, *, name: str = "") -> str:
        """All of ``x`` as one row."""
        return self.reshape(x, (1, self.type(x).elements), name=name or self._fresh("flatten"))

    def fill(self, shape: Sequence[int], value: float = 0.0, *, name: str = "") -> str:
        name = name or self._fresh("fill")
        return self._add(ops.Fill(**self._common(name), shape=tuple(shape), value=value))

    def fire(self, x: str, squeeze: int, expand: int, *, name: str = "") -> str:
        """A Fire module: squeeze1x1, then expand1x1 beside expand3x3, each with ReLU."""
        name = name or self._fresh("fire")
        squeezed = self._conv_relu(x, squeeze, 1, f"{name}/squeeze1x1")
        one = self._conv_relu(squeezed, expand, 1, f"{name}/expand1x1")
        three = self._conv_relu(squeezed, expand, 3, f"{name}/expand3x3")
        return self.concat(one, three, name=f"{name}/concat")

    def _conv_relu(self, x: str, channels: int, kernel: int, name: str) -> str:
        y = self.conv(x, channels, kernel=kernel, padding=kernel // 2, name=name)
        return self.relu(y, name=f"{name}/relu")

    def finish(self, output: str, *, softmax: bool = False) -> Graph:
        """The verified graph that yields ``output``."""
        graph = Graph(
            name=self._name,
            nodes=tuple(self._nodes),
            values=self._values,
            constants=self._constants,
            input=self.input,
            output=output,
            softmax=softmax,
        )
        verify_graph(graph)
        return graph

    def _random_weight(self, channels: int, kernel: tuple[int, int], fan_in: int) -> np.ndarray:
        if channels < 1:
            raise InternalError("a convolution needs a number of channels, or weights")
        shape = (channels, fan_in, *kernel)
        deviation = np.sqrt(2 / np.prod(shape[1:]))
        weight = self._rng.normal(0, deviation, shape)
        return weight if self._layout is Layout.NCHW else weight.transpose(0, 2, 3, 1)

    def _common(self, name: str, *inputs: str) -> dict[str, Any]:
        return {
            "name": name, "inputs": inputs, "output": name, "provenance": Provenance((name,))
        }

    def _add(self, node: ops.Node) -> str:
        self._claim(node.output)
        operands = [self._operand(i) for i in node.inputs]
        self._values[node.output] = Value(
            node.output, infer_type(node, operands), source=node.output
        )
        self._nodes.append(node)
        return node.output

    def _operand(self, name: str) -> TensorType | HasShape:
        if name in self._constants:
            return self._constants[name]
        if name in self._values:
            return self._values[name].type
        raise InternalError(f"nothing is called {name!r}")

    def _claim(self, name: str) -> None:
        if name in self._values or name in self._constants:
            raise InternalError(f"the name {name!r} is taken")

    def _fresh(self, stem: str) -> str:
        """``stem`` with the next number that is free."""
        while True:
            self._counters[stem] = self._counters.get(stem, 0) + 1
            name = f"{stem}{self._counters[stem]}"
            if name not in self._values and name not in self._constants:
                return name


def _pair(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _padding(margins: Margins) -> Padding:
    if isinstance(margins, Padding):
        return margins
    return Padding(*((margins,) * 4 if isinstance(margins, int) else margins))
