"""Images pushed row by row: any portions, wrong calls in any order, and always the exact logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from squeeze2c.schedule import ScheduleOptions
from tests.differential.bench import (
    CANARY,
    NOT_INITIALISED,
    NULL,
    OK,
    ROWS,
    SEQUENCE,
    Bench,
    Guarded,
    benches,
)
from tests.differential.conftest import Case

CASES = {
    "fire": ("fire", None),
    "one pixel": ("one pixel", None),
    # Its first step needs no row of the image.
    "odd pads, RGB565": ("odd pads", ScheduleOptions("stream", "push", "rgb565le")),
    "collected image": ("pool ending", ScheduleOptions("layerwise", "push")),
    "grey": ("grey", None),
}


@pytest.fixture(params=CASES)
def bench(
    request: pytest.FixtureRequest, case_of: Callable[..., Case], build_dir: Path
) -> Iterator[Bench]:
    """A bench whose context is initialised."""
    for made in benches(case_of(*CASES[request.param]), build_dir):
        assert made.init(made.context, made.arena, made.arena_bytes) == OK
        yield made


def push_all(
    bench: Bench, index: int, portions: Sequence[int] | None = None, first: int = 0
) -> None:
    """What is left of an image from row ``first`` on, by default a row at a time."""
    for count in portions or [1] * (bench.rows - first):
        assert bench.push_portion(index, first, count, shift=first % 3) == OK
        first += count
    assert first == bench.rows


def portions_of(rows: int, sizes: Sequence[int]) -> list[int]:
    """``sizes`` over and over until all rows are taken."""
    portions: list[int] = []
    while sum(portions) < rows:
        size = sizes[len(portions) % len(sizes)]
        portions.append(min(size, rows - sum(portions)))
    return portions


@pytest.mark.parametrize(
    "sizes",
    [(1,), (2,), (3,), (5,), (7,), (11,), (1000,), (1, 0, 4), (2, 3, 5, 7, 11, 13)],
    ids=str,
)
def test_portions_of_any_size(bench: Bench, sizes: tuple[int, ...]) -> None:
    for index in (0, 1):
        assert bench.begin(bench.context) == OK
        push_all(bench, index, portions_of(bench.rows, sizes))
        assert bench.finish(bench.context, bench.logits) == OK
        bench.expect_logits(index)


def test_every_way_to_cut_an_image_in_two(bench: Bench) -> None:
    for cut in range(bench.rows + 1):
        assert bench.begin(bench.context) == OK
        push_all(bench, cut % 5, [cut, bench.rows - cut])
        assert bench.finish(bench.context, bench.logits) == OK
        bench.expect_logits(cut % 5)


def test_the_logits_are_written_by_finish_alone(bench: Bench) -> None:
    assert bench.begin(bench.context) == OK
    push_all(bench, 0)
    assert bench.logits.untouched
    assert bench.finish(bench.context, bench.logits) == OK
    bench.expect_logits(0)


def test_too_many_rows_are_refused_and_none_is_taken(bench: Bench) -> None:
    """At every row of the image, and after the last one."""
    surplus = Guarded(bench.case.frames[0].size * 2)
    assert bench.begin(bench.context) == OK
    for row in range(bench.rows + 1):
        left = bench.rows - row
        for count in (left + 1, left + bench.rows, 2**31, 2**32 - 1):
            refused(bench, bench.push, surplus, count, status=ROWS)
        if row < bench.rows:
            assert bench.push_portion(2, row, 1) == OK
    assert surplus.untouched
    assert bench.finish(bench.context, bench.logits) == OK
    bench.expect_logits(2)


def refused(
    bench: Bench, call: Callable[..., int], *arguments: object, status: int
) -> None:
    """The call fails with ``status``, and changes neither context, arena nor logits."""
    before = [buffer.bytes.copy() for buffer in (bench.context, bench.arena, bench.logits)]
    assert call(bench.context, *arguments) == status
    after = [buffer.bytes for buffer in (bench.context, bench.arena, bench.logits)]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def test_finish_wants_all_rows(bench: Bench) -> None:
    assert bench.begin(bench.context) == OK
    for row in range(bench.rows):
        refused(bench, bench.finish, bench.logits, status=ROWS)
        assert bench.push_portion(1, row, 1) == OK
    assert bench.finish(bench.context, bench.logits) == OK
    bench.expect_logits(1)


def test_no_image_has_begun(bench: Bench) -> None:
    """After init, after finish, after run, and after an init in the middle of an image."""

    def closed() -> None:
        for count in (0, 1, bench.rows + 1):
            refused(bench, bench.push, bench.image, count, status=SEQUENCE)
        refused(bench, bench.finish, bench.logits, status=SEQUENCE)

    closed()
    assert bench.begin(bench.context) == OK
    push_all(bench, 3)
    assert bench.finish(bench.context, bench.logits) == OK
    bench.expect_logits(3)
    closed()
    assert bench.run(bench.context, bench.image, bench.logits) == OK
    bench.expect_logits(0)
    closed()
    assert bench.begin(bench.context) == OK
    assert bench.push_portion(3, 0, 1) == OK
    assert bench.init(bench.context, bench.arena, bench.arena_bytes) == OK
    closed()


def test_begin_gives_up_what_was_begun(bench: Bench) -> None:
    """Wherever that was, also when only finish was missing, and several times in a row."""
    for row in range(bench.rows + 1):
        assert bench.begin(bench.context) == OK
        if row:
            assert bench.push_portion(4, 0, row) == OK
    assert bench.begin(bench.context) == OK
    assert bench.begin(bench.context) == OK
    push_all(bench, 1)
    assert bench.finish(bench.context, bench.logits) == OK
    bench.expect_logits(1)


def test_run_gives_up_what_was_begun(bench: Bench) -> None:
    for row in (0, 1, bench.rows // 2, bench.rows):
        assert bench.begin(bench.context) == OK
        if row:
            assert bench.push_portion(2, 0, row) == OK
        assert bench.run(bench.context, bench.image, bench.logits) == OK
        bench.expect_logits(0)
        refused(bench, bench.push, bench.image, 1, status=SEQUENCE)


def test_null_in_the_middle_of_an_image(bench: Bench) -> None:
    assert bench.begin(None) == NULL
    assert bench.begin(bench.context) == OK
    for row in range(bench.rows):
        assert bench.push(None, bench.image, 1) == NULL
        assert bench.finish(None, bench.logits) == NULL
        assert bench.begin(None) == NULL
        refused(bench, bench.push, None, 1, status=NULL)
        refused(bench, bench.push, None, 0, status=NULL)
        refused(bench, bench.finish, None, status=NULL)
        # A run that is refused begins nothing, so it gives nothing up.
        refused(bench, bench.run, None, bench.logits, status=NULL)
        refused(bench, bench.run, bench.image, None, status=NULL)
        assert bench.push_portion(3, row, 1) == OK
    refused(bench, bench.finish, None, status=NULL)
    assert bench.finish(bench.context, bench.logits) == OK
    bench.expect_logits(3)


@pytest.mark.parametrize("content", [0x00, CANARY, 0xFF])
def test_a_context_that_was_never_initialised(bench: Bench, content: int) -> None:
    bench.context.bytes[:] = content
    refused(bench, bench.begin, status=NOT_INITIALISED)
    refused(bench, bench.push, bench.image, 1, status=NOT_INITIALISED)
    refused(bench, bench.finish, bench.logits, status=NOT_INITIALISED)
    assert bench.init(bench.context, bench.arena, bench.arena_bytes) == OK
    assert bench.begin(bench.context) == OK
    push_all(bench, 0)
    assert bench.finish(bench.context, bench.logits) == OK
    bench.expect_logits(0)


def test_the_arena_is_free_between_images(bench: Bench) -> None:
    """Whatever lies in it when an image begins; pushed and whole images take turns."""
    rng = np.random.default_rng(0)
    for index in range(4):
        for dirt in (0x00, 0xFF, rng.integers(0, 256, bench.arena_bytes).astype(np.uint8)):
            bench.arena.bytes[:] = dirt
            assert bench.begin(bench.context) == OK
            push_all(bench, index, [bench.rows])
            assert bench.finish(bench.context, bench.logits) == OK
            bench.expect_logits(index)
            bench.arena.bytes[:] = dirt
            assert bench.run(bench.context, bench.image, bench.logits) == OK
            bench.expect_logits(0)


def test_the_arena_alone_holds_the_image(bench: Bench) -> None:
    """Arena and context moved elsewhere in the middle of an image, as a copy: it goes on."""
    assert bench.begin(bench.context) == OK
    half = bench.rows // 2
    if half:
        assert bench.push_portion(2, 0, half) == OK
    arena, context = bench.arena.bytes.copy(), bench.context.bytes.copy()
    assert bench.run(bench.context, bench.image, bench.logits) == OK
    bench.expect_logits(0)
    bench.arena.bytes[:], bench.context.bytes[:] = arena, context
    push_all(bench, 2, first=half)
    assert bench.finish(bench.context, bench.logits) == OK
    bench.expect_logits(2)


def test_two_images_row_by_row(bench: Bench) -> None:
    """Two contexts, each with an arena of its own, take turns after every row."""
    other = Bench(bench.case, bench.api)
    assert other.init(other.context, other.arena, other.arena_bytes) == OK
    assert bench.begin(bench.context) == OK
    assert bench.push_portion(0, 0, 1) == OK
    assert other.begin(other.context) == OK
    for row in range(bench.rows):
        assert other.push_portion(1, row, 1) == OK
        if row + 1 < bench.rows:
            assert bench.push_portion(0, row + 1, 1) == OK
    assert other.finish(other.context, other.logits) == OK
    assert bench.finish(bench.context, bench.logits) == OK
    bench.expect_logits(0)
    other.expect_logits(1)
    for buffer in (other.context, other.arena, other.logits):
        buffer.check_margins()


def test_calls_at_random(bench: Bench) -> None:
    """A model of what the header promises, kept beside the real thing."""
    rng = np.random.default_rng(7)
    index, taken = 0, -1
    finished = 0
    for _ in range(1500):
        match rng.integers(12):
            case 0:
                assert bench.begin(bench.context) == OK
                index, taken = int(rng.integers(5)), 0
            case 1:
                status = bench.finish(bench.context, bench.logits)
                wanted = SEQUENCE if taken < 0 else OK if taken == bench.rows else ROWS
                assert status == wanted
                if status == OK:
                    bench.expect_logits(index)
                    taken, finished = -1, finished + 1
                assert bench.logits.untouched
            case 2 if rng.integers(8) == 0:
                assert bench.run(bench.context, bench.image, bench.logits) == OK
                bench.expect_logits(0)
                taken = -1
            case 3:
                assert bench.push(bench.context, None, 1) == NULL
            case _:
                count = int(rng.integers(bench.rows + 2) if rng.integers(4) == 0 else 1)
                if taken < 0:
                    assert bench.push(bench.context, bench.image, count) == SEQUENCE
                elif taken + count > bench.rows:
                    assert bench.push(bench.context, bench.image, count) == ROWS
                else:
                    assert bench.push_portion(index, taken, count) == OK
                    taken += count
    assert finished > 10
