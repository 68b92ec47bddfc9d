"""What must hold of a model as a whole: versions, inputs, outputs, and its static shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from squeeze2c.errors import ShapeError, UnsupportedModelError, UsageError
from squeeze2c.frontend.shapes import Shape, show

OLDEST_OPSET = 7
NEWEST_OPSET = 28
OLDEST_IR = 3
FLOAT_TYPES = (
    TensorProto.FLOAT,
    TensorProto.FLOAT16,
    TensorProto.BFLOAT16,
    TensorProto.DOUBLE,
)

_USUAL = (1, 3, 224, 224)


@dataclass(frozen=True, slots=True)
class ModelRule:
    """``text`` says what must hold; ``check`` returns what is found instead, None if it holds."""

    text: str
    check: Callable[[onnx.ModelProto], str | None]
    hint: str = ""
    shape: bool = False

    def enforce(self, model: onnx.ModelProto, path: str) -> None:
        """Raises :class:`ShapeError` (if ``shape``) or :class:`UnsupportedModelError`."""
        found = self.check(model)
        if found is None:
            return
        hint = self.hint or f"squeeze2c reads models where {self.text}"
        if self.shape:
            raise ShapeError(found, where=path, hint=hint)
        raise UnsupportedModelError(found, where=path, hint=hint)


def true_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Inputs that are not initialisers: old files list weights among the inputs."""
    weights = {tensor.name for tensor in graph.initializer}
    return [info for info in graph.input if info.name not in weights]


def _names(infos: Sequence[onnx.ValueInfoProto]) -> str:
    shown = ", ".join(repr(info.name) for info in infos[:3])
    return f"{shown}, ..." if len(infos) > 3 else shown


def _one_input(model: onnx.ModelProto) -> str | None:
    inputs = true_inputs(model.graph)
    if len(inputs) == 1:
        return None
    return f"it has {len(inputs)} inputs: {_names(inputs)}" if inputs else "it has no input"


def _one_output(model: onnx.ModelProto) -> str | None:
    outputs = model.graph.output
    if len(outputs) == 1:
        return None
    return f"it has {len(outputs)} outputs: {_names(outputs)}" if outputs else "it has no output"


def _float_input(model: onnx.ModelProto) -> str | None:
    info = true_inputs(model.graph)[0]
    if not info.type.HasField("tensor_type"):
        return f"input {info.name!r} is not a tensor"
    kind = info.type.tensor_type.elem_type
    if kind in FLOAT_TYPES:
        return None
    name = TensorProto.DataType.Name(kind) if kind in TensorProto.DataType.values() else str(kind)
    return f"input {info.name!r} has element type {name}"


def _rank_4(model: onnx.ModelProto) -> str | None:
    info = true_inputs(model.graph)[0]
    tensor = info.type.tensor_type
    if not tensor.HasField("shape") or len(tensor.shape.dim) == 4:
        return None
    return f"input {info.name!r} has shape {show(dimensions(info))}"


def _no_sparse(model: onnx.ModelProto) -> str | None:
    count = len(model.graph.sparse_initializer)
    return f"it has {count} sparse initialisers" if count else None


MODEL_RULES = (
    ModelRule(
        "it has one input (initialisers may be listed among the inputs)",
        _one_input,
        "export it with its weights and with the image as its only input",
    ),
    ModelRule("it has one output", _one_output, "export it with the logits or Softmax only"),
    ModelRule(
        "the input is floating point",
        _float_input,
        "give the float model; squeeze2c quantizes it and takes pixels itself",
    ),
    ModelRule(
        "the input has the four axes NCHW: batch, channels, rows, columns", _rank_4, shape=True
    ),
    ModelRule("initialisers are dense", _no_sparse),
)
"""Checked in order; the batch and the output are checked when shapes are known."""

STATIC_SHAPE_TEXT = (
    "the batch is 1 and all sizes of the input are fixed in the file or pinned with `--input-shape`"
)
OUTPUT_TEXT = "the output is (1, classes) or (1, classes, 1, 1)"
NETWORK_TEXTS = (
    "global average pooling comes last; nothing but reshaping and Softmax follows",
    "BatchNormalization follows Conv, also through Concat or MaxPool",
    "Relu follows Conv, BatchNormalization, Add, Concat or MaxPool, "
    "or what cannot be negative anyway",
    "Conv and MaxPool read the image; others may where the model takes pixels as they are",
)
"""What the passes ask of a network. They refuse others; this is for the documentation."""


def dimensions(info: onnx.ValueInfoProto) -> tuple[int | str, ...]:
    """Sizes of a tensor, the name (or ``?``) where a size is dynamic."""
    return tuple(
        dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else dim.dim_param or "?"
        for dim in info.type.tensor_type.shape.dim
    )


def static_input_shape(
    info: onnx.ValueInfoProto, path: str, pinned: Sequence[int | np.integer[Any]] | None
) -> tuple[int, int, int, int]:
    """The static NCHW shape of the model's input.

    ``pinned`` gives the sizes that the file leaves open and must agree with the others.
    Raises :class:`ShapeError` where a size stays unknown, disagrees, or the batch is not
    1; :class:`UsageError` where ``pinned`` is not four positive numbers.
    """
    declared = dimensions(info) or ("?",) * 4
    where = f"{path}: input {info.name!r}"
    if pinned is None:
        sizes: Shape = tuple(size for size in declared if isinstance(size, int))
        if len(sizes) != 4:
            usual = [s if isinstance(s, int) else u for s, u in zip(declared, _USUAL, strict=True)]
            example = ",".join(str(size) for size in (1, *usual[1:]))
            raise ShapeError(
                f"its shape {show(declared)} is not static",
                where=where,
                hint=f"pin it with --input-shape, for example --input-shape {example}",
            )
    else:
        if len(pinned) != 4 or not all(isinstance(s, (int, np.integer)) and s >= 1 for s in pinned):
            raise UsageError(
                f"an input shape is four positive numbers, got {show(pinned)}",
                hint="give batch, channels, rows, columns, such as 1,3,224,224",
            )
        sizes = tuple(int(size) for size in pinned)
        if any(isinstance(d, int) and d != s for d, s in zip(declared, sizes, strict=True)):
            raise ShapeError(
                f"its shape is {show(declared)}, which does not agree with {show(sizes)}",
                where=where,
                hint="an input shape can only pin sizes that the model leaves open",
            )
    n, channels, rows, cols = sizes
    if n != 1:
        raise ShapeError(
            f"the batch is {n}, squeeze2c compiles a batch of 1",
            where=where,
            hint="export the model with batch 1 or a dynamic batch",
        )
    return n, channels, rows, cols


def check_output(name: str, shape: Shape, path: str) -> None:
    """Raises :class:`ShapeError` where the model's output is not a vector of logits."""
    if len(shape) == 2 or (len(shape) == 4 and shape[2:] == (1, 1)):
        return
    raise ShapeError(
        f"its shape is {show(shape)}, expected (1, classes) or (1, classes, 1, 1)",
        where=f"{path}: output {name!r}",
        hint="squeeze2c reads classifiers that end in global average pooling",
    )
