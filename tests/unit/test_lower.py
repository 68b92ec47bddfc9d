"""Lowering: what the program says of places, constants and work."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from squeeze2c.errors import UsageError
from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import pair_weights
from squeeze2c.lower import ConstantArray, CProgram, Layer, check_model_name, identifier
from squeeze2c.lower.names import C_KEYWORDS, unique_identifiers
from squeeze2c.lower.pack import weights_crc32
from squeeze2c.pipeline import build_program
from squeeze2c.reference.softmax import softmax_constants
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.target import core_named
from tests.support.integer_graphs import with_random_integers
from tests.support.programs import camera_builder, every_operator_graph, program_of, quantised


@pytest.fixture(scope="module")
def graph() -> Graph:
    return quantised(every_operator_graph())


@pytest.fixture(scope="module")
def program(graph: Graph) -> CProgram:
    return program_of(graph, name="tiny")


def layer(program: CProgram, name: str) -> Layer:
    return next(item for item in program.layers if item.name == name)


def array(program: CProgram, symbol: str) -> ConstantArray:
    return next(c for c in program.constants if c.symbol == symbol)


def test_layers_come_in_order_of_execution(graph: Graph, program: CProgram) -> None:
    assert [item.index for item in program.layers] == list(range(len(program.layers)))
    expected = [n.name for n in graph.nodes if not isinstance(n, ops.QConcat)]
    assert [item.name for item in program.layers] == expected


def test_head_of_the_program(graph: Graph, program: CProgram) -> None:
    quant = graph.output_value.quant
    assert quant is not None
    assert program.logit_scale == quant.scale
    constants = (program.softmax_beta, program.softmax_shift)
    assert constants == softmax_constants(quant.scale)
    assert program.classes == 4
    image = program.input
    assert (image.in_arena, image.rows, image.cols, image.channels) == (True, 13, 11, 3)
    assert (image.row_bytes, image.pixel_bytes) == (33, 3)
    assert image.offset_bytes == program.buffers[graph.input][0]
    assert program.push
    assert (program.input_row_bytes, program.image_bytes) == (33, 13 * 33)


def test_an_image_in_the_callers_memory(graph: Graph) -> None:
    program = program_of(graph, options=ScheduleOptions(input_mode="frame"))
    image = program.input
    assert (image.in_arena, image.offset_bytes, image.capacity_rows) == (False, 0, 13)
    assert not program.push
    assert graph.input not in program.buffers and graph.output not in program.buffers
    assert len(program.layers) not in program.steps


@pytest.mark.parametrize(
    ("name", "row_bytes"),
    [
        ("rgb888", 33), ("raw", 33), ("bgr888", 33), ("rgb565le", 22), ("rgb565be", 22),
        ("grey8", 11),
    ],
)
def test_rows_as_the_camera_has_them(graph: Graph, name: str, row_bytes: int) -> None:
    """In the arena the image is what the network reads, whatever the camera delivers."""
    program = program_of(graph, options=ScheduleOptions(input_format=name))
    assert (program.input_row_bytes, program.image_bytes) == (row_bytes, 13 * row_bytes)
    assert (program.input.row_bytes, program.input.channels) == (33, 3)


def test_steps_count_rows_of_layers_and_of_the_image(program: CProgram) -> None:
    times = Counter(program.steps)
    assert times.pop(len(program.layers)) == program.input.rows == 13
    for item in program.layers:
        if item.running:
            assert item.window is not None
            first = -item.window.padding.top
            spans = [
                range(max(first + r, 0), min(first + r + item.window.kernel[0], 7))
                for r in range(item.rows)
            ]
            assert times.pop(item.index) == sum(map(len, spans))
        else:
            assert times.pop(item.index) == -(-item.rows // item.strip_rows)
    assert not times


def test_the_table_of_steps_is_a_constant(program: CProgram) -> None:
    """A byte each, so that it is small; it belongs to what the checksum covers."""
    table = array(program, program.steps_symbol)
    assert table.element == "uint8_t"
    assert tuple(table.data[: len(program.steps)].tolist()) == program.steps
    assert not table.data[len(program.steps) :].any()
    assert table in program.constants


def test_many_layers_make_the_steps_wider() -> None:
    """255 layers and the image fit a byte each, one more do not."""
    for count, element in ((254, "uint8_t"), (255, "uint16_t")):
        build = camera_builder(1, 1)
        x = build.input
        for _ in range(count):
            x = build.maxpool(x, kernel=1, stride=1)
        graph = with_random_integers(build.finish(build.gap(x)))
        program = program_of(graph, options=ScheduleOptions("layerwise", "push"))
        assert len(program.layers) == count + 1
        table = array(program, program.steps_symbol)
        assert table.element == element
        assert table.data[: len(program.steps)].tolist() == list(program.steps)


def test_sums_lie_in_the_arena_where_rows_are_pushed(graph: Graph, program: CProgram) -> None:
    offset, size = program.buffers[graph.output]
    assert (program.sums_offset_bytes, size) == (offset, 4 * 4)
    assert offset % 4 == 0


def test_strips_and_running_pools_are_those_of_the_schedule(graph: Graph) -> None:
    built = build_program(graph, core_named("host"), "net")
    schedule = built.chosen.schedule
    assert tuple(item.strip_rows for item in built.program.layers) == schedule.strip_rows
    assert tuple(item.running for item in built.program.layers) == schedule.running
    for item in built.program.layers:
        for place in (*item.sources, item.destination):
            if place is not None:
                buffer = schedule.line_buffers[schedule.placements[place.value].buffer]
                assert place.capacity_rows == buffer.capacity_rows


def test_concatenated_layers_write_slices_of_one_buffer(program: CProgram) -> None:
    one = layer(program, "fire/expand1x1").destination
    three = layer(program, "fire/expand3x3").destination
    assert one is not None and three is not None
    assert (one.pixel_bytes, one.channels) == (8, 3)
    assert (three.pixel_bytes, three.channels) == (8, 5)
    assert three.offset_bytes == one.offset_bytes + 3
    assert one.offset_bytes == program.buffers["fire/concat"][0]
    assert one.row_bytes == three.row_bytes == one.cols * 8


def test_every_row_lies_in_its_buffer(program: CProgram) -> None:
    for item in program.layers:
        for place in (*item.sources, item.destination):
            if place is None or not place.in_arena:
                continue
            last = (place.capacity_rows - 1) * place.row_bytes
            last += (place.cols - 1) * place.pixel_bytes
            end = place.offset_bytes + last + place.channels
            assert any(
                offset <= place.offset_bytes and end <= offset + size
                for offset, size in program.buffers.values()
            )
            assert end <= program.arena_bytes
        assert item.scratch_offset_bytes + item.scratch_bytes <= program.arena_bytes


def test_constants_are_those_of_the_graph(graph: Graph, program: CProgram) -> None:
    for node in graph.nodes:
        if not isinstance(node, ops.QConv2D | ops.QConvGlobalPool):
            continue
        conv = layer(program, node.name).conv
        assert conv is not None
        symbols = (conv.weights, conv.bias, conv.multiplier)
        elements = [array(program, s).element for s in symbols]
        assert elements == ["int8_t", "int32_t", "int32_t"]
        contents = [graph.constants[name] for name in node.inputs[1:]]
        if layer(program, node.name).kernel.arch == "dsp":
            contents[0] = pair_weights(contents[0].reshape(len(contents[0]), -1))
        for symbol, content in zip(symbols, contents, strict=True):
            assert array(program, symbol).data.tobytes() == content.tobytes()
        assert conv.shift == node.shift


def test_numbers_beyond_a_kernel_fall_back_to_the_portable_one(graph: Graph) -> None:
    """The plan, made without knowing the weights, stays as it is."""
    node = graph.node("stem")
    large = replace(
        graph, constants={**graph.constants, node.inputs[2]: np.full(6, 1 << 23, np.int32)}
    )
    program, other = (build_program(g, core_named("m4"), "tiny") for g in (graph, large))
    assert layer(program.program, "stem").kernel.arch == "dsp"
    assert layer(other.program, "stem").kernel.arch == "c"
    assert other.program.buffers == program.program.buffers
    conv = layer(other.program, "stem").conv
    assert conv is not None
    weights = graph.constants[node.inputs[1]]
    assert array(other.program, conv.weights).data.tobytes() == weights.tobytes()


def test_symbols_are_distinct(program: CProgram) -> None:
    symbols = [c.symbol for c in program.constants]
    assert len(set(symbols)) == len(symbols)
    assert all(s.startswith("tiny_") for s in symbols)
    assert len({item.symbol for item in program.layers}) == len(program.layers)


def test_pad_rows_hold_what_padding_reads(graph: Graph, program: CProgram) -> None:
    """As long as the kernel reads, with the pitch of the row that it stands for."""
    for node in graph.nodes:
        if not isinstance(node, ops.QConv2D | ops.QConvGlobalPool):
            continue
        item = layer(program, node.name)
        assert item.conv is not None
        _check_pad_row(array(program, item.conv.pad_row).data, item, node)


def _check_pad_row(row: np.ndarray, item: Layer, node: ops.QConv2D | ops.QConvGlobalPool) -> None:
    source = item.sources[0]
    pixels = 0
    if node.window.padding.any:
        pixels = 1
    if node.window.padding.top or node.window.padding.bottom:
        pixels = source.cols
    for col in range(pixels):
        start = col * source.pixel_bytes
        assert row[start : start + source.channels].tolist() == list(node.pad_value)


def test_pad_rows_of_a_slice_follow_its_pitch() -> None:
    """A padded convolution that reads a slice of a concatenation, with uneven padding values."""
    build = camera_builder(6, 7)
    a = build.conv(build.input, 3, relu=True, name="a")
    b = build.conv(a, 2, kernel=3, padding=1, relu=True, name="b")
    both = build.concat(a, b, name="both")
    graph = quantised(build.finish(build.conv(both, 4, global_pool=True, name="last")))
    padded = graph.node("b")
    assert isinstance(padded, ops.QConv2D)
    uneven = replace(padded, pad_value=(1, 2, 3))
    nodes = tuple(uneven if n.name == "b" else n for n in graph.nodes)
    program = program_of(replace(graph, nodes=nodes))
    item = layer(program, "b")
    assert item.sources[0].pixel_bytes == 5
    assert item.conv is not None
    row = array(program, item.conv.pad_row).data
    assert len(row) >= 6 * 5 + 3
    _check_pad_row(row, item, uneven)


def test_equal_pad_rows_are_shared(program: CProgram) -> None:
    zero = {
        item.conv.pad_row
        for item in program.layers
        if item.conv and not array(program, item.conv.pad_row).data.any()
    }
    assert len(zero) == 1


def test_sizes_and_checksum(program: CProgram) -> None:
    contents = [c.content for c in program.constants]
    assert program.parameters_bytes == sum(map(len, contents))
    assert program.weights_crc32 == zlib.crc32(b"".join(contents))
    assert all(len(c) % 4 == 0 for c in contents)
    own = sum(item.parameters_bytes for item in program.layers)
    shared = [c for c in program.constants if "pad_row" in c.symbol or "steps" in c.symbol]
    assert own + sum(len(c.content) for c in shared) == program.parameters_bytes


def test_content_is_little_endian_and_padded() -> None:
    words = ConstantArray("s", "int32_t", np.array([1, -2], ">i4"), "")
    assert words.content == bytes([1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF])
    octets = ConstantArray("s", "int8_t", np.array([1, -1, 2, 3, 4], np.int8), "")
    assert octets.content == bytes([1, 0xFF, 2, 3, 4, 0, 0, 0])
    assert weights_crc32([words, octets]) == zlib.crc32(words.content + octets.content)


def test_macs_count_padded_taps(graph: Graph, program: CProgram) -> None:
    rows, cols = graph.values["stem"].type.height, graph.values["stem"].type.width
    assert layer(program, "stem").macs == rows * cols * 6 * 3 * 3 * 3
    assert layer(program, "pool").macs == 0
    assert program.macs == sum(item.macs for item in program.layers)


def test_the_same_graph_gives_the_same_program(graph: Graph, program: CProgram) -> None:
    again = program_of(graph, name="tiny")
    assert again.weights_crc32 == program.weights_crc32
    assert again.layers == program.layers
    assert again.buffers == program.buffers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fire2/expand3x3", "fire2_expand3x3"), ("Conv_0", "conv_0"), ("--x--", "x"),
        ("3rd", "n3rd"), ("", "n"), ("???", "n"), ("größe", "gr_e"),
    ],
)
def test_identifiers(text: str, expected: str) -> None:
    assert identifier(text) == expected


def test_clashing_identifiers_get_numbers() -> None:
    names = ["a/b", "a-b", "a_b", "a_b_2", "c"]
    result = unique_identifiers(names)
    assert list(result) == names
    assert len(set(result.values())) == len(names)
    assert result["a/b"] == "a_b"


@pytest.mark.parametrize("name", ["squeezenet", "a", "net_2", "x1"])
def test_good_model_names(name: str) -> None:
    assert check_model_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "Net", "2net", "_net", "a-b", "s2c", "s2c_net", "int", "for", "net\n", "nét"]
)
def test_bad_model_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot prefix C symbols"):
        check_model_name(name)
    assert {"int", "while", "_Bool", "restrict"} <= C_KEYWORDS
