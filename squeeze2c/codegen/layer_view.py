"""One layer as its template prints it."""

from __future__ import annotations

from dataclasses import dataclass

from squeeze2c.codegen.literals import comment_text
from squeeze2c.errors import InternalError
from squeeze2c.ir import Window
from squeeze2c.kernels import (
    STRIP_KERNELS,
    blocks_weights,
    joins_rows,
    m3,
    pairs_weights,
    reads_in_place,
    row_blocks,
    rows_at_once,
    shares_words,
    signed_columns,
    skips_zeros,
    transforms_once,
    weights_bytes,
    winograd_groups,
)
from squeeze2c.kernels.catalogue import POLY_M3
from squeeze2c.kernels.select import WINOGRAD_ROWS
from squeeze2c.lower import AddConstants, ConvConstants, CProgram, Layer, RowSource
from squeeze2c.lower.program import PackedConstants


@dataclass(frozen=True, slots=True)
class MapView:
    """Where a feature map is: ``base``, a C expression, plus ``offset_bytes``.

    Row r of ``rows`` is in slot r % ``slots``.
    """

    base: str
    offset_bytes: int
    rows: int
    slots: int
    row_bytes: int
    cols: int
    channels: int
    pixel_bytes: int
    zero_point: int


@dataclass(frozen=True, slots=True)
class WindowView:
    """Fields of ``s2c_window``, and the vertical part that the layer function handles."""

    in_cols: int
    out_cols: int
    in_channels: int
    out_channels: int
    in_stride_bytes: int
    out_stride_bytes: int
    kernel_rows: int
    kernel_cols: int
    stride_rows: int
    stride_cols: int
    pad_top: int
    pad_left: int
    taps: int


@dataclass(frozen=True, slots=True)
class LayerView:
    """``template`` names the file in ``templates/layers/`` that prints the function.

    ``columns_bytes``: the kernel's part of the scratch, which must be at least
    ``columns_needed``; ``decoded_offset_bytes``: in the arena, where a layer with packed
    weights decodes to; ``weights_needed``: the least bytes of plain weights. ``order``: what
    the kernel's order of weights is called in the runtime, empty for the portable one;
    ``decoded_order``: in the name of the macro for the size of a decoded tile;
    ``decodes_with_scratch``: whether that takes the kernel's scratch. ``joins_rows``: it takes
    rows that lie one behind the other as one. ``transforms_once``: all tiles of packed weights
    share its transformed input. ``rest_kernel``: for the rows that are left of a strip;
    ``rows_at_once``: rows that the kernel takes, as C says it.
    """

    index: int
    template: str
    function: str
    object: str
    comment: tuple[str, ...]
    kernel: str
    sources: tuple[MapView, ...]
    destination: MapView | None
    rows: int
    strip_rows: int
    running: bool
    sums: bool
    window: WindowView | None
    conv: ConvConstants | None
    add: AddConstants | None
    relu: int
    clamp_min: int
    scratch_offset_bytes: int
    scratch_bytes: int
    columns_bytes: int
    columns_needed: str
    weights_needed: str
    decoded_offset_bytes: int
    order: str
    decoded_order: str
    decodes_with_scratch: bool
    joins_rows: bool
    transforms_once: bool
    rest_kernel: str
    row_pointers: int
    rows_at_once: str
    classes: int


def layer_view(layer: Layer, program: CProgram) -> LayerView:
    """The view of ``layer``."""
    packed = layer.conv.packed if layer.conv else None
    columns = packed.scratch.decoded_offset_bytes if packed else layer.scratch_bytes
    operation = _TEMPLATES.get(layer.kernel.op, layer.kernel.op)
    strips, at_once = layer.kernel in STRIP_KERNELS, rows_at_once(layer.kernel)
    return LayerView(
        index=layer.index,
        template=f"{operation}{'_packed' if packed else ''}.c.j2",
        function=f"run_{layer.symbol}",
        object=f"layer_{layer.symbol}",
        comment=tuple(comment_text(line) for line in _describe(layer)),
        kernel=layer.kernel.symbol,
        sources=tuple(map_view(s) for s in layer.sources),
        destination=map_view(layer.destination) if layer.destination else None,
        rows=layer.rows,
        strip_rows=layer.strip_rows,
        running=layer.running,
        sums=layer.destination is None,
        window=_window_view(layer, program) if layer.window else None,
        conv=layer.conv,
        add=layer.add,
        relu=int(layer.relu),
        clamp_min=layer.clamp_min,
        scratch_offset_bytes=layer.scratch_offset_bytes,
        scratch_bytes=layer.scratch_bytes,
        columns_bytes=columns,
        columns_needed=_columns_needed(layer),
        weights_needed=_weights_needed(layer, program),
        decoded_offset_bytes=layer.scratch_offset_bytes + columns,
        order=_order(layer),
        decoded_order=_DECODED_ORDERS[_order(layer)],
        decodes_with_scratch=signed_columns(layer.kernel),
        joins_rows=layer.window is not None
        and joins_rows(layer.kernel, layer.window, layer.sources[0].cols, layer.strip_rows),
        transforms_once=transforms_once(layer.kernel, layer.strip_rows),
        rest_kernel=STRIP_KERNELS[layer.kernel].symbol if strips else "",
        rows_at_once="S2C_WINOGRAD3X3_ROWS" if at_once == WINOGRAD_ROWS else f"{at_once}u",
        row_pointers=_row_pointers(layer),
        classes=program.classes,
    )


