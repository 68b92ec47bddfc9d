"""What rules and importers see of an ONNX node: names, attributes, shapes, constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import onnx
from onnx import helper, numpy_helper

from squeeze2c.errors import ModelLoadError
from squeeze2c.frontend.shapes import Shape

_T = TypeVar("_T")

STANDARD_DOMAIN = ""
"""Domain of the operators of standard ONNX."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything known about tensors while a graph is read; grows node by node.

    ``shapes`` holds the ONNX shapes of feature maps and vectors computed from the
    model's input. ``arrays`` holds constants, in the element type of the file;
    initialisers get there when first asked for. ``consumers`` maps tensors to the live
    nodes that read them.
    """

    path: str
    opset: int
    output: str
    initializers: Mapping[str, onnx.TensorProto]
    consumers: Mapping[str, tuple[onnx.NodeProto, ...]]
    shapes: dict[str, Shape] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def constant(self, name: str) -> np.ndarray | None:
        """The array called ``name``; None where it is not constant.

        Raises :class:`ModelLoadError` where an initialiser is damaged.
        """
        if name not in self.arrays and name in self.initializers:
            tensor = self.initializers[name]
            self.arrays[name] = tensor_array(tensor, f"{self.path}: tensor {name!r}")
        return self.arrays.get(name)

    def is_read(self, name: str) -> bool:
        """Whether anything reads the tensor ``name``."""
        return name == self.output or bool(self.consumers.get(name))


def tensor_array(tensor: onnx.TensorProto, where: str) -> np.ndarray:
    """The contents of ``tensor``. Raises :class:`ModelLoadError` where they are damaged."""
    try:
        if any(size < 0 for size in tensor.dims):
            raise ValueError(f"its shape is {list(tensor.dims)}")
        array: np.ndarray = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, OverflowError, MemoryError) as problem:
        raise ModelLoadError(f"damaged tensor: {problem}", where=where) from problem
    return array


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """One node. ``name`` is its own or, where it has none, made of operator and position."""

    proto: onnx.NodeProto
    name: str
    scope: Scope

    @property
    def op(self) -> str:
        return self.proto.op_type

    @property
    def opset(self) -> int:
        return self.scope.opset

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(self.proto.input)

    @property
    def output(self) -> str:
        return str(self.proto.output[0])

    @property
    def where(self) -> str:
        """The node for messages; a made-up name is told apart by the output tensor."""
        if self.proto.name:
            return f"{self.name} ({self.op})"
        return f"{self.name} ({self.op} without a name, output {self.output!r})"

    def input(self, index: int) -> str:
        """Name of an input, "" where the optional input is absent."""
        return str(self.proto.input[index]) if index < len(self.proto.input) else ""

    def shape(self, index: int = 0) -> Shape | None:
        """ONNX shape of an input computed from the model's input; None for all others."""
        return self.scope.shapes.get(self.input(index))

    def map_shape(self, index: int = 0) -> tuple[int, int, int, int]:
        """:meth:`shape` of an input that is known to be a feature map."""
        n, channels, rows, cols = self.scope.shapes[self.input(index)]
        return n, channels, rows, cols

    def constant(self, index: int) -> np.ndarray | None:
        """Array of a constant input; None where it is absent or not constant."""
        name = self.input(index)
        return self.scope.constant(name) if name else None

    def integers(self, index: int) -> tuple[int, ...] | None:
        """Elements of a constant input of integers; None where it is anything else."""
        array = self.constant(index)
        if array is None or not np.issubdtype(array.dtype, np.integer):
            return None
        return tuple(int(element) for element in array.reshape(-1))

    def attribute(self, name: str, default: _T) -> _T:
        """An attribute, ``default`` (of the same type) where the node does not have it."""
        found = self.raw_attribute(name)
        return default if found is None else found

    def raw_attribute(self, name: str) -> Any:
        """An attribute's value: int, float, str, tuple or TensorProto; None where absent."""
        for attribute in self.proto.attribute:
            if attribute.name == name:
                value = helper.get_attribute_value(attribute)
                if isinstance(value, bytes):
                    return value.decode(errors="replace")
                return value if isinstance(value, (int, float, onnx.TensorProto)) else tuple(value)
        return None
