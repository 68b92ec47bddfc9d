"""Damaged files yield an error of squeeze2c or a valid graph, never anything else."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from squeeze2c.errors import InternalError, Squeeze2cError
from squeeze2c.frontend import load_onnx, read_onnx
from tests.support.onnx_models import OnnxBuilder

TRIES = 600
NUMBERS = (-(2**63), 2**63 - 1, 2**31, 10**12, -3, -1, 0, 1, 2, 3, 4, 5, 7, 1000)
OPERATORS = (
    "Relu", "Conv", "MaxPool", "Concat", "Add", "Sum", "Gemm", "Squeeze", "Flatten", "Pad",
    "Unsqueeze", "Size", "Cast", "Mul", "Div", "Transpose", "Identity", "Dropout", "Nothing",
)


def varied_model(opset: int) -> onnx.ModelProto:
    """A small model with as many kinds of operators and attributes as will fit."""
    build = OnnxBuilder((1, 3, 12, 12), seed=3, opset=opset)
    x = build.batch_norm(build.conv(build.input, 4, 3, auto_pad="SAME_UPPER"))
    x = build.max_pool(x, ceil_mode=True if opset >= 10 else None)
    x = build.dropout(build.fire(x, 2, 2, bypass=True))
    x = build.conv(x, 3, 1, pads=(0, 1, 1, 0), stride=2, group=1, dilations=[1, 1])
    if opset < 11:
        x = build.node("Clip", [x], min=0.0)
    else:
        x = build.node("Clip", [x, build.constant("low", np.array(0, np.float32))])
    if opset < 18:
        x = build.node("ReduceMean", [x], axes=[2, 3], keepdims=1)
    else:
        x = build.node("ReduceMean", [x, build.constant("axes", np.array([2, 3]))], keepdims=1)
    zero = build.node("Constant", [], value=numpy_helper.from_array(np.array([0])))
    batch = build.node("Gather", [build.node("Shape", [x]), zero])
    if opset >= 10:
        ends = [build.constant("start", np.array([0])), build.constant("end", np.array([1]))]
        batch = build.node("Slice", [batch, *ends])
    target = build.node("Concat", [batch, build.constant("rest", np.array([3]))], axis=0)
    x = build.node("Softmax", [build.node("Reshape", [x, target])], axis=1)
    return build.finish(x, output_shape=(1, 3))


def outcome(data: bytes, path: Path) -> str:
    """Reads ``data`` as a model; anything but success or a user's error escapes."""
    path.write_bytes(data)
    try:
        read_onnx(load_onnx(path))
    except InternalError:
        raise
    except Squeeze2cError as error:
        assert "\n" not in str(error)
        return type(error).__name__
    return "read"


def test_intact_models_are_read(tmp_path: Path) -> None:
    for opset in (7, 9, 10, 12, 13, 18, 22):
        assert outcome(varied_model(opset).SerializeToString(), tmp_path / "m.onnx") == "read"


def truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice([1, 1, 1, 2, 8])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def overwrite(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice([1, 1, 1, 2, 8])):
        data[rng.randrange(len(data))] = rng.randrange(256)


def cut(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.randrange(1, 20)]


@pytest.mark.parametrize("damage", [truncate, flip, overwrite, cut])
def test_damaged_bytes(
    tmp_path: Path, damage: Callable[[bytearray, random.Random], None]
) -> None:
    rng = random.Random(damage.__name__)
    intact = varied_model(13).SerializeToString()
    outcomes: Counter[str] = Counter()
    for _ in range(TRIES // 4):
        data = bytearray(intact)
        damage(data, rng)
        outcomes[outcome(bytes(data), tmp_path / "m.onnx")] += 1
    assert outcomes["ModelLoadError"]


def mutate(model: onnx.ModelProto, rng: random.Random) -> None:
    """Changes one field: the file stays a model, but often one without sense."""
    graph = model.graph
    node = rng.choice(graph.node)
    tensor = rng.choice(graph.initializer)
    names = [o for n in graph.node for o in n.output] + [t.name for t in graph.initializer]
    kind = rng.randrange(11)
    if kind == 0 and node.attribute:
        attribute = rng.choice(node.attribute)
        if attribute.ints:
            attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(NUMBERS)
        elif attribute.type == onnx.AttributeProto.INT:
            attribute.i = rng.choice(NUMBERS)
        elif attribute.type == onnx.AttributeProto.FLOAT:
            attribute.f = rng.choice([float("nan"), float("inf"), -1.0, 0.0])
        elif attribute.type == onnx.AttributeProto.STRING:
            attribute.s = rng.choice([b"VALID", b"SAME_LOWER", b"", b"\xff\xfe"])
    elif kind == 1 and node.attribute:
        attribute = rng.choice(node.attribute)
        attribute.ints.extend(rng.choices(NUMBERS, k=rng.randrange(3)))
    elif kind == 2 and node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice([*names, "input", ""])
    elif kind == 3:
        node.op_type = rng.choice(OPERATORS)
    elif kind == 4 and tensor.dims:
        tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(NUMBERS)
    elif kind == 5:
        tensor.data_type = rng.randrange(26)
    elif kind == 6:
        tensor.raw_data = tensor.raw_data[: rng.randrange(len(tensor.raw_data) + 1)]
    elif kind == 7:
        dims = graph.input[0].type.tensor_type.shape.dim
        rng.choice(dims).dim_value = rng.choice(NUMBERS)
    elif kind == 8:
        graph.node.remove(node)
    elif kind == 9:
        node.input.append(rng.choice(names))
    elif kind == 10 and node.input:
        del node.input[-1]


def test_senseless_models(tmp_path: Path) -> None:
    rng = random.Random(1)
    models = [varied_model(opset) for opset in (7, 10, 13, 18, 22)]
    outcomes: Counter[str] = Counter()
    for _ in range(TRIES):
        model = onnx.ModelProto()
        model.CopyFrom(rng.choice(models))
        for _ in range(rng.choice([1, 1, 2, 3])):
            mutate(model, rng)
        outcomes[outcome(model.SerializeToString(), tmp_path / "m.onnx")] += 1
    for kind in ("read", "ModelLoadError", "ShapeError", "UnsupportedModelError"):
        assert outcomes[kind], f"the mutations should also reach: {kind}"
