"""Sizes and proofs of the kernels for Cortex-M3."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.ir import Graph, ops
from squeeze2c.kernels import m3, select_kernel
from squeeze2c.kernels.catalogue import CONV2D_M3, CONV2D_SUM_M3, POLY_M3
from squeeze2c.lower import CProgram
from squeeze2c.pipeline import build_program
from squeeze2c.reference.int_eval import evaluate_int
from squeeze2c.schedule import ScheduleOptions
from squeeze2c.target import CORES, core_named
from tests.support.fires import fires
from tests.support.interpreter import Interpreter
from tests.support.kernel_library import Build, load_kernels
from tests.support.programs import random_images

LIMIT = 1 << 20


def test_only_a_core_without_the_dsp_extension_has_them() -> None:
    graph = fires()
    node = next(node for node in graph.nodes if isinstance(node, ops.QConv2D))
    arch = {name: select_kernel(graph, node, core).arch for name, core in CORES.items()}
    assert {name for name, found in arch.items() if found == "m3"} == {"cortex-m3"}


def brute_force(sums: np.ndarray, length: int) -> bool:
    """Whether every part of ``length`` blocks of positive sums (n, taps) fits a field."""
    taps = sums.shape[1]
    front = -taps % m3.BLOCK
    for first in range(-front, taps, length * m3.BLOCK):
        part = sums[:, max(first, 0) : first + length * m3.BLOCK]
        if 255 * part.sum(axis=1).max() >= LIMIT:
            return False
    return True


@pytest.mark.parametrize("taps", [1, 7, 8, 9, 27, 64, 130, 200])
def test_parts_of_triples_are_proven(taps: int) -> None:
    rng = np.random.default_rng(taps)
    for outputs, tile in ((3, 0), (7, 0), (9, 4), (8, 5)):
        for largest in (3, 60, 127):
            weight = rng.integers(-largest, largest + 1, (outputs, 1, 1, taps)).astype(np.int8)
            found = m3.part_blocks(weight, tile)
            of_pairs = []
            matrix = weight.reshape(outputs, taps).astype(np.int64)
            for begin in range(0, outputs, tile or outputs):
                channels = matrix[begin : begin + (tile or outputs)]
                for first in range(0, len(channels), 3):
                    for other in (1, 2):
                        pair = channels[[first]]
                        if first + other < len(channels):
                            pair = channels[[first, first + other]]
                        of_pairs += [np.maximum(pair, 0).sum(0), np.maximum(-pair, 0).sum(0)]
            sums = np.array(of_pairs)
            assert brute_force(sums, found)
            fewer = -(-m3.blocks_of(taps) // found) - 1
            if fewer:
                assert not brute_force(sums, -(-m3.blocks_of(taps) // fewer))


@pytest.mark.parametrize("channels", [1, 3, 8, 20, 64])
def test_parts_of_kernel_rows_are_proven(channels: int) -> None:
    rng = np.random.default_rng(channels)
    weight = rng.integers(-127, 128, (5, 3, 3, channels)).astype(np.int8)
    found = m3.part_blocks(weight, poly=True)
    taps = weight.transpose(0, 1, 3, 2).reshape(5, -1, 3).astype(np.int64)
    sums = np.concatenate([np.maximum(taps, 0).sum(2), np.maximum(-taps, 0).sum(2)])
    assert brute_force(sums, found)


def test_any_weights_have_parts() -> None:
    """Two blocks of two channels, or of one channel and three weights per tap, always fit."""
    for value in (127, -127, -128):
        assert m3.part_blocks(np.full((3, 1, 1, 512), value, np.int8)) == 2
        assert m3.part_blocks(np.full((1, 3, 3, 512), value, np.int8), poly=True) == 1


def test_groups_share_passes_equally() -> None:
    assert m3.groups_at_once(512, 13, 8 << 10) == 2
    assert m3.groups_at_once(512, 13, 64 << 10) == 4
    assert m3.groups_at_once(27, 111, 8 << 10) == 28
    assert m3.groups_at_once(576, 36, 32 << 10) == 5
    for taps in (1, 27, 144, 576):
        for pixels in (1, 4, 55, 169):
            for limit in m3.COLUMNS_BYTES:
                groups = m3.groups_at_once(taps, pixels, limit)
                assert m3.groups_in(m3.scratch_bytes(taps, groups), taps) == groups


@pytest.mark.parametrize("cols", range(1, 60))
def test_groups_of_pairs_cover_a_row(cols: int) -> None:
    fours, threes = m3.poly_groups(cols)
    assert 4 * fours + 3 * threes >= cols // 2 + 1
    for rows in (1, 4):
        scratch = m3.poly_scratch_bytes(16, cols, rows)
        assert m3.poly_rows_in(scratch + 3, 16, cols) == rows


def assert_equals_oracle(graph: Graph, options: ScheduleOptions, build_dir: Path) -> CProgram:
    """With as many groups and blocks as lowering says, and no more scratch than it gives."""
    program = build_program(graph, core_named("cortex-m3"), "net", options).program
    kernels = load_kernels(Build("gcc", ("-O2",)), build_dir)
    image = random_images(graph, 1)
    expected = evaluate_int(graph, image)
    for name, array in Interpreter(kernels, program).run(image[0]).items():
        np.testing.assert_array_equal(array, expected[name][0], name)
    return program


@pytest.mark.parametrize(
    "options",
    [ScheduleOptions(), ScheduleOptions("layerwise"), ScheduleOptions(ram_bytes=1 << 20)],
    ids=["small", "layerwise", "large"],
)
def test_programs_equal_the_oracle(options: ScheduleOptions, build_dir: Path) -> None:
    program = assert_equals_oracle(fires(), options, build_dir)
    assert {layer.kernel for layer in program.layers} >= {CONV2D_M3, CONV2D_SUM_M3, POLY_M3}


def test_layers_that_clamp_above_zero_get_the_portable_kernel(build_dir: Path) -> None:
    graph = fires()
    nodes = tuple(
        replace(node, clamp_min=3) if isinstance(node, ops.QConv2D) else node
        for node in graph.nodes
    )
    program = assert_equals_oracle(replace(graph, nodes=nodes), ScheduleOptions(), build_dir)
    arch = {layer.kind: layer.kernel.arch for layer in program.layers}
    assert (arch["QConv2D"], arch["QConvGlobalPool"]) == ("c", "m3")
