"""Whole networks under AddressSanitizer and UndefinedBehaviorSanitizer, in a process of their own.

Arena, image, context and logits are heap blocks of exactly the documented size.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.ir import load_graph
from squeeze2c.reference.softmax import softmax_constants, softmax_q16
from squeeze2c.schedule import ScheduleOptions
from tests.differential.conftest import Case
from tests.differential.networks import NETWORKS
from tests.differential.programs import build_program, complaint_of, run_program
from tests.support.tools import require_tool

COMMON = ("-O1", "-g", "-fno-sanitize-recover=all", "-fsanitize=address,undefined")
FLAGS = {
    "gcc": COMMON,
    # Also finds silent truncation, which C allows.
    "clang": (*COMMON, "-fsanitize=implicit-conversion"),
}
VARIANTS = {
    "whole image": ("odd pads", ScheduleOptions("stream", "frame")),
    "collected image": ("odd pads", ScheduleOptions("layerwise", "push")),
    "layer by layer": ("branches", ScheduleOptions("layerwise")),
    "rgb565": ("bypass", ScheduleOptions("stream", "push", "rgb565be")),
    "grey": ("ceil pools", ScheduleOptions("stream", "push", "grey8")),
}


@pytest.mark.parametrize("compiler", FLAGS)
@pytest.mark.parametrize("name", NETWORKS)
def test_clean_and_exact(
    name: str, compiler: str, case_of: Callable[..., Case], tmp_path: Path
) -> None:
    assert_clean_and_exact(case_of(name), compiler, tmp_path)


@pytest.mark.parametrize("compiler", FLAGS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_other_schedules_are_clean_and_exact(
    variant: str, compiler: str, case_of: Callable[..., Case], tmp_path: Path
) -> None:
    assert_clean_and_exact(case_of(*VARIANTS[variant]), compiler, tmp_path)


def assert_clean_and_exact(case: Case, compiler: str, folder: Path) -> None:
    require_tool(compiler)
    program = build_program(case.artifact, "run_all", folder / "program", compiler, FLAGS[compiler])
    (folder / "images").write_bytes(case.frames.tobytes())
    run_program(program, folder / "images", len(case.frames), folder / "output")
    check_output(case, (folder / "output").read_bytes())


@pytest.mark.parametrize("compiler", FLAGS)
def test_the_sanitiser_does_watch(
    compiler: str, case_of: Callable[..., Case], tmp_path: Path
) -> None:
    """An arena 16 bytes too small, which the network is not told, is found out."""
    require_tool(compiler)
    case = case_of("fire")
    program = build_program(
        case.artifact, "run_all", tmp_path / "program", compiler,
        (*FLAGS[compiler], "-DARENA_SHORTAGE=16"),
    )  # fmt: skip
    (tmp_path / "images").write_bytes(case.frames.tobytes())
    complaint = complaint_of(program, tmp_path / "images", 1, tmp_path / "output")
    assert "heap-buffer-overflow" in complaint


def check_output(case: Case, output: bytes) -> None:
    """What run_all.c writes: every row of every layer once, in whatever order; then the results."""
    scale = load_graph(case.artifact.oracle_path).output_value.quant
    assert scale is not None
    constants = softmax_constants(scale.scale)
    layers = case.artifact.layers
    at = 0
    for index in range(len(case.frames)):
        seen: set[tuple[int, int]] = set()
        while True:
            layer, row = (int(n) for n in np.frombuffer(output, np.uint32, 2, at))
            at += 8
            if layer == len(layers):
                break
            expected = case.oracle[layers[layer]["output"]][index][row].tobytes()
            assert output[at : at + len(expected)] == expected, (index, layer, row)
            assert (layer, row) not in seen
            seen.add((layer, row))
            at += len(expected)
        shapes = [layer["shape"] for layer in layers if len(layer["shape"]) == 3]
        assert len(seen) == sum(shape[0] for shape in shapes)
        for array in (case.logits[index], softmax_q16(case.logits[index], *constants)):
            content = array.astype(np.uint32).tobytes()
            assert output[at : at + len(content)] == content
            at += len(content)
    assert at == len(output)
