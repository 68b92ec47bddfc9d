"""What the templates print. Every number and every piece of text is computed here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from squeeze2c.codegen.layer_view import LayerView, MapView, layer_view, map_view
from squeeze2c.codegen.literals import comment_text, decimal_lines, float_literal, word_lines
from squeeze2c.codegen.symbols import Symbols
from squeeze2c.lower import ConstantArray, CProgram
from squeeze2c.target import OPTIMISATION


@dataclass(frozen=True, slots=True)
class ArrayView:
    """A constant array: ``count`` elements of C type ``element``, printed as ``lines``."""

    symbol: str
    element: str
    count: int
    size_bytes: int
    comment: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BufferView:
    """A line of the arena's map in a comment."""

    name: str
    first_byte: str
    size_bytes: str


@dataclass(frozen=True, slots=True)
class ProgramView:
    """A whole model, as the templates see it."""

    symbols: Symbols
    version: str
    target: str
    gcc_flags: str
    optimisation: str
    source_file: str
    source_sha256: str
    input_rows: int
    input_cols: int
    input_channels: int
    input_bytes: int
    input_row_bytes: int
    input_format_text: str
    input_function: str
    input_count: int
    classes: int
    arena_bytes: int
    arena_alignment_bytes: int
    arena_words: int
    arena_halves: int
    lower_bound_bytes: int
    parameters_bytes: int
    weights_crc32: str
    context_magic: str
    logit_scale: str
    softmax_beta: int
    softmax_shift: int
    macs: int
    push: bool
    unpacks: bool
    input: MapView
    sums_offset_bytes: int
    steps_symbol: str
    steps_element: str
    step_count: int
    layers: tuple[LayerView, ...]
    arrays: tuple[ArrayView, ...]
    buffers: tuple[BufferView, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """What generated files say about where they come from, and what they are to be compiled for."""

    version: str
    target: str
    gcc_flags: str
    source_file: str
    source_sha256: str
    optimize: str = "speed"


def program_view(program: CProgram, origin: Origin) -> ProgramView:
    """The view of ``program``. Raises :class:`CodegenError` where C cannot express it."""
    image, converts = program.input, program.input_format.converts
    buffers = sorted(program.buffers.items(), key=lambda item: (item[1], item[0]))
    return ProgramView(
        symbols=Symbols(program.name),
        version=origin.version,
        target=origin.target,
        gcc_flags=origin.gcc_flags,
        optimisation=OPTIMISATION[origin.optimize],
        source_file=comment_text(origin.source_file),
        source_sha256=origin.source_sha256,
        input_rows=image.rows,
        input_cols=image.cols,
        input_channels=image.channels,
        input_bytes=program.image_bytes,
        input_row_bytes=program.input_row_bytes,
        input_format_text=program.input_format.description,
        input_function=f"s2c_input_{program.input_format.name if converts else 'bytes'}",
        input_count=image.cols if converts else program.input_row_bytes,
        classes=program.classes,
        arena_bytes=program.arena_bytes,
        arena_alignment_bytes=program.arena_alignment_bytes,
        arena_words=program.arena_bytes // 4,
        arena_halves=program.arena_bytes // 2,
        lower_bound_bytes=program.lower_bound_bytes,
        parameters_bytes=program.parameters_bytes,
        weights_crc32=f"0x{program.weights_crc32:08X}",
        # Odd, so that zeroed memory never passes for an initialised context.
        context_magic=f"0x{program.weights_crc32 | 1:08X}",
        logit_scale=float_literal(program.logit_scale),
        softmax_beta=program.softmax_beta,
        softmax_shift=program.softmax_shift,
        macs=program.macs,
        push=program.push,
        unpacks=program.unpacks,
        input=map_view(program.input),
        sums_offset_bytes=program.sums_offset_bytes,
        steps_symbol=program.steps_symbol,
        steps_element=_element(program, program.steps_symbol),
        step_count=len(program.steps),
        layers=tuple(layer_view(layer, program) for layer in program.layers),
        arrays=tuple(_array_view(array) for array in program.constants),
        buffers=tuple(
            BufferView(comment_text(name), f"{offset:>9,}", f"{size:>9,}")
            for name, (offset, size) in buffers
        ),
    )


def _element(program: CProgram, symbol: str) -> str:
    """C type that the constant ``symbol`` is read as."""
    return next(c.element for c in program.constants if c.symbol == symbol)


def _array_view(array: ConstantArray) -> ArrayView:
    """Whole words for bytes, so that the file stays small; other types as they are."""
    content = array.content
    element, item_bytes, lines = "uint32_t", 4, word_lines(content)
    if array.data.itemsize > 1:
        element, item_bytes = array.element, array.data.itemsize
        lines = decimal_lines(np.frombuffer(content, array.data.dtype))
    return ArrayView(
        symbol=array.symbol,
        element=element,
        count=len(content) // item_bytes,
        size_bytes=len(content),
        comment=comment_text(array.comment),
        lines=lines,
    )
