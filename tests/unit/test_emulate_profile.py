"""Blocks joined with code, ticks, and pictures of the outcome; no emulator."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest

from squeeze2c.emulate import LayerResult, MemoryUse, SimulationResult, profile
from squeeze2c.emulate.disassembly import Instruction, parse
from squeeze2c.emulate.elf import FirmwareImage
from squeeze2c.emulate.profile import (
    BlockCount,
    FunctionProfile,
    LayerProfile,
    part_of,
    profile_layers,
    read_blocks,
    together,
)
from squeeze2c.emulate.ticks import ICOUNT, count_by_ticks
from squeeze2c.errors import ToolchainError, UsageError
from squeeze2c.kernels import CATALOGUE
from squeeze2c.report import check_picture, write_picture
from squeeze2c.resources import runtime_dir
from squeeze2c.target import core_named
from tests.support.tools import require_package

CODE = """
  100:\t0000      \tldr\tr0, [r4]
  102:\t0000 0000 \tsmlad\tr1, r2, r3, r1
  106:\t0000      \tbne.n\t100 <s2c_conv>
  200:\t0000      \tstr\tr0, [r4]
"""
IMAGE = FirmwareImage(
    (), ((0x100, 8, "s2c_conv__dsp"), (0x200, 2, "widen.constprop.0"), (0x300, 2, "memcpy"))
)
BLOCKS = (
    BlockCount(0, 0x100, 8, 3, 10, 9),
    BlockCount(0, 0x102, 6, 2, 1, 0),
    BlockCount(1, 0x200, 2, 1, 4, 4),
)


@pytest.fixture
def elf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file whose code is CODE, with a static function at 0x200."""

    def disassemble(path: Path, helium: bool) -> dict[int, Instruction]:
        return parse(CODE)

    files = {0x200: "s2c_columns__dsp.c"}
    monkeypatch.setattr(profile, "disassemble", disassemble)
    monkeypatch.setattr(profile, "files_of_static_functions", lambda path: files)
    return tmp_path / "firmware.elf"


def test_blocks_are_joined_with_code(elf: Path) -> None:
    first, second = profile_layers(BLOCKS, elf, IMAGE, core_named("m4"), (32, 4))
    assert first.classes == {"load": 10, "simd": 11, "branch": 11}
    # 2 for the load, 1 for each of the others, 2 more for each of nine taken branches.
    assert first.cycles["cortex-m4"] == 10 * 4 + 1 * 2 + 9 * 2
    assert first.parts == {"product": 32, "transform": 0, "decode": 0, "other": 0}
    assert second.functions == (
        FunctionProfile(
            "widen", "s2c_columns__dsp.c", {"store": 4}, {"cortex-m4": 12, "cortex-m7": 8}
        ),
    )
    assert second.parts["transform"] == 4
    whole = together((first, second, first))
    assert whole.instructions == 32 + 4 + 32
    assert [f.name for f in whole.functions] == ["s2c_conv__dsp", "widen"]
    assert whole.classes == {"load": 20, "store": 4, "simd": 22, "branch": 22}


def test_blocks_that_do_not_add_up(elf: Path) -> None:
    with pytest.raises(ToolchainError, match="layer 1 have 4 instructions, 5 were counted"):
        profile_layers(BLOCKS, elf, IMAGE, core_named("m4"), (32, 5))


@pytest.mark.parametrize(
    "block", [BlockCount(0, 0x100, 6, 3, 1, 0), BlockCount(0, 0x1, 2, 1, 1, 0)]
)
def test_code_that_is_read_in_another_way(block: BlockCount, elf: Path) -> None:
    with pytest.raises(ToolchainError, match="in another way than QEMU"):
        profile_layers((block,), elf, IMAGE, core_named("m4"), (3,))


