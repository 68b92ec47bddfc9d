"""An ONNX model cut so that it yields chosen tensors, inner ones included."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnx import TensorProto, helper

from squeeze2c.errors import ShapeError


def expose(model: onnx.ModelProto, tensors: Sequence[str]) -> onnx.ModelProto:
    """A copy of ``model`` whose outputs are ``tensors``, in order; what they do not need is gone.

    Every tensor must be computed by a node of the model.
    """
    by_output = {name: node for node in model.graph.node for name in node.output}
    needed: set[str] = set()
    pending = list(tensors)
    while pending:
        name = pending.pop()
        if name in by_output and name not in needed:
            needed.update(by_output[name].output)
            pending += by_output[name].input
    cut = onnx.ModelProto()
    cut.CopyFrom(model)
    del cut.graph.node[:]
    cut.graph.node.extend(n for n in model.graph.node if needed.intersection(n.output))
    read = {name for node in cut.graph.node for name in node.input}
    del cut.graph.initializer[:]
    cut.graph.initializer.extend(i for i in model.graph.initializer if i.name in read)
    # Files of IR version 3 list their weights among the inputs.
    image = image_input(model)
    del cut.graph.input[:]
    cut.graph.input.extend(i for i in model.graph.input if i.name == image)
    del cut.graph.output[:]
    # Without a shape: the runtime infers it, and a declared one could only be wrong.
    cut.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in tensors
    )
    return cut


def computed(model: onnx.ModelProto) -> frozenset[str]:
    """Names of all tensors that nodes of ``model`` compute."""
    return frozenset(name for node in model.graph.node for name in node.output if name)


def image_input(model: onnx.ModelProto) -> str:
    """The name of the one input that is not an initialiser. Raises :class:`ShapeError`."""
    constant = {i.name for i in model.graph.initializer}
    inputs = [str(i.name) for i in model.graph.input if i.name not in constant]
    if len(inputs) != 1:
        raise ShapeError(f"the float model has inputs {inputs}, expected one image")
    return inputs[0]


def logits_of(model: onnx.ModelProto) -> str:
    """The tensor before a final Softmax, or the first output of a model that has none."""
    output = str(model.graph.output[0].name)
    producer = next((n for n in model.graph.node if output in n.output), None)
    if producer is not None and producer.op_type in ("Softmax", "LogSoftmax"):
        return str(producer.input[0])
    return output
