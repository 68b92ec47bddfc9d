"""The C API's promises: statuses, and not one byte written that was not promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.schedule import ScheduleOptions
from tests.differential.bench import (
    ARENA_ALIGNMENT,
    ARENA_SIZE,
    ARGUMENT,
    CANARY,
    NOT_INITIALISED,
    NULL,
    OK,
    Bench,
    Guarded,
    benches,
)
from tests.differential.conftest import Case

NETWORKS = {
    "fire": ("fire", None),
    "one pixel": ("one pixel", None),
    "pool ending": ("pool ending", None),
    "fire, whole image": ("fire", ScheduleOptions("stream", "frame")),
    "fire, layer by layer": ("fire", ScheduleOptions("layerwise", "frame")),
}


@pytest.fixture(params=NETWORKS)
def bench(
    request: pytest.FixtureRequest, case_of: Callable[..., Case], build_dir: Path
) -> Iterator[Bench]:
    yield from benches(case_of(*NETWORKS[request.param]), build_dir)


def test_init_refuses_null(bench: Bench) -> None:
    assert bench.init(None, bench.arena, bench.arena_bytes) == NULL
    assert bench.init(bench.context, None, bench.arena_bytes) == NULL
    assert bench.context.untouched and bench.arena.untouched


@pytest.mark.parametrize("missing_bytes", [1, 16, 10**9])
def test_init_refuses_a_small_arena(bench: Bench, missing_bytes: int) -> None:
    size = max(bench.arena_bytes - missing_bytes, 0)
    assert bench.init(bench.context, bench.arena, size) == ARENA_SIZE
    assert bench.context.untouched and bench.arena.untouched


@pytest.mark.parametrize("shift", [1, 2, 4, 8, 15])
def test_init_refuses_a_misaligned_arena(bench: Bench, shift: int) -> None:
    arena = Guarded(bench.arena_bytes, shift)
    assert bench.init(bench.context, arena, bench.arena_bytes) == ARENA_ALIGNMENT
    assert bench.context.untouched and arena.untouched


def test_run_refuses_null(bench: Bench) -> None:
    assert bench.init(bench.context, bench.arena, bench.arena_bytes) == OK
    assert bench.run(None, bench.image, bench.logits) == NULL
    assert bench.run(bench.context, None, bench.logits) == NULL
    assert bench.run(bench.context, bench.image, None) == NULL
    assert bench.arena.untouched and bench.logits.untouched


@pytest.mark.parametrize("content", [0x00, CANARY, 0xFF])
def test_run_refuses_a_context_that_was_never_initialised(bench: Bench, content: int) -> None:
    bench.context.bytes[:] = content
    assert bench.run(bench.context, bench.image, bench.logits) == NOT_INITIALISED
    assert bench.arena.untouched and bench.logits.untouched


def test_refused_init_leaves_a_context_in_use_as_it_is(bench: Bench) -> None:
    assert bench.init(bench.context, bench.arena, bench.arena_bytes) == OK
    before = bench.context.bytes.copy()
    assert bench.init(bench.context, bench.arena, bench.arena_bytes - 1) == ARENA_SIZE
    np.testing.assert_array_equal(bench.context.bytes, before)
    assert bench.run(bench.context, bench.image, bench.logits) == OK


@pytest.mark.parametrize("dirt", [0x00, 0xFF])
def test_run_needs_exactly_the_documented_memory(bench: Bench, dirt: int) -> None:
    """Whatever the arena held before, with an image at an odd address, twice in a row."""
    bench.arena.bytes[:] = dirt
    assert bench.init(bench.context, bench.arena, bench.arena_bytes) == OK
    image = Guarded(bench.image.bytes.size, shift=1)
    for index in (0, 1, 0):
        pixels = bench.case.frames[index].ravel()
        image.bytes[:] = pixels
        assert bench.run(bench.context, image, bench.logits) == OK
        np.testing.assert_array_equal(bench.read_logits(), bench.case.logits[index])
        np.testing.assert_array_equal(image.bytes, pixels, "the image is only read")
        image.check_margins()


def test_a_context_may_move_to_another_arena(bench: Bench) -> None:
    assert bench.init(bench.context, bench.arena, bench.arena_bytes) == OK
    other = Guarded(bench.arena_bytes)
    assert bench.init(bench.context, other, bench.arena_bytes + 64) == OK
    assert bench.run(bench.context, bench.image, bench.logits) == OK
    np.testing.assert_array_equal(bench.read_logits(), bench.case.logits[0])
    assert bench.arena.untouched
    other.check_margins()


def test_top_k_and_softmax_check_their_arguments(bench: Bench) -> None:
    classes = bench.case.artifact.classes
    ffi = bench.api.ffi
    logits = ffi.new("int32_t[]", classes)
    out = ffi.new("s2c_ranked[]", classes)
    probabilities = ffi.new("uint32_t[]", classes)
    top_k, softmax = bench.api.function("top_k"), bench.api.function("softmax")
    assert top_k(logits, 0, out) == ARGUMENT
    assert top_k(logits, classes + 1, out) == ARGUMENT
    assert top_k(ffi.NULL, 1, out) == NULL
    assert top_k(logits, 1, ffi.NULL) == NULL
    assert softmax(ffi.NULL, probabilities) == NULL
    assert softmax(logits, ffi.NULL) == NULL
    assert top_k(logits, classes, out) == OK
    assert softmax(logits, probabilities) == OK


def test_every_status_has_a_name(bench: Bench) -> None:
    names = [bench.api.status_name(status) for status in range(9)]
    assert all(names) and len(set(names)) == 9
    assert bench.api.status_name(999)