def test_the_file_of_blocks(tmp_path: Path) -> None:
    file = tmp_path / "blocks.txt"
    file.write_text("0 256 8 3 10 9\n0 258 6 2 1 0\n1 512 2 1 4 4\n")
    assert read_blocks(file) == BLOCKS


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("s2c_unpack_tile", "decode"),
        ("s2c_unpack_rounds.c", "decode"),
        ("s2c_pair_tile__dsp", "decode"),
        ("s2c_pair__dsp", "product"),
        ("s2c_winograd_weights__dsp", "transform"),
        ("s2c_winograd_product__dsp", "product"),
        ("s2c_winograd3x3_u8_s8_u8_4x2__dsp", "product"),
        ("s2c_columns__dsp.c", "transform"),
        ("s2c_signed_tile__mve", "decode"),
        ("s2c_stream__m0.c", "transform"),
        ("s2c_poly_pixels__m3", "transform"),
        ("s2c_sparse_columns__dsp", "transform"),
        ("s2c_columns_whole__mve", "transform"),
        ("s2c_winograd3x3_transform__dsp", "transform"),
        ("s2c_winograd3x3_multiply__dsp", "product"),
        ("s2c_block_tile__host", "decode"),
        ("s2c_tile__host.c", "transform"),
        ("s2c_maxpool2d_u8__c", "product"),
        ("s2c_port_marks", "other"),
        ("squeezenet.c", "other"),
        ("memset", "other"),
    ],
)
def test_parts(name: str, part: str) -> None:
    assert part_of(name) == part


DECODE = {
    "s2c_unpack_prepare", "s2c_unpack_rounds", "s2c_unpack_tile",
    "s2c_pair_tile__dsp", "s2c_signed_tile__mve", "s2c_block_tile__host",
}  # fmt: skip
TRANSFORM = {
    "s2c_columns__dsp", "s2c_columns__m0", "s2c_columns__m3", "s2c_columns__mve",
    "s2c_columns_whole__mve", "s2c_sparse_columns__dsp", "s2c_pixels__mve", "s2c_poly_pixels__m3",
    "s2c_stream__m0", "s2c_stream__m3", "s2c_poly_stream__m3", "s2c_tile__host",
    "s2c_winograd3x3_transform__dsp", "s2c_winograd_input__dsp", "s2c_winograd_input__m0",
    "s2c_winograd_output__dsp", "s2c_winograd_output__m0",
    "s2c_winograd_weights__dsp", "s2c_winograd_weights__m0",
}  # fmt: skip
PRODUCT = {
    "s2c_conv2d__m0", "s2c_conv2d_sum__m0", "s2c_groups__m0", "s2c_sums__m0", "s2c_pair__dsp",
    "s2c_product__m3", "s2c_poly_product3__m3", "s2c_poly_product4__m3",
    "s2c_mve_begin__mve", "s2c_mve_select__mve", "s2c_multiply__host", "s2c_sparse_channel__dsp",
    "s2c_winograd3x3__m0", "s2c_winograd3x3_multiply__dsp",
    "s2c_winograd_product__dsp", "s2c_winograd_product__m0", "s2c_winograd_sums__m0",
    "s2c_crc32", "s2c_softmax_q16", "s2c_status_name", "s2c_top_k",
}  # fmt: skip
"""What the functions of the runtime that are no kernels of their own are for."""


def test_parts_of_every_function_of_the_runtime() -> None:
    """Also of the files, by which static functions go; a new function must be placed above."""
    sources = sorted((runtime_dir() / "src").glob("*.c"))
    begin = re.compile(r"^(?!static\b)[a-z]\w*[ \w*]*?\b(s2c_\w+)\([^;]*?\)\s*\{", re.MULTILINE)
    found = {name for source in sources for name in begin.findall(source.read_text())}
    kernels = {kernel.symbol for kernel in CATALOGUE}
    assert kernels <= found
    assert found - kernels == DECODE | TRANSFORM | PRODUCT
    expected = dict.fromkeys(kernels | PRODUCT, "product")
    expected |= dict.fromkeys(DECODE, "decode") | dict.fromkeys(TRANSFORM, "transform")
    assert {name: part_of(name) for name in found} == expected
    of_files = {source.stem: part_of(source.name) for source in sources}
    assert {name: part for name, part in of_files.items() if name in found} == {
        name: part for name, part in expected.items() if name in of_files
    }