def _weights_needed(layer: Layer, program: CProgram) -> str:
    """Bytes of a convolution's plain weights, as a C expression."""
    if layer.conv is None or layer.window is None:
        return ""
    if skips_zeros(layer.kernel):
        return f"{layer.conv.weights_bytes}u"
    outputs = layer.destination.channels if layer.destination else program.classes
    shape = (outputs, *layer.window.kernel, layer.sources[0].channels)
    return f"{weights_bytes(layer.kernel, shape)}u"


def _row_pointers(layer: Layer) -> int:
    if layer.window is None:
        return 0
    if layer.kernel == POLY_M3 and layer.conv is not None:
        return layer.window.kernel[0] + layer.conv.groups - 1
    more = rows_at_once(layer.kernel) - 1 if layer.kernel in STRIP_KERNELS else 0
    return layer.window.kernel[0] + more


def _columns_needed(layer: Layer) -> str:
    """What the runtime's header says that a convolution's columns take, as a C expression."""
    if layer.conv is None or layer.window is None:
        return ""
    channels = layer.sources[0].channels
    taps = layer.window.taps * channels
    if layer.kernel in STRIP_KERNELS and layer.destination is not None:
        fours, threes = winograd_groups(layer.destination.cols)
        tiles = (4 * fours + 3 * threes) * rows_at_once(layer.kernel) // WINOGRAD_ROWS
        kind = "S2C_WINOGRAD3X3" + "_M0" * (layer.kernel.arch == "m0")
        return f"{kind}_SCRATCH_BYTES({channels}u, {tiles}u)"
    if skips_zeros(layer.kernel):
        return f"S2C_SPARSE_CONV2D_8X1_SCRATCH_BYTES({taps}u)"
    if blocks_weights(layer.kernel):
        if reads_in_place(layer.window, channels):
            return "S2C_CONV2D_14X16_IN_PLACE_BYTES"
        rows, cols = layer.window.kernel
        stride = layer.window.strides[1]
        return f"S2C_CONV2D_14X16_SCRATCH_BYTES({rows}u, {cols}u, {stride}u, {channels}u)"
    if layer.kernel.arch == "m0" and layer.kernel.tile:
        return f"S2C_CONV2D_M0_SCRATCH_BYTES({taps}u, {layer.kernel.tile[0]}u)"
    if row_blocks(layer.kernel, channels):
        return f"S2C_CONV3X3_MVE_SCRATCH_BYTES({channels}u)"
    if signed_columns(layer.kernel):
        return f"S2C_CONV2D_MVE_SCRATCH_BYTES({taps}u, {channels}u)"
    if layer.kernel == POLY_M3:
        cols = layer.window.count(layer.sources[0].cols, 1)
        words = m3.poly_row_words(cols)
        return f"S2C_POLY3X3_SCRATCH_BYTES({channels}u, {words}u, {layer.conv.groups}u)"
    if shares_words(layer.kernel):
        return f"S2C_CONV2D_4X3_SCRATCH_BYTES({taps}u, {layer.conv.groups}u)"
    if pairs_weights(layer.kernel):
        return f"S2C_CONV2D_4X2_PAIRED_SCRATCH_BYTES({taps}u, {channels}u)"
    return f"S2C_CONV2D_4X2_SCRATCH_BYTES({taps}u)"


