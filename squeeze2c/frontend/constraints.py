"""The one table of what squeeze2c reads: it drives the checks and ``docs/supported-ops.md``.

Rules are checked in order, so each may rely on those before it. Shapes are NCHW.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from squeeze2c.errors import ShapeError, Squeeze2cError, UnsupportedModelError
from squeeze2c.frontend import rules, shape_rules
from squeeze2c.frontend.node import STANDARD_DOMAIN, OnnxNode


@dataclass(frozen=True, slots=True)
class Rule:
    """``text`` says what must hold; ``check`` returns what is found instead, None if it holds."""

    text: str
    check: Callable[[OnnxNode], str | None]
    attribute: str = ""
    shape: bool = False

    def enforce(self, node: OnnxNode) -> None:
        """Raises :class:`ShapeError` (if ``shape``) or :class:`UnsupportedModelError`."""
        found = self.check(node)
        if found is None:
            return
        hint = f"squeeze2c reads {node.op} where {self.text}"
        if self.shape:
            raise ShapeError(found, where=node.where, hint=hint)
        raise UnsupportedModelError(
            found, op=node.op, attribute=self.attribute or None, where=node.where, hint=hint
        )


@dataclass(frozen=True, slots=True)
class Operator:
    """An ONNX operator, the IR operator that it becomes, and the rules it must keep."""

    name: str
    becomes: str
    rules: tuple[Rule, ...]


MAP = Rule(
    "the input is a feature map (1, channels, rows, columns) computed from the model's input",
    rules.map_input,
)
ONE_OUTPUT = Rule("only the first output is used", rules.one_output)
AUTO_PAD = Rule("`auto_pad` is NOTSET, VALID, SAME_UPPER or SAME_LOWER", rules.auto_pad, "auto_pad")
SAME_STRIDES = Rule(
    "with SAME_UPPER or SAME_LOWER the strides exceed the kernel by 1 at most "
    "(beyond, ONNX runtimes disagree)",
    rules.same_strides,
    "auto_pad",
)
STRIDES = Rule("`strides` are two numbers from 1 to 4", rules.strides, "strides")
DILATIONS = Rule("`dilations` are 1", rules.dilations, "dilations")
PADS = Rule("`pads` are four numbers, none negative", rules.pads, "pads")
WINDOW = Rule("at least one window fits into the padded map", rules.window_fits, shape=True)
FINITE = Rule("all weights are finite as 32-bit floating point", rules.finite_weights)
VECTOR_RESULT = Rule(
    "the result is the input's shape, or turns (1, channels, 1, 1) into (1, channels, 1) "
    "or (1, channels)",
    shape_rules.reshape_supported,
)
VALUE_INPUT = Rule("the input is computed from the model's input", rules.computed_input)

_OPERATORS = (
    Operator(
        "Conv",
        "Conv2D",
        (
            MAP,
            Rule(
                "the weight is constant floating point (outputs, inputs, rows, columns), no size 0",
                rules.conv_weight,
            ),
            Rule("`group` is 1", rules.group, "group"),
            DILATIONS,
            Rule(
                "the weight has as many inputs as the map has channels",
                rules.conv_channels,
                shape=True,
            ),
            Rule(
                "`kernel_shape`, if given, is that of the weight",
                rules.conv_kernel,
                "kernel_shape",
                shape=True,
            ),
            STRIDES,
            AUTO_PAD,
            SAME_STRIDES,
            PADS,
            Rule(
                "the bias, if given, is constant floating point (outputs)",
                rules.conv_bias,
                shape=True,
            ),
            WINDOW,
            FINITE,
        ),
    ),
    Operator("Relu", "Relu", (MAP,)),
    Operator(
        "Clip",
        "Relu",
        (MAP, Rule("it equals Relu: minimum 0, no maximum", rules.clip_is_relu, "max")),
    ),
    Operator(
        "MaxPool",
        "MaxPool2D",
        (
            MAP,
            ONE_OUTPUT,
            Rule("`kernel_shape` is two numbers, at least 1", rules.pool_kernel, "kernel_shape"),
            STRIDES,
            DILATIONS,
            Rule("`storage_order` is 0", rules.storage_order, "storage_order"),
            AUTO_PAD,
            SAME_STRIDES,
            Rule("`ceil_mode` is 0 or 1", rules.flag("ceil_mode"), "ceil_mode"),
            Rule(
                "`ceil_mode` is 0 where `auto_pad` is VALID (ONNX runtimes disagree on it)",
                rules.valid_ceil,
                "ceil_mode",
            ),
            PADS,
            Rule("each of `pads` is smaller than the kernel", rules.pool_pads, "pads"),
            WINDOW,
        ),
    ),
    Operator("GlobalAveragePool", "GlobalAvgPool2D", (MAP,)),
    Operator(
        "AveragePool",
        "GlobalAvgPool2D",
        (
            MAP,
            Rule("`kernel_shape` is two numbers, at least 1", rules.pool_kernel, "kernel_shape"),
            DILATIONS,
            Rule("`auto_pad` is NOTSET or VALID", rules.no_same_padding, "auto_pad"),
            Rule("`pads` are 0", rules.no_pads, "pads"),
            Rule("the kernel covers the whole map", rules.average_covers_map, "kernel_shape"),
        ),
    ),
    Operator(
        "ReduceMean",
        "GlobalAvgPool2D (and Reshape, without `keepdims`)",
        (
            MAP,
            Rule("`axes` are constant: rows and columns", rules.mean_axes, "axes"),
            Rule("`keepdims` is 0 or 1", rules.flag("keepdims"), "keepdims"),
        ),
    ),
    Operator(
        "Concat",
        "Concat (Identity where it has one input)",
        (
            Rule("every input is a feature map computed from the model's input", rules.map_inputs),
            Rule("`axis` is the channel axis, 1 or -3", shape_rules.concat_axis, "axis"),
            Rule("all inputs have the same rows and columns", shape_rules.concat_sizes, shape=True),
        ),
    ),
    Operator(
        "Add",
        "Add",
        (
            Rule("both inputs are feature maps computed from the model's input", rules.map_inputs),
            Rule("both have the same shape", shape_rules.same_shapes, shape=True),
        ),
    ),
    Operator(
        "Sum",
        "Add",
        (
            Rule("it has two inputs", rules.two_inputs),
            Rule("both inputs are feature maps computed from the model's input", rules.map_inputs),
            Rule("both have the same shape", shape_rules.same_shapes, shape=True),
        ),
    ),
    Operator(
        "BatchNormalization",
        "BatchNorm",
        (
            MAP,
            ONE_OUTPUT,
            Rule("`training_mode` is 0", rules.training_attribute, "training_mode"),
            Rule("`spatial` is 1 (opset 7 and 8)", rules.spatial, "spatial"),
            Rule(
                "scale, bias, mean and variance are constant floating point (channels)",
                rules.norm_parameters,
                shape=True,
            ),
            Rule("variance plus `epsilon` is positive", rules.norm_variance, "epsilon"),
            FINITE,
        ),
    ),
    Operator(
        "Dropout",
        "Identity",
        (
            VALUE_INPUT,
            ONE_OUTPUT,
            Rule("`training_mode` is absent or constant false", rules.training_input),
        ),
    ),
    Operator("Identity", "Identity", (VALUE_INPUT,)),
    Operator(
        "Pad",
        "Identity",
        (
            VALUE_INPUT,
            Rule("all pads are 0, so that it does nothing", shape_rules.pads_nothing, "pads"),
        ),
    ),
    Operator(
        "Flatten",
        "Reshape",
        (
            VALUE_INPUT,
            Rule("the input has the axis `axis`", shape_rules.reshape_possible, "axis", shape=True),
            VECTOR_RESULT,
        ),
    ),
    Operator(
        "Reshape",
        "Reshape",
        (
            VALUE_INPUT,
            Rule("the new shape is constant", shape_rules.constant_target),
            Rule("`allowzero` is 0 or 1", rules.flag("allowzero"), "allowzero"),
            Rule(
                "the new shape has as many elements as the input",
                shape_rules.reshape_possible,
                shape=True,
            ),
            VECTOR_RESULT,
        ),
    ),
    Operator(
        "Squeeze",
        "Reshape",
        (
            VALUE_INPUT,
            Rule("the axes, if given, are constant", shape_rules.constant_axes),
            Rule(
                "the axes exist and have size 1", shape_rules.reshape_possible, "axes", shape=True
            ),
            VECTOR_RESULT,
        ),
    ),
    Operator(
        "Softmax",
        "Softmax",
        (
            VALUE_INPUT,
            Rule(
                "the input is (1, channels) or (1, channels, 1, 1)",
                shape_rules.softmax_input,
                shape=True,
            ),
            Rule("`axis` is the channel axis", shape_rules.softmax_axis, "axis"),
            Rule("nothing but reshaping follows", shape_rules.softmax_last),
        ),
    ),
)

OPERATORS: Mapping[str, Operator] = {operator.name: operator for operator in _OPERATORS}
"""Operators on what is computed from the model's input, by ONNX name."""