def _ticks(path: Path, *records: tuple[int, int]) -> Path:
    path.write_bytes(b"".join(struct.pack("<4I", 7, *record, 0) for record in records))
    return path


def test_ticks_become_instructions(tmp_path: Path) -> None:
    """25 MHz: 40 instructions a tick; a quarter of a tick for every span is the clock's own."""
    loop, spans = (0xFFFF_FFFF, 500_003), (0xFFFF_FFFE, 1024)
    asked = []

    def layers(options: object) -> Path:
        asked.append(options)
        return _ticks(tmp_path / "l", loop, spans, (0, 100), (1, 7), (0, 50))

    def calls(options: object) -> Path:
        return _ticks(tmp_path / "c", loop, spans, (1, 5), (4, 10), (5, 20), (5, 20), (6, 1))

    counts = count_by_ticks(3, layers, calls)
    assert asked == [ICOUNT]
    assert counts.per_tick == 40
    assert counts.layers == (round(40 * 149.5), 40 * 6.75, 0)
    assert counts.whole == 40 * 50


def test_a_clock_that_stands_still(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="stands still"):
        count_by_ticks(1, lambda _: _ticks(tmp_path / "l", (0, 0)), lambda _: tmp_path / "l")


def _result(*layers: LayerResult) -> SimulationResult:
    memory = MemoryUse(0, 0, 0, 0, 0, {"run": 0}, 0, 0)
    return SimulationResult(
        "mps2-an386", "cortex-m4", "cortex-m4", "gcc", 1, layers, 0, memory, 0,
        not_counted="no compiler" if not layers or layers[0].instructions is None else None,
    )  # fmt: skip


@pytest.fixture
def profiled() -> SimulationResult:
    function = FunctionProfile("s2c_columns__dsp", None, {"load": 700_000}, {"cortex-m4": 9})
    kernel = FunctionProfile("s2c_conv", None, {"simd": 1_300_000}, {"cortex-m4": 9})
    return _result(
        LayerResult("conv <1>", 5, 0, 2_000_000, "s2c_conv", LayerProfile((kernel, function))),
        LayerResult("pool", 0, 0, 700_000, "s2c_columns__dsp", LayerProfile((function,))),
    )


@pytest.mark.parametrize("suffix", [".svg", ".html", ".SVG", ".Html"])
def test_pictures(suffix: str, profiled: SimulationResult, tmp_path: Path) -> None:
    file = tmp_path / f"layers{suffix}"
    write_picture(profiled, "net & board", file)
    text = file.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>") == (suffix.lower() == ".html")
    svg = ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])
    words = ["".join(e.itertext()) for e in svg.iter() if e.tag.endswith(("text", "title"))]
    assert "conv <1> (conv): transform 700,000 of 2,000,000 instructions" in words
    assert "2 M, 74.1 %" in words and "product, 48.1 %" in words and "decode, 0.0 %" in words
    assert len([e for e in svg.iter() if e.tag.endswith("path")]) == 3


def test_a_picture_as_png(profiled: SimulationResult, tmp_path: Path) -> None:
    require_package("matplotlib")
    file = tmp_path / "layers.png"
    write_picture(profiled, "net", file)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_layers_without_profile(tmp_path: Path) -> None:
    file = tmp_path / "layers.svg"
    write_picture(_result(LayerResult("conv", 5, 0, 2_000, "s2c_conv")), "net", file)
    assert "instructions, 100.0 %" in file.read_text(encoding="utf-8")


def test_pictures_that_cannot_be_drawn(
    profiled: SimulationResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"what kind of picture\? \(end the name in"):
        check_picture(Path("layers.pdf"))
    with pytest.raises(UsageError, match="nothing to draw: no compiler"):
        write_picture(_result(LayerResult("conv", 5, 0)), "net", tmp_path / "a.svg")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"PNG needs matplotlib \(pip install"):
        check_picture(Path("layers.png"))
