"""All passes, in order."""

from __future__ import annotations

from squeeze2c.errors import InternalError
from squeeze2c.frontend.preprocess import Preprocess
from squeeze2c.ir import DType, Graph, Layout, ops, verify_graph
from squeeze2c.passes.add_missing_bias import add_missing_bias
from squeeze2c.passes.base import (
    Condition,
    Pass,
    constants_folded,
    free_of,
    input_is,
    layout_is,
)
from squeeze2c.passes.check_ending import check_ending
from squeeze2c.passes.copy_concat_operands import copy_concat_operands
from squeeze2c.passes.drop_identities import drop_identities
from squeeze2c.passes.drop_reshapes import drop_reshapes
from squeeze2c.passes.fold_batch_norm import fold_batch_norm
from squeeze2c.passes.fold_constants import fold_constants
from squeeze2c.passes.fold_normalisation import fold_normalisation
from squeeze2c.passes.fuse_global_pool import fuse_global_pool
from squeeze2c.passes.fuse_relu import fuse_relu
from squeeze2c.passes.remove_softmax import remove_softmax
from squeeze2c.passes.to_nhwc import to_nhwc

PASSES: tuple[Pass[[]], ...] = (
    fold_constants,
    drop_identities,
    remove_softmax,
    drop_reshapes,
    fold_batch_norm,
    fuse_relu,
    fuse_global_pool,
    check_ending,
    copy_concat_operands,
    add_missing_bias,
    to_nhwc,
)
"""What runs before :func:`fold_normalisation`, which alone needs to know the preprocessing."""


def _three_inputs() -> Condition:
    def broken_by(graph: Graph) -> str | None:
        return next(
            (
                f"{n.kind} {n.name}"
                for n in graph.nodes
                if isinstance(n, ops.Conv2D | ops.ConvGlobalPool) and len(n.inputs) != 3
            ),
            None,
        )

    return Condition("a bias in every convolution", broken_by)


FINAL_FORM: tuple[Condition, ...] = (
    layout_is(Layout.NHWC),
    input_is(DType.UINT8),
    constants_folded(),
    free_of(
        ops.BatchNorm, ops.Relu, ops.Softmax, ops.Identity, ops.Reshape, ops.Fill
    ),
    _three_inputs(),
)
"""What the quantizer relies on, apart from what :func:`check_ending` sees to."""


def run_passes(graph: Graph, preprocess: Preprocess) -> Graph:
    """The network in the form that the quantizer reads.

    ``graph``: float, NCHW, weights OIHW, as the frontend delivers it. The result is NHWC
    with weights OHWI; every Conv2D and ConvGlobalPool has (x, weight, bias); the input is
    the camera's RGB image, UINT8 (1, rows, cols, channels); the output is FLAT
    (1, classes) from ConvGlobalPool or GlobalAvgPool2D; ``Graph.softmax`` says whether a
    final Softmax was removed.

    Raises :class:`~squeeze2c.errors.UnsupportedModelError`, naming the ONNX node, where a
    network cannot be brought into that form, and :class:`~squeeze2c.errors.UsageError`
    where ``preprocess`` is made for another number of channels.
    """
    preprocess = preprocess.for_channels(graph.input_value.type.channels)
    for transform in PASSES:
        graph = transform(graph)
    graph = fold_normalisation(graph, preprocess)
    verify_graph(graph)
    for condition in FINAL_FORM:
        culprit = condition.broken_by(graph)
        if culprit is not None:
            raise InternalError(f"after all passes: expected {condition.text}", where=culprit)
    return graph
