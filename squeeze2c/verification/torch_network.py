"""A float ONNX model executed by PyTorch.

It reads ONNX by itself rather than through :mod:`squeeze2c.frontend`: a reference that
shared the frontend would share its mistakes. What computes on feature maps is PyTorch's;
most that merely moves or shapes data is left to ONNX's own evaluator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from squeeze2c.errors import Squeeze2cError

Tensor = Any
Attributes = Mapping[str, Any]
Operator = Callable[[Any, Sequence[Tensor], Attributes], Tensor]
"""The module ``torch``, inputs and attributes of a node to its first output."""


class TorchNetwork:
    """The outputs of ``model`` for one image at a time. Float tensors are float32."""

    def __init__(self, torch: Any, model: onnx.ModelProto, image: str) -> None:
        """``torch`` is the module; ``image`` names the model's input."""
        self._torch = torch
        self._image = image
        self._outputs = [o.name for o in model.graph.output]
        self._opsets = {o.domain: o.version for o in model.opset_import}
        self._constants: dict[str, Tensor] = {
            i.name: self._tensor(numpy_helper.to_array(i)) for i in model.graph.initializer
        }
        self._nodes: list[tuple[onnx.NodeProto, ReferenceEvaluator | None]] = []
        for node in model.graph.node:
            step = node, None if node.op_type in _OPERATORS else self._evaluator(node)
            if all(not name or name in self._constants for name in node.input):
                self._execute(*step, self._constants)
            else:
                self._nodes.append(step)

    def __call__(self, image: np.ndarray) -> list[np.ndarray]:
        """All outputs, in order, for ``image`` float32 (1, channels, rows, cols)."""
        values = {**self._constants, self._image: self._tensor(image)}
        with self._torch.no_grad():
            for node, evaluator in self._nodes:
                self._execute(node, evaluator, values)
        return [values[name].numpy() for name in self._outputs]

    def _execute(
        self,
        node: onnx.NodeProto,
        evaluator: ReferenceEvaluator | None,
        values: dict[str, Tensor],
    ) -> None:
        """Add the outputs of ``node`` to ``values``."""
        try:
            if evaluator is None:
                operands = [values[name] if name else None for name in node.input]
                attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
                values[node.output[0]] = _OPERATORS[node.op_type](self._torch, operands, attributes)
                return
            feeds = {name: values[name].numpy() for name in node.input if name}
            results: Any = evaluator.run(None, feeds)
        except Exception as error:
            raise _cannot_execute(node, error) from error
        for name, array in zip(node.output, results, strict=False):
            values[name] = self._tensor(np.asarray(array))

    def _evaluator(self, node: onnx.NodeProto) -> ReferenceEvaluator:
        try:
            return ReferenceEvaluator(node, opsets=self._opsets)
        except Exception as error:
            raise _cannot_execute(node, error) from error

    def _tensor(self, array: np.ndarray) -> Tensor:
        return self._torch.from_numpy(np.array(array))


def _cannot_execute(node: onnx.NodeProto, error: Exception) -> Squeeze2cError:
    return Squeeze2cError(
        f"operator {node.op_type} cannot be executed: {error}",
        where=node.name,
        hint="compare with onnxruntime, or give an nn.Module of your own",
    )


def _convolution(torch: Any, operands: Sequence[Tensor], attributes: Attributes) -> Tensor:
    x, weight = operands[:2]
    strides, dilations = _pair(attributes, "strides"), _pair(attributes, "dilations")
    pads = _pads(x.shape[2:], weight.shape[2:], strides, dilations, attributes)
    padded = torch.nn.functional.pad(x, pads)
    return torch.nn.functional.conv2d(
        padded, weight, operands[2] if len(operands) > 2 else None,
        stride=strides, dilation=dilations, groups=attributes.get("group", 1),
    )  # fmt: skip


