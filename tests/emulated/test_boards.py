"""The same bits on every core: firmware on emulated boards against the oracle."""

from __future__ import annotations

import json

import numpy as np
import pytest

from squeeze2c.emulate import SimulationResult, simulate, toolchain
from squeeze2c.emulate.firmware import STACK_BYTES
from squeeze2c.errors import ToolchainError, UsageError
from squeeze2c.export import Artifact
from squeeze2c.ir import load_graph
from squeeze2c.reference import evaluate_int
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.target import BOARDS
from tests.emulated.conftest import MakeArtifact
from tests.emulated.edits import replace_once
from tests.support.tools import missing

pytestmark = pytest.mark.emulated

OTHER_CORES = [
    ("cortex-m0", "mps2-an385"),
    ("cortex-m0", "mps3-an547"),
    ("cortex-m3", "mps2-an386"),
    ("cortex-m4", "mps2-an500"),
    ("cortex-m4", "mps2-an505"),
    ("cortex-m7", "mps3-an547"),
    ("cortex-m33", "mps3-an547"),
]


@pytest.mark.parametrize("board", BOARDS)
def test_portable_code_equals_the_oracle_on_every_board(
    board: str, portable: Artifact, images: np.ndarray
) -> None:
    result = simulate(portable, board, images)
    assert result.mismatches == 0
    assert result.core == BOARDS[board].core
    assert result.instructions is not None
    assert result.instructions > sum(layer["macs"] for layer in portable.layers)
    _check_figures(result, portable)


@pytest.mark.parametrize(
    ("board", "options"),
    [
        ("mps2-an385", ScheduleOptions(input_mode="frame")),
        ("mps2-an386", ScheduleOptions("layerwise")),
        ("mps3-an547", ScheduleOptions("layerwise", input_mode="push")),
        ("mps2-an500", ScheduleOptions(input_format="bgr888")),
        ("mps2-an505", ScheduleOptions(input_format="rgb565le")),
        ("stm32f405", ScheduleOptions(input_format="rgb565be")),
        ("mps3-an547", ScheduleOptions(input_format="grey8")),
    ],
    ids=lambda x: x if isinstance(x, str) else f"{x.kind} {x.input_mode} {x.input_format}",
)
def test_every_way_of_input(
    board: str, options: ScheduleOptions, make_artifact: MakeArtifact, images: np.ndarray
) -> None:
    artifact = make_artifact(options=options)
    result = simulate(artifact, board, images[:2], count_instructions=False)
    assert result.mismatches == 0
    _check_figures(result, artifact)


@pytest.mark.parametrize(("core", "board"), OTHER_CORES)
def test_code_for_smaller_cores_runs_on_larger_ones(
    core: str, board: str, make_artifact: MakeArtifact, images: np.ndarray
) -> None:
    artifact = make_artifact(core)
    result = simulate(artifact, board, images[:1], count_instructions=False)
    assert result.mismatches == 0
    assert (result.core, result.target) == (core, core)
    _check_figures(result, artifact)


def _check_figures(result: SimulationResult, artifact: Artifact) -> None:
    document = json.loads(json.dumps(result.to_json()))
    manifest = artifact.manifest
    ram, flash = document["ram"], document["flash"]
    assert ram["arena_bytes"] == manifest["ram"]["arena_bytes"]
    image = manifest["input"]
    rows = 1 if image["mode"] == "push" else image["rows"]
    assert ram["frame_bytes"] == manifest["ram"]["input_bytes"] == rows * image["row_bytes"]
    assert ram["other_bytes"] == 0  # the model has no mutable data of its own
    assert document["ram_bytes"] == document["stack_bytes"] + sum(
        ram[f"{part}_bytes"] for part in ("arena", "frame", "harness", "other")
    )
    assert flash["parameters_bytes"] == manifest["flash"]["parameters_bytes"]
    assert flash["parameters_bytes"] < flash["model_bytes"] < flash["parameters_bytes"] + 16384
    assert document["flash_bytes"] == flash["model_bytes"] + flash["harness_bytes"]
    # A kernel saves registers and keeps eight accumulators; the harness stands above it.
    assert 64 < ram["model_stack_bytes"] < document["stack_bytes"] < STACK_BYTES // 2
    assert ram["model_stack_bytes"] <= ram["model_stack_bound_bytes"]
    assert [layer["name"] for layer in document["layers"]] == [
        layer["name"] for layer in artifact.layers
    ]
    assert sum(layer["macs"] for layer in document["layers"]) == manifest["macs"]


def test_optimisation_does_not_change_the_bits(portable: Artifact, images: np.ndarray) -> None:
    results = [
        simulate(portable, "mps2-an386", images, optimisation=level, count_instructions=False)
        for level in ("-O0", "-Os")
    ]
    assert [r.mismatches for r in results] == [0, 0]
    assert "-Os" in results[1].compiler
    assert results[1].memory.flash_bytes < results[0].memory.flash_bytes


@pytest.mark.parametrize("library", toolchain.LIBRARIES, ids=lambda library: library[0])
def test_either_c_library_does(
    library: tuple[str, tuple[str, ...]],
    portable: Artifact,
    images: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(toolchain, "LIBRARIES", (library,))
    try:
        toolchain.find_toolchain()
    except ToolchainError:
        missing(f"the cross-compiler has no {library[0]}")
    result = simulate(portable, "mps3-an547", images[:1], count_instructions=False)
    assert result.mismatches == 0
    assert library[0] in result.compiler


def test_differences_are_counted_where_they_arise(
    make_artifact: MakeArtifact, images: np.ndarray
) -> None:
    """A stem that never yields zero differs in each byte that the oracle has as zero."""
    artifact = make_artifact(edit=replace_once(".clamp_min = 0,", ".clamp_min = 1,"))
    result = simulate(artifact, "mps2-an386", images, count_instructions=False)
    by_name = {layer.name: layer.mismatches for layer in result.layers}
    assert by_name["stem"] == _zeros_of_stem(artifact, images)
    assert 0 < by_name["classifier"] == result.logit_mismatches
    assert result.mismatches == sum(by_name.values()) + result.logit_mismatches


def _zeros_of_stem(artifact: Artifact, images: np.ndarray) -> int:
    output = artifact.layers[0]["output"]
    return int((evaluate_int(load_graph(artifact.oracle_path), images)[output] == 0).sum())


def test_progress_counts_images(portable: Artifact, images: np.ndarray) -> None:
    seen: list[tuple[str, int, int]] = []
    simulate(portable, "stm32f405", images, progress=lambda *step: seen.append(step))
    totals = {"build firmware": 2, "run firmware": 3, "compare layers": 3, "count instructions": 1}
    for stage, total in totals.items():
        assert [s[1:] for s in seen if s[0] == stage] == [(i, total) for i in range(total + 1)]
    assert len(seen) == sum(total + 1 for total in totals.values())


def test_code_for_a_larger_core_is_refused(
    make_artifact: MakeArtifact, images: np.ndarray
) -> None:
    with pytest.raises(UsageError, match="cortex-m4 does not run on mps2-an385"):
        simulate(make_artifact("cortex-m4"), "mps2-an385", images)


@pytest.mark.parametrize("wrong", ["shape", "type", "none"])
def test_unsuitable_images_are_refused(
    wrong: str, portable: Artifact, images: np.ndarray
) -> None:
    unsuitable = {
        "shape": images[:, :-1], "type": images.astype(np.int16), "none": images[:0],
    }[wrong]
    with pytest.raises(UsageError, match="images"):
        simulate(portable, "mps2-an385", unsuitable)
