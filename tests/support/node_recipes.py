"""Single nodes to put into a model, and cases of nodes that break a rule of the frontend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.support.onnx_models import OnnxBuilder

Recipe = Callable[[OnnxBuilder, str], str]
"""Adds the node under test, which reads the feature map named, and returns its output."""


@dataclass(frozen=True)
class Case:
    """``recipe`` breaks the rule of ``op`` whose text is ``rule``; the message has ``words``."""

    op: str
    rule: str
    recipe: Recipe
    words: str
    opset: int = 13

    def __str__(self) -> str:
        return f"{self.op}: {self.words}"


MAP = "the input is a feature map (1, channels, rows, columns) computed from the model's input"
COMPUTED = "the input is computed from the model's input"
ONE_OUTPUT = "only the first output is used"
DILATIONS = "`dilations` are 1"
STRIDES = "`strides` are two numbers from 1 to 4"
AUTO_PAD = "`auto_pad` is NOTSET, VALID, SAME_UPPER or SAME_LOWER"
SAME = (
    "with SAME_UPPER or SAME_LOWER the strides exceed the kernel by 1 at most "
    "(beyond, ONNX runtimes disagree)"
)
PADS = "`pads` are four numbers, none negative"
FITS = "at least one window fits into the padded map"
FINITE = "all weights are finite as 32-bit floating point"
WEIGHT = "the weight is constant floating point (outputs, inputs, rows, columns), no size 0"
KERNEL = "`kernel_shape` is two numbers, at least 1"
RESULT = (
    "the result is the input's shape, or turns (1, channels, 1, 1) into (1, channels, 1) "
    "or (1, channels)"
)
MAPS = "both inputs are feature maps computed from the model's input"


def pooled(b: OnnxBuilder, x: str) -> str:
    return b.node("GlobalAveragePool", [x], name="pool")


def vector(b: OnnxBuilder, x: str) -> str:
    return b.node("Flatten", [pooled(b, x)], name="flat", axis=1)


def scalar(b: OnnxBuilder, value: float) -> str:
    return b.constant(b.fresh("scalar"), np.array(value, np.float32))


def integers(b: OnnxBuilder, *values: int) -> str:
    return b.constant(b.fresh("integers"), np.array(values, np.int64))


def fixed_map(b: OnnxBuilder, x: str = "") -> str:
    return b.constant(b.fresh("fixed"), np.ones((1, 4, 8, 9), np.float32))


def conv(weight: np.ndarray | None = None, bias: np.ndarray | None = None, **attributes: object):
    """A Conv node called "it" with the weight and bias given."""

    def recipe(b: OnnxBuilder, x: str) -> str:
        array = np.ones((5, 4, 3, 3), np.float32) if weight is None else weight
        operands = [x, b.constant("w", array)]
        if bias is not None:
            operands.append(b.constant("b", bias))
        return b.node("Conv", operands, name="it", **attributes)

    return recipe


def node(op: str, *more: Callable[[OnnxBuilder], str] | str, **attributes: object) -> Recipe:
    """A node called "it" that reads the map, then ``more``: names, or functions that add them."""

    def recipe(b: OnnxBuilder, x: str) -> str:
        operands = [m if isinstance(m, str) else m(b) for m in more]
        return b.node(op, [x, *operands], name="it", **attributes)

    return recipe


def after(first: Recipe, then: Recipe) -> Recipe:
    return lambda b, x: then(b, first(b, x))


def second_output(op: str, *more: Callable[[OnnxBuilder], str], **attributes: object) -> Recipe:
    """As :func:`node`, but the result is its second output."""

    def recipe(b: OnnxBuilder, x: str) -> str:
        operands = [m(b) for m in more]
        outputs = ["first", "second", "third"][: 2 if op != "BatchNormalization" else 3]
        b.node(op, [x, *operands], name="it", outputs=outputs, **attributes)
        b.channels["second"] = 4
        return "second"

    return recipe


def norm(*broken: tuple[int, np.ndarray], **attributes: object) -> Recipe:
    """A BatchNormalization node some of whose parameters are replaced."""

    def recipe(b: OnnxBuilder, x: str) -> str:
        parameters = [np.ones(4, np.float32) for _ in range(4)]
        for index, array in broken:
            parameters[index] = array
        names = [b.constant(f"p{i}", p) for i, p in enumerate(parameters)]
        return b.node("BatchNormalization", [x, *names], name="it", **attributes)

    return recipe


def weights_with(value: float, dtype: type = np.float32) -> np.ndarray:
    array = np.ones((5, 4, 3, 3), dtype)
    array[2, 1, 0, 2] = value
    return array


def computed_weight(b: OnnxBuilder, x: str) -> str:
    return b.node("Conv", [x, x], name="it", kernel_shape=[8, 9])
