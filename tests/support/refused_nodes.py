"""Nodes that break one rule of the frontend's constraint table each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import TensorProto

from squeeze2c.frontend.constraints import OPERATORS
from tests.support.node_recipes import (
    COMPUTED,
    FINITE,
    MAP,
    MAPS,
    ONE_OUTPUT,
    RESULT,
    Case,
    after,
    conv,
    fixed_map,
    integers,
    node,
    norm,
    pooled,
    scalar,
    second_output,
    vector,
)
from tests.support.onnx_models import OnnxBuilder
from tests.support.refused_windows import WINDOW_CASES

OTHER_CASES = [
    Case(
        "Concat",
        "every input is a feature map computed from the model's input",
        node("Concat", fixed_map, axis=1),
        "input 'fixed1' is a constant",
    ),
    Case(
        "Concat",
        "`axis` is the channel axis, 1 or -3",
        lambda b, x: b.node("Concat", [x, x], name="it", axis=2),
        "axis is 2",
    ),
    Case(
        "Concat",
        "all inputs have the same rows and columns",
        lambda b, x: b.node("Concat", [x, b.max_pool(x, 2)], name="it", axis=1),
        "inputs have shapes (1, 4, 8, 9) and (1, 4, 4, 4)",
    ),
    Case("Add", MAPS, node("Add", fixed_map), "input 'fixed1' is a constant"),
    Case(
        "Add",
        MAPS,
        lambda b, x: b.node("Add", [vector(b, x), x], name="it"),
        "input 'flat' has shape (1, 4)",
    ),
    Case(
        "Add",
        "both have the same shape",
        lambda b, x: b.node("Add", [x, pooled(b, x)], name="it"),
        "inputs have shapes (1, 4, 8, 9) and (1, 4, 1, 1)",
    ),
    Case(
        "Sum",
        "it has two inputs",
        lambda b, x: b.node("Sum", [x, x, x], name="it"),
        "it has 3 inputs",
    ),
    Case("Sum", MAPS, node("Sum", fixed_map), "input 'fixed1' is a constant"),
    Case(
        "Sum",
        "both have the same shape",
        lambda b, x: b.node("Sum", [x, pooled(b, x)], name="it"),
        "(1, 4, 1, 1)",
    ),
    Case(
        "BatchNormalization",
        ONE_OUTPUT,
        second_output(
            "BatchNormalization", *[lambda b: b.constant(b.fresh("p"), np.ones(4, np.float32))] * 4
        ),
        "its output 'second' is used",
        opset=14,
    ),
    Case(
        "BatchNormalization",
        "`training_mode` is 0",
        norm(training_mode=1),
        "training_mode is 1",
        opset=14,
    ),
    Case(
        "BatchNormalization",
        "`spatial` is 1 (opset 7 and 8)",
        norm(spatial=0),
        "spatial is 0",
        opset=7,
    ),
    Case(
        "BatchNormalization",
        "scale, bias, mean and variance are constant floating point (channels)",
        norm((2, np.ones(3, np.float32))),
        "mean 'p2' has shape (3) for 4 channels",
    ),
    Case(
        "BatchNormalization",
        "variance plus `epsilon` is positive",
        norm((3, np.array([1, -1, 1, 1], np.float32))),
        "variance 'p3' goes down to -1.0",
    ),
    Case(
        "BatchNormalization",
        "variance plus `epsilon` is positive",
        norm(epsilon=float("nan")),
        "epsilon is nan",
    ),
    Case(
        "BatchNormalization",
        FINITE,
        norm((0, np.array([1, 2, np.inf, 1], np.float32))),
        "tensor 'p0' holds infinity",
    ),
    Case(
        "Dropout",
        ONE_OUTPUT,
        lambda b, x: b.node(
            "Cast", [second_output("Dropout")(b, x)], name="cast", to=TensorProto.FLOAT
        ),
        "its output 'second' is used",
    ),
    Case(
        "Dropout",
        "`training_mode` is absent or constant false",
        node("Dropout", lambda b: scalar(b, 0.5), lambda b: b.constant("on", np.array(True))),
        "training_mode 'on' may be true",
    ),
    Case(
        "Pad",
        "all pads are 0, so that it does nothing",
        node("Pad", lambda b: integers(b, 0, 0, 1, 1, 0, 0, 1, 1)),
        "it pads by [0, 0, 1, 1, 0, 0, 1, 1]",
    ),
    Case(
        "Pad",
        "all pads are 0, so that it does nothing",
        node("Pad", pads=[0, 0, 0, 1, 0, 0, 0, 0]),
        "it pads by",
        opset=9,
    ),
    Case("Flatten", "the input has the axis `axis`", node("Flatten", axis=5), "no axis 5"),
    Case("Flatten", RESULT, node("Flatten", axis=1), "it turns (1, 4, 8, 9) into (1, 288)"),
    Case(
        "Flatten",
        RESULT,
        after(pooled, node("Flatten", axis=2)),
        "it turns (1, 4, 1, 1) into (4, 1)",
    ),
    Case(
        "Reshape",
        "the new shape is constant",
        lambda b, x: b.node("Reshape", [x, x], name="it"),
        "'map' is not constant",
    ),
    Case(
        "Reshape",
        COMPUTED,
        lambda b, x: b.node("Reshape", [fixed_map(b), x], name="it"),
        "input 'fixed1' is a constant",
    ),
    Case(
        "Squeeze",
        COMPUTED,
        lambda b, x: b.node("Squeeze", [fixed_map(b), x], name="it"),
        "input 'fixed1' is a constant",
    ),
    Case(
        "Reshape",
        "`allowzero` is 0 or 1",
        node("Reshape", lambda b: integers(b, 0, -1), allowzero=3),
        "allowzero is 3",
        opset=14,
    ),
    Case(
        "Reshape",
        "the new shape has as many elements as the input",
        node("Reshape", lambda b: integers(b, 1, 5)),
        "(1, 4, 8, 9) cannot become (1, 5)",
    ),
    Case("Reshape", RESULT, node("Reshape", lambda b: integers(b, 0, -1)), "into (1, 288)"),
    Case(
        "Reshape",
        RESULT,
        after(vector, node("Reshape", lambda b: integers(b, 1, 4, 1, 1))),
        "it turns (1, 4) into (1, 4, 1, 1)",
    ),
    Case(
        "Squeeze",
        "the axes, if given, are constant",
        lambda b, x: b.node("Squeeze", [pooled(b, x), x], name="it"),
        "'map' is not constant",
    ),
    Case(
        "Squeeze",
        "the axes exist and have size 1",
        node("Squeeze", lambda b: integers(b, 1)),
        "(1, 4, 8, 9) cannot be squeezed along (1,)",
    ),
    Case("Squeeze", RESULT, after(pooled, node("Squeeze")), "it turns (1, 4, 1, 1) into (4)"),
    Case(
        "Softmax",
        "the input is (1, channels) or (1, channels, 1, 1)",
        node("Softmax", axis=1),
        "input 'map' has shape (1, 4, 8, 9)",
    ),
    Case(
        "Softmax",
        "`axis` is the channel axis",
        after(pooled, node("Softmax")),
        "it normalises over axes [3] of (1, 4, 1, 1)",
    ),
    Case(
        "Softmax",
        "`axis` is the channel axis",
        after(vector, node("Softmax", axis=0)),
        "it normalises over axes [0] of (1, 4)",
    ),
    Case(
        "Softmax",
        "`axis` is the channel axis",
        after(vector, node("Softmax", axis=0)),
        "it normalises over axes [0, 1] of (1, 4)",
        opset=12,
    ),
    Case(
        "Softmax",
        "`axis` is the channel axis",
        after(vector, node("Softmax", axis=9)),
        "axis is 9, the input (1, 4)",
    ),
    Case(
        "Softmax",
        "nothing but reshaping follows",
        lambda b, x: b.node(
            "Relu", [b.node("Softmax", [pooled(b, x)], name="it", axis=1)], name="relu"
        ),
        "Relu reads it",
    ),
]

MINIMAL: dict[str, Callable[[OnnxBuilder, str], str]] = {
    "Conv": conv(),
    "Relu": node("Relu"),
    "Clip": node("Clip", lambda b: scalar(b, 0)),
    "MaxPool": node("MaxPool", kernel_shape=[2, 2]),
    "GlobalAveragePool": node("GlobalAveragePool"),
    "AveragePool": node("AveragePool", kernel_shape=[8, 9]),
    "ReduceMean": node("ReduceMean", axes=[2, 3]),
    "BatchNormalization": norm(),
    "Dropout": node("Dropout"),
    "Pad": node("Pad", lambda b: integers(b, *[0] * 8)),
    "Flatten": node("Flatten"),
    "Softmax": node("Softmax", axis=1),
}
"""Supported nodes, but for the input that they read."""

GENERAL_CASES = [
    Case(op, MAP, after(vector, MINIMAL[op]), "input 'flat' has shape (1, 4)")
    for op in MINIMAL
    if OPERATORS[op].rules[0].text == MAP
]
GENERAL_CASES += [
    Case(op, OPERATORS[op].rules[0].text, after(fixed_map, MINIMAL[op]), "is a constant")
    for op in MINIMAL
]

CASES = [*WINDOW_CASES, *OTHER_CASES, *GENERAL_CASES]
