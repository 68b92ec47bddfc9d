"""The order of steps in networks small enough to say what it must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from squeeze2c.errors import InternalError
from squeeze2c.ir import Graph, GraphBuilder
from squeeze2c.kernels.catalogue import CONV2D
from squeeze2c.memory import plan_memory, verify_execution
from squeeze2c.schedule import (
    INPUT_STAGE,
    RowInput,
    RowWindow,
    Schedule,
    Stage,
    collect_stages,
    place_feature_maps,
    schedule_stream,
)
from squeeze2c.schedule.order import order_steps
from squeeze2c.target import core_named
from tests.support.integer_graphs import with_random_integers
from tests.support.programs import camera_builder


def finished(build: GraphBuilder, x: str) -> Graph:
    return with_random_integers(build.finish(build.conv(x, 2, global_pool=True, name="last")))


def streamed(
    graph: Graph, strip: int | Sequence[int] = 1, run: bool = True, push: bool = True,
    boundaries: Sequence[str] = (),
) -> Schedule:
    """Streamed and verified."""
    placements = place_feature_maps(graph)
    stages = collect_stages(graph, placements, core_named("host"))
    strips = [strip] * len(stages) if isinstance(strip, int) else list(strip)
    strips = [min(n, stage.rows) for n, stage in zip(strips, stages, strict=True)]
    running = [run and stage.pool for stage in stages]
    schedule = schedule_stream(graph, placements, stages, strips, running, push, boundaries)
    verify_execution(graph, schedule, plan_memory(graph, schedule))
    return schedule


def capacities(schedule: Schedule) -> dict[str, int]:
    return {name: b.capacity_rows for name, b in schedule.line_buffers.items()}


def text(schedule: Schedule) -> str:
    """One character per step: i for a row of the image, else the first letter of its layer."""
    return "".join(
        "i" if step.stage == INPUT_STAGE else schedule.stages[step.stage].node[0]
        for step in schedule.steps
    )


def test_every_row_goes_through_at_once() -> None:
    build = camera_builder(4, 5)
    x = build.conv(build.input, 3, name="a")
    graph = finished(build, build.conv(x, 3, name="b"))
    schedule = streamed(graph)
    assert text(schedule) == "iabl" * 4
    assert set(capacities(schedule).values()) == {1}
    frame = streamed(graph, push=False)
    assert text(frame) == "abl" * 4
    assert graph.input not in frame.line_buffers


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "slots"),
    [
        (1, 1, 0, 1), (3, 1, 1, 3), (3, 2, 0, 3), (7, 2, 3, 7), (2, 2, 0, 2), (1, 3, 0, 1),
        (4, 1, 3, 4),
    ],
)
def test_a_convolution_keeps_as_many_rows_as_its_kernel_has(
    kernel: int, stride: int, padding: int, slots: int
) -> None:
    build = camera_builder(19, 8)
    x = build.conv(
        build.input, 3, kernel=(kernel, 1), stride=(stride, 1), padding=(padding, 0, padding, 0),
        name="a",
    )
    schedule = streamed(finished(build, x))
    assert capacities(schedule) == {"image": slots, "a": 1}


@pytest.mark.parametrize("strip", [1, 2, 3, 4])
def test_strips_keep_more(strip: int) -> None:
    """A strip of n rows of a 3-row window with stride 1 reads n + 2 rows, and writes n."""
    build = camera_builder(13, 8)
    x = build.conv(build.input, 3, kernel=3, padding=1, name="a")
    schedule = streamed(finished(build, x), strip)
    assert capacities(schedule) == {"image": strip + 2, "a": strip}
    strips = [step.rows for step in schedule.steps if step.stage == 0]
    assert strips == [strip] * (13 // strip) + [13 % strip] * (13 % strip > 0)


def test_a_running_pool_forgets_each_row_at_once() -> None:
    """Overlapping windows take the row that they share one after the other."""
    build = camera_builder(7, 8)
    x = build.conv(build.input, 3, name="a")
    graph = finished(build, build.maxpool(x, kernel=3, stride=2, name="pool"))
    running, whole = streamed(graph), streamed(graph, run=False)
    assert capacities(whole)["a"] == 3
    assert capacities(running)["a"] == 1
    folded = [
        (step.first_row, step.input_row) for step in running.steps if step.input_row is not None
    ]
    assert folded == [(0, 0), (0, 1), (0, 2), (1, 2), (1, 3), (1, 4), (2, 4), (2, 5), (2, 6)]


def test_both_branches_of_a_fire_module_advance_together() -> None:
    """No row of the concatenation waits for its other half; the squeezed rows are shared."""
    build = camera_builder(9, 8)
    squeezed = build.conv(build.input, 2, name="squeeze")
    one = build.conv(squeezed, 3, name="one")
    three = build.conv(squeezed, 3, kernel=3, padding=1, name="three")
    schedule = streamed(finished(build, build.concat(one, three, name="joined")))
    assert text(schedule) == "is" + "isotl" * 8 + "otl"
    assert capacities(schedule) == {"image": 1, "squeeze": 3, "joined": 1}


def test_branches_of_other_strips_advance_apart() -> None:
    build = camera_builder(9, 8)
    one = build.conv(build.input, 3, name="one")
    three = build.conv(build.input, 3, kernel=3, padding=1, name="three")
    schedule = streamed(finished(build, build.concat(one, three, name="joined")), (1, 3, 1))
    assert capacities(schedule)["joined"] == 3
    assert text(schedule).count("o") == 9 and text(schedule).count("t") == 3


def test_a_bypass_waits_for_the_slower_branch() -> None:
    """Two 3-row windows between: row r is summed when row r + 2 of the short way is there."""
    build = camera_builder(12, 8)
    x = build.conv(build.input, 3, name="x")
    y = build.conv(x, 3, kernel=3, padding=1, name="y")
    z = build.conv(y, 3, kernel=3, padding=1, name="z")
    schedule = streamed(finished(build, build.add(x, z, name="sum")))
    assert capacities(schedule) == {"image": 1, "x": 3, "y": 3, "z": 1, "sum": 1}


def test_a_writer_that_reads_another_slice_of_its_concatenation() -> None:
    build = camera_builder(10, 6)
    a = build.conv(build.input, 2, name="a")
    b = build.conv(a, 2, kernel=3, padding=1, name="b")
    c = build.conv(build.concat(a, b, name="ab"), 2, kernel=3, padding=1, name="c")
    schedule = streamed(finished(build, build.concat("ab", c, name="abc")))
    # Row r of c needs b up to r + 1, which needs a up to r + 2.
    assert capacities(schedule)["abc"] == 4


@pytest.mark.parametrize("push", [True, False])
@pytest.mark.parametrize("strip", [1, 2, 5])
def test_two_concatenations_that_feed_each_other(push: bool, strip: int) -> None:
    """Their writers cannot advance in pairs: each pair would wait for the other one."""
    build = camera_builder(9, 8)
    x = build.conv(build.input, 3, kernel=3, padding=1, name="x")
    a, b = (build.conv(x, 3, kernel=3, padding=1, name=n) for n in ("a", "b"))
    c = build.conv(a, 3, kernel=3, padding=1, name="c")
    d = build.conv(b, 3, kernel=3, padding=1, name="d")
    first, second = build.concat(a, d, name="ad"), build.concat(c, b, name="cb")
    graph = finished(build, build.add(first, second, name="sum"))
    schedule = streamed(graph, strip, push=push)
    assert len(schedule.steps) == (7 * -(-9 // strip)) + 9 * push


def test_behind_a_boundary_nothing_starts_before_the_map_is_whole() -> None:
    build = camera_builder(9, 8)
    x = build.conv(build.input, 3, name="a")
    y = build.maxpool(x, kernel=3, stride=1, padding=1, name="pool")
    graph = finished(build, build.conv(y, 3, name="behind"))
    schedule = streamed(graph, boundaries=("pool",))
    assert capacities(schedule) == {"image": 1, "a": 2, "pool": 9, "behind": 1}
    order = text(schedule)
    assert order.rindex("p") < order.index("b")
    assert order.endswith("bl" * 9)


def test_the_image_may_be_a_boundary() -> None:
    build = camera_builder(5, 8)
    schedule = streamed(
        finished(build, build.conv(build.input, 3, name="a")), boundaries=("image",)
    )
    assert text(schedule) == "iiiii" + "al" * 5


def test_rows_that_nobody_needs_are_computed_all_the_same() -> None:
    """Rows that a stride skips or that lie behind the last window: received, and forgotten."""
    build = camera_builder(11, 8)
    x = build.conv(build.input, 3, stride=4, name="a")
    schedule = streamed(finished(build, x))
    assert text(schedule) == "ialiiiialiiiialii"
    assert capacities(schedule)["image"] == 1
    unread = camera_builder(5, 4)
    unread.conv(unread.input, 3, name="dead")
    schedule = streamed(finished(unread, unread.conv(unread.input, 2, name="a")))
    assert text(schedule).count("d") == 5


def test_rows_of_padding_need_no_image() -> None:
    """So a step may come before the first row of the image."""
    build = camera_builder(4, 5)
    x = build.conv(build.input, 3, padding=2, name="a")
    schedule = streamed(finished(build, x))
    assert text(schedule).startswith("alali")
    assert text(schedule).replace("i", "") == "al" * 8


def test_a_network_that_waits_for_itself_is_a_bug() -> None:
    loop = RowInput("x", "x", RowWindow(1, 1, 0, 4), (0,))
    stage = Stage("x", "x", CONV2D, (loop,), 4, "x", 0, False)
    with pytest.raises(InternalError, match="stuck"):
        order_steps([stage], [1], [False], {"x": 4}, 4, True)


def test_the_order_does_not_depend_on_how_often_it_is_asked_for() -> None:
    build = camera_builder(16, 8)
    graph = finished(build, build.conv(build.input, 3, kernel=3, name="a"))
    first = streamed(graph, 2)
    assert streamed(graph, 2) == first
    assert replace(first, steps=first.steps[:-1]) != first
