"""Builds ONNX models node by node, with random weights, for tests.

Weights are He-normal: whatever the depth, feature maps keep the magnitude of the input
times the ``gain`` of the first convolution. The same calls always give the same model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8
Pads = int | tuple[int, int, int, int]
"""All four sides, or ONNX's order: top, left, bottom, right."""


class OnnxBuilder:
    """Collects nodes and initialisers; every method returns the name of the tensor it makes.

    ``channels`` maps the names of feature maps to their number of channels.
    """

    def __init__(
        self,
        input_shape: Sequence[int | str | None] = (1, 3, 32, 32),
        *,
        seed: int = 0,
        opset: int = OPSET,
        input_name: str = "input",
        elem_type: int = TensorProto.FLOAT,
    ) -> None:
        self.input = input_name
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.rng = np.random.default_rng(seed)
        self.elem_type = elem_type
        self._input_info = helper.make_tensor_value_info(input_name, elem_type, list(input_shape))
        channels = input_shape[1] if len(input_shape) > 1 else None
        self.channels: dict[str, int] = {
            input_name: channels if isinstance(channels, int) else 3
        }
        self._counts: dict[str, int] = {}

    # --- the two primitives -------------------------------------------------------

    def constant(self, name: str, array: np.ndarray) -> str:
        """Adds an initialiser of the array's own type."""
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(
        self,
        op: str,
        inputs: Sequence[str],
        *,
        name: str | None = None,
        outputs: Sequence[str] | None = None,
        **attributes: Any,
    ) -> str:
        """Adds any node; its output is called as the node unless ``outputs`` says otherwise.

        ``name=""`` leaves the node without a name. Attributes that are None are left out.
        """
        label = self.fresh(op) if name is None else name
        results = list(outputs) if outputs is not None else [label or self.fresh(op)]
        attributes = {k: v for k, v in attributes.items() if v is not None}
        self.nodes.append(helper.make_node(op, list(inputs), results, name=label, **attributes))
        if inputs and inputs[0] in self.channels:
            self.channels[results[0]] = self.channels[inputs[0]]
        return results[0]

    def fresh(self, stem: str) -> str:
        """A name that is not yet taken."""
        self._counts[stem] = self._counts.get(stem, 0) + 1
        return f"{stem.lower()}{self._counts[stem]}"

    # --- layers -------------------------------------------------------------------

    def conv(
        self,
        x: str,
        outputs: int,
        kernel: int | tuple[int, int] = 3,
        *,
        stride: int | tuple[int, int] = 1,
        pads: Pads = 0,
        auto_pad: str | None = None,
        bias: bool = True,
        relu: bool = True,
        gain: float = 1.0,
        name: str | None = None,
        **attributes: Any,
    ) -> str:
        """Convolution with random weights (times ``gain``), followed by Relu if ``relu``."""
        name = name or self.fresh("conv")
        rows, cols = pair(kernel)
        inputs = self.channels[x]
        deviation = gain * np.sqrt(2.0 / (inputs * rows * cols))
        weight = self.rng.normal(0, deviation, (outputs, inputs, rows, cols))
        operands = [x, self.constant(f"{name}.weight", self._as_elem(weight))]
        if bias:
            offsets = self.rng.normal(0, 0.1, outputs)
            operands.append(self.constant(f"{name}.bias", self._as_elem(offsets)))
        y = self.node(
            "Conv", operands, name=name, kernel_shape=[rows, cols], strides=list(pair(stride)),
            pads=None if auto_pad else _pads(pads), auto_pad=auto_pad, **attributes,
        )
        self.channels[y] = outputs
        return self.relu(y, name=f"{name}.relu") if relu else y

    def relu(self, x: str, *, name: str | None = None) -> str:
        return self.node("Relu", [x], name=name)

    def max_pool(
        self,
        x: str,
        kernel: int | tuple[int, int] = 3,
        *,
        stride: int | tuple[int, int] = 2,
        pads: Pads = 0,
        auto_pad: str | None = None,
        ceil_mode: bool | None = None,
        name: str | None = None,
        **attributes: Any,
    ) -> str:
        return self.node(
            "MaxPool", [x], name=name, kernel_shape=list(pair(kernel)),
            strides=list(pair(stride)), pads=None if auto_pad else _pads(pads),
            auto_pad=auto_pad, ceil_mode=None if ceil_mode is None else int(ceil_mode),
            **attributes,
        )

    def batch_norm(self, x: str, *, name: str | None = None, epsilon: float = 1e-5) -> str:
        name = name or self.fresh("bn")
        count = self.channels[x]
        parts = {
            "scale": self.rng.uniform(0.5, 1.5, count),
            "bias": self.rng.normal(0, 0.2, count),
            "mean": self.rng.normal(0, 0.2, count),
            "var": self.rng.uniform(0.5, 2.0, count),
        }
        operands = [self.constant(f"{name}.{k}", self._as_elem(v)) for k, v in parts.items()]
        return self.node("BatchNormalization", [x, *operands], name=name, epsilon=epsilon)

    def concat(self, *xs: str, axis: int = 1, name: str | None = None) -> str:
        y = self.node("Concat", xs, name=name, axis=axis)
        self.channels[y] = sum(self.channels[x] for x in xs)
        return y

    def add(self, a: str, b: str, *, relu: bool = False, name: str | None = None) -> str:
        y = self.node("Add", [a, b], name=name)
        return self.relu(y) if relu else y

    def dropout(self, x: str, *, name: str | None = None) -> str:
        return self.node("Dropout", [x], name=name)

    def fire(
        self, x: str, squeeze: int, expand: int, *, name: str | None = None, bypass: bool = False
    ) -> str:
        """A Fire module with 2 * ``expand`` outputs; ``bypass`` adds ``x`` to them."""
        name = name or self.fresh("fire")
        squeezed = self.conv(x, squeeze, 1, name=f"{name}/squeeze1x1")
        one = self.conv(squeezed, expand, 1, name=f"{name}/expand1x1")
        three = self.conv(squeezed, expand, 3, pads=1, name=f"{name}/expand3x3")
        joined = self.concat(one, three, name=f"{name}/concat")
        return self.add(joined, x, name=f"{name}/bypass") if bypass else joined

    def classifier(
        self,
        x: str,
        classes: int,
        *,
        softmax: bool = False,
        relu: bool = True,
        flatten: bool = True,
        name: str = "conv10",
    ) -> str:
        """conv10, global average pool, Flatten and Softmax: how every SqueezeNet ends."""
        x = self.conv(x, classes, 1, relu=relu, name=name)
        x = self.node("GlobalAveragePool", [x], name="pool10")
        if flatten:
            x = self.node("Flatten", [x], name="logits", axis=1)
        return self.node("Softmax", [x], name="prob", axis=1) if softmax else x

    # --- the end ------------------------------------------------------------------

    def finish(
        self,
        *outputs: str,
        name: str = "model",
        check: bool = True,
        output_shape: Sequence[int | str] | None = None,
        weights_as_inputs: bool = False,
        ir_version: int = IR_VERSION,
    ) -> onnx.ModelProto:
        """The model.

        Outputs get the shapes that ONNX infers, or ``output_shape`` where it cannot.
        ``weights_as_inputs`` lists initialisers among the graph's inputs too, as files of
        IR version 3 do. ``check`` runs the ONNX checker.
        """
        inputs = [self._input_info]
        if weights_as_inputs:
            inputs += [
                helper.make_tensor_value_info(t.name, t.data_type, list(t.dims))
                for t in self.initializers
            ]
        infos = [helper.make_tensor_value_info(o, self.elem_type, None) for o in outputs]
        graph = helper.make_graph(self.nodes, name, inputs, infos, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = ir_version
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph.output
        for info, found in zip(model.graph.output, inferred, strict=True):
            info.CopyFrom(found)
            if not found.type.tensor_type.HasField("shape") and output_shape is not None:
                info.CopyFrom(
                    helper.make_tensor_value_info(info.name, self.elem_type, list(output_shape))
                )
        if check:
            onnx.checker.check_model(model)
        return model

    def _as_elem(self, array: np.ndarray) -> np.ndarray:
        return array.astype(helper.tensor_dtype_to_np_dtype(self.elem_type))


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def _pads(pads: Pads) -> list[int]:
    return [pads] * 4 if isinstance(pads, int) else list(pads)