def _order(layer: Layer) -> str:
    if signed_columns(layer.kernel):
        return "mve3x3" if row_blocks(layer.kernel, layer.sources[0].channels) else "mve"
    if blocks_weights(layer.kernel):
        return "blocked"
    return "paired" if pairs_weights(layer.kernel) else ""


def map_view(source: RowSource) -> MapView:
    """The view of a feature map."""
    return MapView(
        base="ctx->arena" if source.in_arena else "ctx->image",
        offset_bytes=source.offset_bytes,
        rows=source.rows,
        slots=source.capacity_rows,
        row_bytes=source.row_bytes,
        cols=source.cols,
        channels=source.channels,
        pixel_bytes=source.pixel_bytes,
        zero_point=source.zero_point,
    )


def _window_view(layer: Layer, program: CProgram) -> WindowView:
    window, source = layer.window, layer.sources[0]
    if window is None:
        raise InternalError(f"layer {layer.name} has no window")
    out = layer.destination
    return WindowView(
        in_cols=source.cols,
        out_cols=window.count(source.cols, 1),
        in_channels=source.channels,
        out_channels=out.channels if out else program.classes,
        in_stride_bytes=source.pixel_bytes,
        out_stride_bytes=out.pixel_bytes if out else 0,
        kernel_rows=window.kernel[0],
        kernel_cols=window.kernel[1],
        stride_rows=window.strides[0],
        stride_cols=window.strides[1],
        pad_top=window.padding.top,
        pad_left=window.padding.left,
        taps=window.taps * source.channels,
    )


def _describe(layer: Layer) -> list[str]:
    """Lines for the comment above a layer's function."""
    shapes = " and ".join(f"{s.rows} x {s.cols} x {s.channels}" for s in layer.sources)
    result = " x ".join(str(d) for d in layer.output_shape)
    geometry = f" {_geometry(layer.window)}" if layer.window else ""
    relu = ", ReLU" if layer.relu else ""
    lines = [
        f"Layer {layer.index}: {layer.name}",
        f"{_OPERATIONS[layer.kind]}{geometry}{relu}: {shapes} -> {result}",
        f"ONNX: {layer.provenance}; yields {layer.onnx_output or '(no tensor of its own)'}",
    ]
    if layer.destination and layer.destination.pixel_bytes != layer.destination.channels:
        lines.append(
            f"Writes {layer.destination.channels} of {layer.destination.pixel_bytes} channels "
            "of each pixel: a slice of a concatenation"
        )
    if layer.running:
        lines.append("Each step folds one input row into the output row in hand")
    elif layer.strip_rows < layer.rows:
        plural = "s" if layer.strip_rows > 1 else ""
        lines.append(f"Each step computes {layer.strip_rows} row{plural} of {layer.rows}")
    if layer.conv and layer.conv.packed:
        lines.append(_describe_packed(layer.conv.packed))
    if layer.macs:
        lines.append(f"{layer.macs:,} MACs, {layer.parameters_bytes:,} bytes of parameters")
    return lines


def _describe_packed(packed: PackedConstants) -> str:
    bits = 32 * packed.stream_words / (packed.out_channels * packed.taps)
    tiles = f"{packed.tiles} tiles of up to {packed.tile_channels} output channels"
    if packed.tiles == 1:
        tiles = "one tile"
    return f"Weights are packed, {bits:.2f} bits each; every step decodes them, in {tiles}"


def _geometry(window: Window) -> str:
    rows, cols = window.kernel
    text = f"{rows}x{cols}/{window.strides[0]}"
    if window.strides[0] != window.strides[1]:
        text += f"x{window.strides[1]}"
    pad = window.padding
    if pad.any:
        text += f" padded {pad.top},{pad.left},{pad.bottom},{pad.right} (top, left, bottom, right)"
    return text


_DECODED_ORDERS = {
    "": "", "paired": "_PAIRED", "blocked": "_BLOCKED", "mve": "_MVE", "mve3x3": "_MVE",
}  # fmt: skip
"""In the names of what decoded tiles take."""

_TEMPLATES = {
    "conv3x3": "conv2d",
    "sparse_conv2d": "conv2d",
    "sparse_conv2d_sum": "conv2d_sum",
}
"""Of operations that are called like another one."""

_OPERATIONS = {
    "QConv2D": "convolution",
    "QConvGlobalPool": "convolution and global average pool",
    "QMaxPool2D": "max-pool",
    "QGlobalPool": "global average pool",
    "QAdd": "addition",
}
