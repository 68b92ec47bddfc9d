"""The arena over time: data, characters and SVG."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from squeeze2c.errors import ArtifactError
from squeeze2c.ir import Graph, load_graph
from squeeze2c.memory import ArenaPicture, LiveRange, PictureBuffer, draw_arena, plan_memory
from squeeze2c.pipeline import build_program
from squeeze2c.report import (
    FREE,
    arena_grid,
    arena_svg,
    buffer_colours,
    by_size,
    inspect_folder,
    layer_of,
    rows_text,
)
from squeeze2c.report.arena_svg import ZOOM_STEPS
from squeeze2c.report.svg import binary, decades, number, round_steps
from squeeze2c.schedule import INPUT_STAGE, ScheduleOptions, Step
from squeeze2c.target import core_named
from tests.support import onnx_models
from tests.support.artifacts import compiled
from tests.support.programs import every_operator_graph, quantised

SVG = "{http://www.w3.org/2000/svg}"
OPTIONS = {
    "push": ScheduleOptions(kind="stream"),
    "frame": ScheduleOptions(kind="stream", input_mode="frame"),
    "layerwise": ScheduleOptions(kind="layerwise"),
}


@pytest.fixture(scope="module")
def graph() -> Graph:
    return quantised(every_operator_graph())


@pytest.fixture(scope="module", params=OPTIONS)
def picture(graph: Graph, request: pytest.FixtureRequest) -> ArenaPicture:
    chosen = build_program(graph, core_named("cortex-m4"), "net", OPTIONS[request.param]).chosen
    return draw_arena(chosen.schedule, plan_memory(graph, chosen.schedule))


def small_picture() -> ArenaPicture:
    """Two steps; ``low`` in the first, ``high`` in both."""
    return ArenaPicture(
        arena_bytes=96,
        lower_bound_bytes=96,
        layers=("a", "b"),
        steps=(Step(INPUT_STAGE, 0, 1), Step(1, 0, 1)),
        buffers=(
            PictureBuffer("low", "line_buffer", 0, 32, 1, 4, (LiveRange(0, 1),)),
            PictureBuffer("high", "scratch", 32, 60, 0, 0, (LiveRange(0, 2),)),
        ),
    )


def test_json_and_back(picture: ArenaPicture) -> None:
    assert ArenaPicture.from_json(json.loads(json.dumps(picture.to_json()))) == picture


def test_most_bytes_in_use_are_the_lower_bound(picture: ArenaPicture) -> None:
    used = picture.used_bytes()
    assert len(used) == len(picture.steps)
    assert max(used) == picture.lower_bound_bytes == used[picture.peak_step]
    kinds = {b.kind for b in picture.buffers}
    by_kind = [picture.used_bytes(kind) for kind in kinds]
    assert tuple(map(sum, zip(*by_kind, strict=True))) == used


def test_used_bytes_by_hand() -> None:
    picture = small_picture()
    assert picture.used_bytes() == (96, 64)
    assert picture.used_bytes("scratch") == (64, 64)
    assert picture.peak_step == 0
    assert [layer_of(picture, s) for s in picture.steps] == ["image row", "b"]
    assert [rows_text(b) for b in picture.buffers] == ["1 of 4 rows", ""]


def test_grid_by_hand() -> None:
    grid = arena_grid(small_picture(), columns=10, lines=3)
    # The largest buffer comes first; 60 bytes fill two lines of 32 by more than half.
    assert grid.letters == {"high": "a", "low": "b"}
    assert grid.lines == ("aa", "aa", "b.")
    assert (grid.line_bytes, grid.peak_column) == (32, 0)


@pytest.mark.parametrize(("columns", "lines"), [(1, 1), (17, 5), (60, 24), (500, 400)])
def test_letters_stand_where_their_buffers_are(
    picture: ArenaPicture, columns: int, lines: int
) -> None:
    grid = arena_grid(picture, columns, lines)
    width = len(grid.lines[0])
    assert {len(line) for line in grid.lines} == {width}
    assert width <= columns and len(grid.lines) <= lines
    buffers = {b.name: b for b in picture.buffers}
    names = {letter: name for name, letter in grid.letters.items()}
    for index, line in enumerate(reversed(grid.lines)):
        for column, letter in enumerate(line):
            if letter == FREE:
                continue
            buffer = buffers[names[letter]]
            assert buffer.offset_bytes < (index + 1) * grid.line_bytes
            assert buffer.end_bytes > index * grid.line_bytes
            first = column * len(picture.steps) / width
            last = (column + 1) * len(picture.steps) / width
            assert any(r.start < last and r.end > first for r in buffer.live)


def test_a_fine_grid_shows_every_buffer_and_every_step(picture: ArenaPicture) -> None:
    grid = arena_grid(picture, len(picture.steps), picture.arena_bytes)
    assert grid.line_bytes == 1
    names = {letter: name for name, letter in grid.letters.items()}
    assert set(names.values()) == {b.name for b in picture.buffers}
    for step in range(len(picture.steps)):
        column = [line[step] for line in reversed(grid.lines)]
        for byte, letter in enumerate(column):
            here = [
                b.name for b in picture.buffers
                if b.is_live(step) and b.offset_bytes <= byte < b.end_bytes
            ]  # fmt: skip
            assert here == ([] if letter == FREE else [names[letter]])


def titles(root: ElementTree.Element) -> Iterator[str]:
    for element in root.iter(f"{SVG}path"):
        title = element.find(f"{SVG}title")
        assert title is not None and title.text
        yield title.text


def test_svg_stands_alone_and_names_everything(picture: ArenaPicture) -> None:
    text = arena_svg(picture, "tiny <network> & more")
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert {"href", "src"}.isdisjoint({k for e in root.iter() for k in e.attrib})
    assert "tiny <network> & more" in "".join(root.itertext())
    said = list(titles(root))
    for buffer in picture.buffers:
        assert any(
            t.startswith(f"{buffer.name}: ") and f"{buffer.size_bytes:,} bytes" in t for t in said
        )
    words = " ".join(root.itertext())
    assert f"{picture.arena_bytes:,}" in words and f"{picture.lower_bound_bytes:,}" in words
    zooms = "Around the peak" in words
    assert zooms == (len(picture.steps) > ZOOM_STEPS)


def test_svg_is_deterministic_and_inside_its_page(picture: ArenaPicture) -> None:
    text = arena_svg(picture, "net")
    assert text == arena_svg(picture, "net")
    root = ElementTree.fromstring(text)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for element in root.iter():
        for key, limit in (("x", width), ("y", height), ("x1", width), ("y2", height)):
            if key in element.attrib:
                assert 0 <= float(element.attrib[key]) <= limit


def test_kinds_have_hues_of_their_own(picture: ArenaPicture) -> None:
    colours = buffer_colours(picture)
    assert set(colours) == {b.name for b in picture.buffers}
    of_kind = {
        kind: {colours[b.name] for b in picture.buffers if b.kind == kind}
        for kind in ("line_buffer", "scratch", "accumulator")
    }
    assert not of_kind["line_buffer"] & of_kind["scratch"]
    assert not of_kind["accumulator"] & (of_kind["line_buffer"] | of_kind["scratch"])


def test_numbers_and_ticks() -> None:
    assert [number(v) for v in (3.0, 0.5, 1.239, -2, 0)] == ["3", "0.5", "1.24", "-2", "0"]
    assert round_steps(0, 1281, 14, decades()) == [100 * i for i in range(13)]
    assert round_steps(0, 48_000, 9, binary()) == [8192 * i for i in range(6)]
    assert round_steps(650, 714, 8, decades()) == [650, 660, 670, 680, 690, 700, 710]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    images = onnx_models.random_images(3, 24, 24)
    artifact = compiled(
        onnx_models.fire_net(input_size=24), tmp_path, images, onnx_models.PIXEL_PREPROCESS
    )
    return artifact.folder


def test_a_folder_has_the_picture_of_its_schedule(folder: Path) -> None:
    inspection = inspect_folder(folder)
    artifact, picture = inspection.artifact, inspection.picture
    core = core_named(artifact.target)
    built = build_program(load_graph(artifact.oracle_path), core, artifact.name)
    assert picture == draw_arena(built.chosen.schedule, built.plan)
    document = inspection.to_json()
    assert document["schedule"]["steps"] == len(picture.steps)
    assert [b["name"] for b in document["arena"]["buffers"]] == [b.name for b in by_size(picture)]
    at_peak = sum(
        -(-b["size_bytes"] // 16) * 16 for b in document["arena"]["buffers"] if b["live_at_peak"]
    )
    assert at_peak == document["ram"]["lower_bound_bytes"]


@pytest.mark.parametrize(
    "content", ["", "{}", '{"arena_bytes": 1, "lower_bound_bytes": 1, "layers": 3}', "[]"]
)
def test_a_broken_schedule_file(folder: Path, content: str) -> None:
    (folder / "reference" / "schedule.json").write_text(content, encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"schedule\.json: not readable"):
        inspect_folder(folder)


def test_the_schedule_file_of_another_network(folder: Path) -> None:
    path = folder / "reference" / "schedule.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["arena_bytes"] += 16
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ArtifactError, match="belongs to another manifest"):
        inspect_folder(folder)


def test_without_the_schedule_file_it_is_no_folder_of_ours(folder: Path) -> None:
    (folder / "reference" / "schedule.json").unlink()
    with pytest.raises(ArtifactError, match=r"schedule\.json is missing"):
        inspect_folder(folder)
