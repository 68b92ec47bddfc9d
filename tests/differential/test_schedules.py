"""Every kind of schedule, way of input and pixel format, in real C: always the same integers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.errors import DoesNotFitError
from squeeze2c.frontend.input_format import FORMATS
from squeeze2c.host import HostModel
from squeeze2c.ir import load_graph
from squeeze2c.pipeline import build_program
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.schedule.options import INPUT_MODES, KINDS
from squeeze2c.target import core_named
from tests.differential.conftest import Case
from tests.differential.programs import build_program as build_c
from tests.differential.programs import run_program
from tests.differential.test_sanitised import FLAGS
from tests.support.kernel_library import WARNINGS, run
from tests.support.tools import require_tool

CaseOf = Callable[..., Case]
CONVERTED = [name for name, pixels in FORMATS.items() if pixels.converts]
NETWORKS = ("fire", "odd pads", "branches")
WAYS = [
    *itertools.product(KINDS, INPUT_MODES, ("raw",)),
    *itertools.product(("stream", "layerwise"), ("push",), CONVERTED),
]


def assert_exact(case: Case, build_dir: Path) -> None:
    """Every byte of every layer, whole images; then the logits alone, row by row."""
    with HostModel(case.artifact, flags=("-O0",), cache_dir=build_dir) as model:
        for index, image in enumerate(case.images[:3]):
            traced = model.run_layers(image)
            assert list(traced) == case.outputs
            for output, array in traced.items():
                np.testing.assert_array_equal(array, case.oracle[output][index], output)
        if case.artifact.push:
            np.testing.assert_array_equal(model.push(case.images[3]), case.logits[3])


@pytest.mark.parametrize(("kind", "mode", "pixels"), WAYS)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_way(
    name: str, kind: str, mode: str, pixels: str, case_of: CaseOf, build_dir: Path
) -> None:
    case = case_of(name, ScheduleOptions(kind, mode, pixels))
    assert (case.artifact.push, case.artifact.input_format.name) == (mode == "push", pixels)
    assert_exact(case, build_dir)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(("kind", "mode", "pixels"), WAYS)
def test_compilers_are_silent(
    kind: str, mode: str, pixels: str, compiler: str, case_of: CaseOf
) -> None:
    artifact = case_of("odd pads", ScheduleOptions(kind, mode, pixels)).artifact
    includes = [f"-I{folder}" for folder in artifact.include_dirs]
    run([require_tool(compiler), *WARNINGS, "-fsyntax-only", *includes, *artifact.sources])


@pytest.mark.parametrize(("name", "mode"), [("bypass", "push"), ("ceil pools", "frame")])
def test_every_budget(name: str, mode: str, case_of: CaseOf, build_dir: Path) -> None:
    """All that the search would ever choose, from the least arena to the least work."""
    integer = load_graph(case_of(name).artifact.oracle_path)
    core = core_named("host")
    with pytest.raises(DoesNotFitError) as caught:
        build_program(integer, core, "net", ScheduleOptions(input_mode=mode, ram_bytes=0))
    smallest = caught.value.needed_bytes
    family = build_program(integer, core, "net", ScheduleOptions(input_mode=mode)).candidates
    reserve = smallest - family[0].arena_bytes
    for candidate in family:
        options = ScheduleOptions(input_mode=mode, ram_bytes=candidate.arena_bytes + reserve)
        case = case_of(name, options)
        assert case.artifact.manifest["ram"]["arena_bytes"] == candidate.arena_bytes
        assert_exact(case, build_dir)


PUSHED = {
    "fire": ("fire", None),
    "odd pads, RGB565": ("odd pads", ScheduleOptions("stream", "push", "rgb565le")),
    "bypass, collected": ("bypass", ScheduleOptions("layerwise", "push", "bgr888")),
    "one pixel": ("one pixel", None),
}


@pytest.mark.parametrize("compiler", FLAGS)
@pytest.mark.parametrize("variant", PUSHED)
def test_portions_under_the_sanitiser(
    variant: str, compiler: str, case_of: CaseOf, tmp_path: Path
) -> None:
    require_tool(compiler)
    case = case_of(*PUSHED[variant])
    program = build_c(case.artifact, "push", tmp_path / "program", compiler, FLAGS[compiler])
    (tmp_path / "images").write_bytes(case.frames[:4].tobytes())
    for seed in range(6):
        run_program(program, tmp_path / "images", 4, seed, tmp_path / "output")
        logits = np.fromfile(tmp_path / "output", np.int32).reshape(4, -1)
        np.testing.assert_array_equal(logits, case.logits[:4])
