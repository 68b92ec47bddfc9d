"""Literals, comments and the shape of generated code."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from jinja2 import UndefinedError

from squeeze2c.codegen.environment import environment
from squeeze2c.codegen.literals import comment_text, decimal_lines, float_literal, word_lines
from squeeze2c.errors import CodegenError
from squeeze2c.export import runtime_files
from squeeze2c.frontend.input_format import input_format
from squeeze2c.kernels import CATALOGUE
from squeeze2c.resources import runtime_dir, templates_dir
from squeeze2c.schedule import ScheduleOptions
from tests.support.programs import camera_builder, every_operator_graph, generated_files, quantised


@pytest.mark.parametrize("value", [1.0, 1e-7, 3.0e-5, 123456.789, 0.1, 1e10, 65536.0])
def test_float_literal_gives_the_float_back(value: float) -> None:
    literal = float_literal(value)
    assert literal.endswith("f")
    assert re.search(r"[.e]", literal)
    assert np.float32(literal[:-1]) == np.float32(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_float_literal_refuses_what_c_has_no_constant_for(value: float) -> None:
    with pytest.raises(CodegenError):
        float_literal(value)


def test_words_are_little_endian_and_compact() -> None:
    content = bytes(range(256)) * 40
    lines = word_lines(content)
    assert lines[0].startswith("0x03020100,0x07060504,")
    words = [int(w, 16) for line in lines for w in line.rstrip(",").split(",")]
    assert np.array(words, "<u4").tobytes() == content
    assert len("\n".join(lines)) <= 3.0 * len(content)
    assert max(map(len, lines)) <= 100


def test_decimal_lines_round_trip_and_refuse_the_least_integer() -> None:
    values = np.array([0, -1, 2**31 - 1, -(2**31) + 1], np.int32)
    assert decimal_lines(values) == ("0,-1,2147483647,-2147483647,",)
    assert decimal_lines(np.array([0, 65535], np.uint16)) == ("0,65535,",)
    assert decimal_lines(np.zeros(0, np.int32)) == ()
    assert max(map(len, decimal_lines(np.arange(10**4)))) <= 100
    with pytest.raises(CodegenError):
        decimal_lines(np.array([-(2**31)], np.int32))


@pytest.mark.parametrize("name", ["a*/b", "/*", "evil */ int x; /*", "näme", "tab\there", "a??/b"])
def test_comment_text_cannot_leave_the_comment(name: str) -> None:
    safe = comment_text(name)
    assert "*/" not in safe and "/*" not in safe and "??/" not in safe
    assert safe.isascii() and safe.isprintable()


def test_undefined_names_in_templates_are_errors() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ m.no_such_thing }}").render(m=object())


def test_templates_contain_no_arithmetic() -> None:
    """Views compute; a template prints. Names, attributes, indices and tests are all it has."""
    operation = r"[\w)\]]\s*(?:\*\*?|//|/|%|\+|\s-\s)\s*[\w(]"
    arithmetic = re.compile(r"\{[{%][^}]*?(?:" + operation + r")[^}]*[}%]\}")
    for path in templates_dir().rglob("*.j2"):
        text = re.sub(r'"[^"\n]*"', '""', path.read_text(encoding="utf-8"))
        found = [m.group(0) for m in arithmetic.finditer(text)]
        assert not found, f"{path.name}: {found}"


def test_every_runtime_source_belongs_to_a_kernel_or_is_a_helper() -> None:
    files = runtime_files(CATALOGUE, unpack=True)
    sources = {Path(f).name for f in files if f.endswith(".c")}
    assert sources == {p.name for p in (runtime_dir() / "src").glob("*.c")}


def test_only_needed_runtime_files_are_exported() -> None:
    files = runtime_files([])
    assert not any("conv2d" in f and f.endswith(".c") for f in files)
    assert "runtime/s2c.h" in files


def test_generated_code_has_no_mutable_globals_and_no_stdio() -> None:
    files = generated_files(quantised(every_operator_graph()))
    for path, content in files.items():
        # What times layers on a device is no part of the model, and hooks know no context.
        if not path.endswith((".c", ".h")) or path.startswith("profile/"):
            continue
        text = content.decode()
        assert "#include <stdio" not in text and "malloc" not in text, path
        function = r"inline|const|void|u?int\d*(?:_t)?\b|s2c_|S2C_(?:DSP|M3)_NOINLINE"
        for line in text.splitlines():
            if re.match(rf"static (?!{function})", line):
                pytest.fail(f"{path}: {line}")


@pytest.mark.parametrize("kind", ["auto", "layerwise"])
@pytest.mark.parametrize("mode", ["push", "frame"])
def test_only_networks_that_take_rows_have_functions_for_them(kind: str, mode: str) -> None:
    options = ScheduleOptions(kind, mode)
    files = generated_files(quantised(every_operator_graph()), options=options)
    header, source = files["tiny.h"].decode(), files["tiny.c"].decode()
    for name in ("begin", "push_rows", "finish"):
        assert (f"s2c_status tiny_{name}(" in header) == (mode == "push")
        assert (f"s2c_status tiny_{name}(" in source) == (mode == "push")
    assert "s2c_status tiny_run(" in header
    assert ("const uint8_t *image;" in header) == (mode == "frame")
    assert ("s2c_input.h" in source) == (mode == "push")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("rgb888", "s2c_input_bytes(slot, rows + (size_t)i * TINY_INPUT_ROW_BYTES, 33u)"),
        ("bgr888", "s2c_input_bgr888(slot, rows + (size_t)i * TINY_INPUT_ROW_BYTES, 11u)"),
        ("rgb565le", "s2c_input_rgb565le(slot, rows + (size_t)i * TINY_INPUT_ROW_BYTES, 11u)"),
        ("grey8", "s2c_input_grey8(slot, rows + (size_t)i * TINY_INPUT_ROW_BYTES, 11u)"),
    ],
)
def test_rows_are_converted_on_their_way_in(name: str, call: str) -> None:
    """And the header says what a row consists of."""
    options = ScheduleOptions(input_format=name)
    files = generated_files(quantised(every_operator_graph()), options=options)
    pixels = input_format(name)
    size = pixels.row_bytes(11, 3)
    header = files["tiny.h"].decode()
    assert call in files["tiny.c"].decode()
    assert pixels.description in header
    assert f"#define TINY_INPUT_ROW_BYTES {size}u" in header
    assert f"#define TINY_INPUT_BYTES {13 * size}u" in header


def test_hostile_onnx_names_stay_inside_comments() -> None:
    build = camera_builder(6, 6)
    x = build.conv(build.input, 4, relu=True, name='a*/ #error "x" \n\\')
    graph = build.finish(build.conv(x, 3, global_pool=True, name="head"))
    text = generated_files(quantised(graph))["tiny.c"].decode()
    assert "a*/" not in text
    assert not any(
        line.endswith("\\") and line.startswith(" *") for line in text.splitlines()
    )
