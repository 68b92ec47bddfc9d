"""Folds the input normalisation into the first convolutions, so that they read the camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from squeeze2c.errors import UnsupportedModelError
from squeeze2c.frontend.preprocess import Preprocess
from squeeze2c.ir import DType, Graph, Layout, ops
from squeeze2c.passes.base import constants_folded, graph_pass, input_is, layout_is
from squeeze2c.passes.editor import Editor
from squeeze2c.passes.queries import image_values

_NAME = "fold_normalisation"
_GREATEST_PIXEL = 255


@graph_pass(
    requires=(layout_is(Layout.NHWC), input_is(DType.FLOAT32), constants_folded()),
    ensures=(input_is(DType.UINT8),),
)
def fold_normalisation(graph: Graph, preprocess: Preprocess) -> Graph:
    """The same network for raw RGB pixels: the input's type becomes UINT8.

    Max-pooling commutes with normalisation, so convolutions of the pooled image are
    treated like those of the image. Where such a convolution is padded, its ``pad_value``
    is the pixel that stands for zero. Raises :class:`UnsupportedModelError` where anything
    else reads an image that is not used as it is, or where padding stands for no pixel.
    """
    preprocess = preprocess.for_channels(graph.input_value.type.channels)
    edit = Editor(graph)
    image = graph.input_value
    edit.input_value = replace(image, type=replace(image.type, dtype=DType.UINT8))
    if preprocess.keeps_pixels:
        return edit.finish()
    names = image_values(graph)
    for name in names:
        edit.set_source(name, "")
    for node in graph.nodes:
        if names.isdisjoint(node.inputs) or isinstance(node, ops.MaxPool2D):
            continue
        if not isinstance(node, ops.Conv2D | ops.ConvGlobalPool):
            raise UnsupportedModelError(
                f"{node.kind} reads the image, whose normalisation only convolutions can absorb",
                op=node.kind,
                where=str(node.provenance),
                hint="use the preset none, or put a convolution between",
            )
        edit.replace_node(node, _absorb(edit, node, preprocess))
    return edit.finish()


def _absorb(
    edit: Editor, node: ops.Conv2D | ops.ConvGlobalPool, preprocess: Preprocess
) -> ops.Node:
    """``node`` with weights and bias for pixels instead of the model's input."""
    weight = edit.constants[node.inputs[1]].astype(np.float64)
    bias = edit.constants[node.inputs[2]].astype(np.float64)
    scaled = weight / np.asarray(preprocess.std)
    by_camera_channel = np.empty_like(scaled)
    by_camera_channel[..., list(preprocess.order)] = scaled
    offset = (scaled * np.asarray(preprocess.mean)).sum(axis=(1, 2, 3))
    pad_value: tuple[float, ...] = ()
    if node.window.padding.any and any(preprocess.mean):
        pad_value = _pad_value(node, preprocess)
    return replace(
        node,
        inputs=(
            node.inputs[0],
            edit.new_constant(f"{node.name}/pixel_weight", by_camera_channel),
            edit.new_constant(f"{node.name}/pixel_bias", bias - offset),
        ),
        pad_value=pad_value,
        provenance=node.provenance.through(_NAME),
    )


def _pad_value(node: ops.Node, preprocess: Preprocess) -> tuple[float, ...]:
    """For each channel of the camera the pixel that stands for 0 in the model's input."""
    by_camera_channel = dict(zip(preprocess.order, preprocess.mean, strict=True))
    pixel = tuple(by_camera_channel[c] for c in range(len(by_camera_channel)))
    if not all(0 <= p <= _GREATEST_PIXEL for p in pixel):
        raise UnsupportedModelError(
            f"padding means a pixel of {pixel}, which no camera delivers",
            op="Conv",
            attribute="pads",
            where=str(node.provenance),
            hint="mean must lie between 0 and 255 where the first convolution is padded",
        )
    return pixel
