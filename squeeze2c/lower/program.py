"""The program to print: all that C needs, in numbers and names, without any C."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from squeeze2c.ir import Provenance, Window
from squeeze2c.kernels import KernelSpec


@dataclass(frozen=True, slots=True)
class ConstantArray:
    """A constant in flash. ``data`` is what it holds, in the order the kernel reads it.

    ``element`` is the C type that the kernel reads: ``int8_t``, ``uint8_t`` or ``int32_t``.
    """

    symbol: str
    element: str
    data: np.ndarray
    comment: str

    @property
    def content(self) -> bytes:
        """The bytes in memory (little-endian), bytes padded to whole words."""
        raw = np.ascontiguousarray(self.data).astype(self.data.dtype.newbyteorder("<")).tobytes()
        return raw + bytes(-len(raw) % 4)


@dataclass(frozen=True, slots=True)
class RowSource:
    """Where rows of a feature map are: pixel 0 of row r is at ``offset_bytes + r * row_bytes``.

    ``in_arena``: relative to the arena; otherwise to the caller's image.
    """

    value: str
    in_arena: bool
    offset_bytes: int
    row_bytes: int
    rows: int
    cols: int
    channels: int
    pixel_bytes: int
    zero_point: int


@dataclass(frozen=True, slots=True)
class ConvConstants:
    """Symbols of a convolution's arrays, and its requantisation."""

    weights: str
    bias: str
    multiplier: str
    pad_row: str
    shift: int


@dataclass(frozen=True, slots=True)
class AddConstants:
    """Scalars of an addition."""

    multiplier_a: int
    multiplier_b: int
    shift: int


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of the program.

    ``rows``: output rows computed; ``destination`` is None for the layer that
    accumulates the logits.
    """

    index: int
    name: str
    symbol: str
    kind: str
    kernel: KernelSpec
    provenance: Provenance
    onnx_output: str
    output: str
    output_shape: tuple[int, ...]
    sources: tuple[RowSource, ...]
    destination: RowSource | None
    rows: int
    window: Window | None
    conv: ConvConstants | None
    add: AddConstants | None
    relu: bool
    clamp_min: int
    scratch_offset_bytes: int
    scratch_bytes: int
    macs: int
    parameters_bytes: int


@dataclass(frozen=True, slots=True)
class CProgram:
    """A whole network, ready to print. ``input`` and ``classes`` describe its API."""

    name: str
    input: RowSource
    classes: int
    logit_scale: float
    softmax_beta: int
    softmax_shift: int
    layers: tuple[Layer, ...]
    constants: tuple[ConstantArray, ...]
    buffers: Mapping[str, tuple[int, int]]
    arena_bytes: int
    arena_alignment_bytes: int
    lower_bound_bytes: int
    weights_crc32: int

    @property
    def parameters_bytes(self) -> int:
        """Flash for every constant that the network needs."""
        return sum(len(c.content) for c in self.constants)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)
