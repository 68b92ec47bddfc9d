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


@pytest.mark.parametrize("compiler", FLAGS)
@pytest.mark.parametrize("name", NETWORKS)
def test_clean_and_exact(
    name: str, compiler: str, case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    require_tool(compiler)
    case = case_of(name)
    program = build_program(
        case.artifact, "run_all", tmp_path / "program", compiler, FLAGS[compiler]
    )
    (tmp_path / "images").write_bytes(case.images.tobytes())
    run_program(program, tmp_path / "images", len(case.images), tmp_path / "output")
    assert (tmp_path / "output").read_bytes() == expected_output(case)


@pytest.mark.parametrize("compiler", FLAGS)
def test_the_sanitiser_does_watch(
    compiler: str, case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    """An arena 16 bytes too small, which the network is not told, is found out."""
    require_tool(compiler)
    case = case_of("fire")
    program = build_program(
        case.artifact, "run_all", tmp_path / "program", compiler,
        (*FLAGS[compiler], "-DARENA_SHORTAGE=16"),
    )  # fmt: skip
    (tmp_path / "images").write_bytes(case.images.tobytes())
    complaint = complaint_of(program, tmp_path / "images", 1, tmp_path / "output")
    assert "heap-buffer-overflow" in complaint


def expected_output(case: Case) -> bytes:
    """What run_all.c writes where layers run one after the other."""
    scale = load_graph(case.artifact.oracle_path).output_value.quant
    assert scale is not None
    constants = softmax_constants(scale.scale)
    parts: list[np.ndarray] = []
    for index in range(len(case.images)):
        parts += [case.oracle[name][index] for name in case.outputs]
        parts.append(softmax_q16(case.logits[index], *constants).astype(np.uint32))
    return b"".join(p.tobytes() for p in parts)