def _max_pool(torch: Any, operands: Sequence[Tensor], attributes: Attributes) -> Tensor:
    x = operands[0]
    kernel = tuple(attributes["kernel_shape"])
    strides, dilations = _pair(attributes, "strides"), _pair(attributes, "dilations")
    pads = _pads(x.shape[2:], kernel, strides, dilations, attributes)
    if attributes.get("ceil_mode", 0):
        for axis, last in ((0, 3), (1, 1)):
            size, begin = x.shape[2 + axis], pads[last - 1]
            extent = dilations[axis] * (kernel[axis] - 1) + 1
            steps = -(-(size + begin + pads[last] - extent) // strides[axis])
            if steps * strides[axis] < size + begin:  # else it would begin in the padding
                pads[last] = max(pads[last], steps * strides[axis] + extent - size - begin)
    padded = torch.nn.functional.pad(x, pads, value=-torch.inf)
    return torch.nn.functional.max_pool2d(padded, kernel, strides, dilation=dilations)


def _pads(
    size: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    attributes: Attributes,
) -> list[int]:
    """Padding in PyTorch's order: left, right, top, bottom."""
    mode = attributes.get("auto_pad", b"NOTSET").decode()
    if not mode.startswith("SAME"):
        top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
        return [left, right, top, bottom]
    result: list[int] = []
    for axis in (1, 0):
        extent = dilations[axis] * (kernel[axis] - 1) + 1
        steps = -(-size[axis] // strides[axis]) - 1
        total = max(steps * strides[axis] + extent - size[axis], 0)
        less, more = total // 2, total - total // 2
        result += [less, more] if mode == "SAME_UPPER" else [more, less]
    return result


def _pair(attributes: Attributes, name: str) -> tuple[int, ...]:
    return tuple(attributes.get(name, (1, 1)))


def _batch_norm(torch: Any, operands: Sequence[Tensor], attributes: Attributes) -> Tensor:
    x, scale, bias, mean, variance = operands
    return torch.nn.functional.batch_norm(
        x, mean, variance, scale, bias, eps=attributes.get("epsilon", 1e-5)
    )


def _clip(torch: Any, operands: Sequence[Tensor], attributes: Attributes) -> Tensor:
    """Limits are attributes before opset 11, optional inputs since."""
    low, high = (
        operands[index] if len(operands) > index else attributes.get(name)
        for index, name in ((1, "min"), (2, "max"))
    )
    return operands[0] if low is None and high is None else torch.clamp(operands[0], low, high)


def _unsqueeze(torch: Any, operands: Sequence[Tensor], attributes: Attributes) -> Tensor:
    result, axes = operands[0], _axes(operands, attributes)
    rank = result.dim() + len(axes)
    for axis in sorted(a % rank for a in axes):
        result = result.unsqueeze(axis)
    return result


def _squeeze(torch: Any, operands: Sequence[Tensor], attributes: Attributes) -> Tensor:
    """Without axes, every axis of length 1 goes."""
    axes = _axes(operands, attributes)
    return operands[0].squeeze(tuple(axes)) if axes else operands[0].squeeze()


def _axes(operands: Sequence[Tensor], attributes: Attributes) -> list[int]:
    """An attribute before opset 13, an input since."""
    if len(operands) > 1 and operands[1] is not None:
        return [int(axis) for axis in operands[1]]
    return list(attributes.get("axes", ()))


def _sum(torch: Any, operands: Sequence[Tensor], attributes: Attributes) -> Tensor:
    return sum(operands[1:], operands[0])


def _unchanged(torch: Any, operands: Sequence[Tensor], attributes: Attributes) -> Tensor:
    return operands[0]


# Those that ONNX's evaluator does slowly, or right in the form of recent opsets only.
_OPERATORS: Mapping[str, Operator] = {
    "Add": _sum,
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Dropout": _unchanged,
    "Concat": lambda torch, x, attributes: torch.cat(tuple(x), attributes["axis"]),
    "Conv": _convolution,
    "GlobalAveragePool": lambda torch, x, attributes: x[0].mean(dim=(2, 3), keepdim=True),
    "MaxPool": _max_pool,
    "Relu": lambda torch, x, attributes: torch.relu(x[0]),
    "Squeeze": _squeeze,
    "Sum": _sum,
    "Unsqueeze": _unsqueeze,
}
