"""A float ONNX model in 32 bits, whatever precision its file has.

squeeze2c reads 16- and 64-bit models as if they were of 32 bits; what it is compared with must
do the same, and takes float32 images.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, numpy_helper

_OTHERS = (TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)


def in_float32(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of ``model`` in which every floating-point tensor is float32.

    Inferred types are dropped, for they may say otherwise.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    del graph.value_info[:]
    for info in (*graph.input, *graph.output):
        if info.type.tensor_type.elem_type in _OTHERS:
            info.type.tensor_type.elem_type = TensorProto.FLOAT
    _convert(graph.initializer)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                _convert([attribute.t])
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in _OTHERS:
                attribute.i = TensorProto.FLOAT
    return result


def _convert(tensors: Iterable[TensorProto]) -> None:
    """Replace, in place, the contents of tensors of another precision."""
    for tensor in tensors:
        if tensor.data_type in _OTHERS:
            with np.errstate(over="ignore"):
                array = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
