"""Tensor types, quantisation parameters and provenance: the nouns of the IR."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np


class DType(str, Enum):
    """Element types that a value can have."""

    FLOAT32 = "float32"
    UINT8 = "uint8"
    INT32 = "int32"

    @property
    def itemsize_bytes(self) -> int:
        return np.dtype(self.value).itemsize


class Layout(str, Enum):
    """Order of the axes of a feature map. ``FLAT`` is for vectors such as logits."""

    NCHW = "NCHW"
    NHWC = "NHWC"
    FLAT = "FLAT"


@dataclass(frozen=True, slots=True)
class TensorType:
    """Element type, static shape (batch first) and layout."""

    dtype: DType
    shape: tuple[int, ...]
    layout: Layout = Layout.NCHW

    @property
    def elements(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def size_bytes(self) -> int:
        return self.elements * self.dtype.itemsize_bytes

    @property
    def height(self) -> int:
        return self._dim("H")

    @property
    def width(self) -> int:
        return self._dim("W")

    @property
    def channels(self) -> int:
        """Channels of a feature map; length of the last axis of a flat tensor."""
        if self.layout is Layout.FLAT or len(self.shape) != 4:
            return self.shape[-1]
        return self._dim("C")

    def _dim(self, axis: str) -> int:
        if len(self.shape) != 4 or self.layout is Layout.FLAT:
            raise ValueError(f"a tensor of shape {self.shape} has no axis {axis}")
        return self.shape[self.layout.value.index(axis)]


@dataclass(frozen=True, slots=True)
class QuantParams:
    """Affine quantisation of one tensor.

    ``real[..., c] = scale * channel_scale[c] * (q[..., c] - zero_point)``

    ``channel_scale`` comes from channel equalisation. It is already folded into
    the weights on both sides, so generated code never sees it; it is kept to
    compare integer tensors with float ones. Empty means all ones.
    """

    scale: float
    zero_point: int = 0
    channel_scale: tuple[float, ...] = ()

    def dequantise(self, q: np.ndarray) -> np.ndarray:
        """Integers (channels last) to float32 of the same shape."""
        steps = q.astype(np.float32) - np.float32(self.zero_point)
        real: np.ndarray = steps * np.float32(self.scale)
        if self.channel_scale:
            real = real * np.asarray(self.channel_scale, np.float32)
        return real


@dataclass(frozen=True, slots=True)
class Value:
    """A named tensor. ``source`` is the ONNX tensor it equals in real numbers ("" if none)."""

    name: str
    type: TensorType
    source: str = ""
    quant: QuantParams | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a node came from: ONNX node names, and the passes that changed it."""

    onnx_nodes: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()

    def through(self, pass_name: str, *others: Provenance) -> Provenance:
        """This provenance merged with ``others``, after ``pass_name``."""
        nodes = self.onnx_nodes
        passes = self.passes
        for other in others:
            nodes += tuple(n for n in other.onnx_nodes if n not in nodes)
            passes += tuple(p for p in other.passes if p not in passes)
        if pass_name not in passes:
            passes += (pass_name,)
        return replace(self, onnx_nodes=nodes, passes=passes)

    def __str__(self) -> str:
        return " + ".join(self.onnx_nodes) or "(no ONNX node)"


@dataclass(frozen=True, slots=True)
class Padding:
    """Spatial padding in rows and columns."""

    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0

    @property
    def any(self) -> bool:
        return bool(self.top or self.left or self.bottom or self.right)


@dataclass(frozen=True, slots=True)
class Window:
    """Kernel geometry shared by convolution and pooling: sizes in rows and columns."""

    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    padding: Padding = field(default_factory=Padding)

    @property
    def taps(self) -> int:
        return self.kernel[0] * self.kernel[1]

    def count(self, size: int, axis: int) -> int:
        """Windows along rows (``axis`` 0) or columns (1) of a map with ``size`` of them.

        Below 1 where not even one fits into the padded map.
        """
        padding = self.padding
        added = padding.top + padding.bottom if axis == 0 else padding.left + padding.right
        return (size + added - self.kernel[axis]) // self.strides[axis] + 1

    def counts(self, rows: int, cols: int) -> tuple[int, int]:
        """:meth:`count` along both axes: the size of the output of a map of ``rows`` x ``cols``."""
        return self.count(rows, 0), self.count(cols, 1)