ALTERNATIVES: Mapping[str, str] = {
    "Transpose": "export the model with NCHW feature maps",
    "Gemm": "SqueezeNet ends in a 1x1 convolution; write the fully connected layer as one",
    "MatMul": "SqueezeNet ends in a 1x1 convolution; write the fully connected layer as one",
    "LogSoftmax": "export the model without it, or with Softmax",
    "QuantizeLinear": "give the float model; squeeze2c quantizes it",
    "DequantizeLinear": "give the float model; squeeze2c quantizes it",
    "QLinearConv": "give the float model; squeeze2c quantizes it",
    "ConvInteger": "give the float model; squeeze2c quantizes it",
    "Cast": "export the model in one floating-point type",
    "Mul": "fold it into the weights; scaling of the input belongs to the preprocessing",
    "Div": "fold it into the weights; scaling of the input belongs to the preprocessing",
    "Sub": "fold it into the bias; an offset of the input belongs to the preprocessing",
    "If": "export the model without control flow",
    "Loop": "export the model without control flow",
}
"""What to do about operators that are often found and not supported."""


def check(node: OnnxNode) -> None:
    """Raises :class:`UnsupportedModelError` or :class:`ShapeError` where ``node`` breaks a rule."""
    operator = OPERATORS.get(node.op) if node.proto.domain == STANDARD_DOMAIN else None
    if operator is None:
        raise _unsupported(node)
    for rule in operator.rules:
        rule.enforce(node)


def _unsupported(node: OnnxNode) -> Squeeze2cError:
    if node.proto.domain != STANDARD_DOMAIN:
        return UnsupportedModelError(
            f"operator {node.op} of domain {node.proto.domain!r} is not supported",
            op=node.op,
            where=node.where,
            hint="squeeze2c reads operators of standard ONNX only",
        )
    return UnsupportedModelError(
        f"operator {node.op} is not supported",
        op=node.op,
        where=node.where,
        hint=ALTERNATIVES.get(node.op, f"squeeze2c reads {', '.join(sorted(OPERATORS))}"),
    )
