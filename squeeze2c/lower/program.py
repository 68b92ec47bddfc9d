"""The program to print: all that C needs, in numbers and names, without any C."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from squeeze2c.frontend.input_format import InputFormat
from squeeze2c.ir import Provenance, Window
from squeeze2c.kernels import KernelSpec, TileScratch


@dataclass(frozen=True, slots=True)
class ConstantArray:
    """A constant in flash. ``data`` is what it holds, in the order the kernel reads it.

    ``element`` is the C type that is read: ``int8_t``, ``uint8_t``, ``uint16_t`` or ``int32_t``.
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
    """Where rows of a feature map are.

    Pixel 0 of row r is at ``offset_bytes + (r % capacity_rows) * row_bytes``, relative to
    the arena, or to the caller's image where not ``in_arena``. ``rows``: of the whole map.
    """

    value: str
    in_arena: bool
    offset_bytes: int
    row_bytes: int
    rows: int
    capacity_rows: int
    cols: int
    channels: int
    pixel_bytes: int
    zero_point: int


@dataclass(frozen=True, slots=True)
class PackedConstants:
    """Symbols of a layer's packed weights, and what ``s2c_packed_layer`` says of them.

    ``multiplier_index`` is empty where all channels share one multiplier. ``scratch``:
    where a decoded tile goes.
    """

    stream: str
    table: str
    tile_offset: str
    bias: str
    multiplier_index: str
    multiplier: str
    stream_words: int
    taps: int
    out_channels: int
    tile_channels: int
    tiles: int
    table_bytes: int
    offset_shift: int
    bias_shift: int
    multiplier_count: int
    scratch: TileScratch


@dataclass(frozen=True, slots=True)
class ConvConstants:
    """Symbols of a convolution's arrays, and its requantisation.

    ``weights_bytes``: of ``weights_count`` weights, with the table and the offsets that
    packed ones need. With ``packed`` the symbols of weights, bias and multiplier are empty:
    a decoded tile takes their place. ``groups``, ``part_blocks``: see ``kernels/m3.py``.
    """

    weights: str
    bias: str
    multiplier: str
    pad_row: str
    shift: int
    weights_count: int
    weights_bytes: int
    packed: PackedConstants | None = None
    groups: int = 0
    part_blocks: int = 0


@dataclass(frozen=True, slots=True)
class AddConstants:
    """Scalars of an addition."""

    multiplier_a: int
    multiplier_b: int
    shift: int


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the program.

    ``rows``: output rows, for the layer that accumulates the logits rows that it sums;
    ``destination`` is None for that layer. ``strip_rows``: rows computed per step.
    ``running``: a max-pool that takes one input row per step.
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
    strip_rows: int
    running: bool
    window: Window | None
    conv: ConvConstants | None
    add: AddConstants | None
    relu: bool
    clamp_min: int
    scratch_offset_bytes: int
    scratch_bytes: int
    macs: int
    parameters_bytes: int


LOGIT_BYTES = 4


def interface_bytes(classes: int, row_bytes: int) -> int:
    """RAM for the logits and a row that is being pushed; 0 ``row_bytes`` where none is."""
    return LOGIT_BYTES * classes + row_bytes


@dataclass(frozen=True, slots=True)
class CProgram:
    """A whole network, ready to print. ``input`` and ``classes`` describe its API.

    ``steps``: per step the index of its layer, or the number of layers where the caller's
    next image row is due; ``steps_symbol`` names their array among the constants.
    ``push``: the caller hands the image over row by row, and ``sums_offset_bytes`` is
    where the logits accumulate in the arena; otherwise they do in the caller's array.
    """

    name: str
    input: RowSource
    input_format: InputFormat
    classes: int
    logit_scale: float
    softmax_beta: int
    softmax_shift: int
    layers: tuple[Layer, ...]
    steps: tuple[int, ...]
    steps_symbol: str
    push: bool
    sums_offset_bytes: int
    constants: tuple[ConstantArray, ...]
    buffers: Mapping[str, tuple[int, int]]
    arena_bytes: int
    arena_alignment_bytes: int
    lower_bound_bytes: int
    weights_crc32: int

    @property
    def unpacks(self) -> bool:
        """Whether some layer's weights are packed."""
        return any(layer.conv is not None and layer.conv.packed for layer in self.layers)

    @property
    def input_row_bytes(self) -> int:
        """Bytes of one row of the image as the caller hands it over."""
        return self.input_format.row_bytes(self.input.cols, self.input.channels)

    @property
    def interface_bytes(self) -> int:
        """RAM that the caller needs beside the arena; see :func:`interface_bytes`."""
        return interface_bytes(self.classes, self.input_row_bytes if self.push else 0)

    @property
    def image_bytes(self) -> int:
        """Bytes of the whole image as the caller hands it over."""
        return self.input.rows * self.input_row_bytes

    @property
    def parameters_bytes(self) -> int:
        """Flash for every constant that the network needs."""
        return sum(len(c.content) for c in self.constants)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)
