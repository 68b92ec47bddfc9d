"""Which rows need which, and who writes them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from squeeze2c.ir import Padding, Window
from squeeze2c.schedule import INPUT_STAGE, RowDemand, RowWindow, collect_stages, place_feature_maps
from squeeze2c.target import core_named
from tests.support.integer_graphs import with_random_integers
from tests.support.programs import camera_builder


@given(
    st.integers(1, 9), st.integers(1, 5), st.integers(0, 12), st.integers(1, 30),
    st.integers(0, 30), st.integers(1, 5),
)
def test_demand_is_what_windows_read(
    kernel: int, stride: int, pad: int, rows: int, row: int, count: int
) -> None:
    """Against a count by hand. The range is exact unless strides skip rows within it."""
    touched = {
        r * stride - pad + k for r in range(row, row + count) for k in range(kernel)
    } & set(range(rows))
    demand = RowWindow(kernel, stride, pad, rows).demand(row, count)
    assert 0 <= demand.first <= demand.last <= rows
    assert touched <= set(range(demand.first, demand.last))
    if touched and (count == 1 or stride <= kernel):
        assert (demand.first, demand.last) == (min(touched), max(touched) + 1)
    if not touched and count == 1:
        assert demand.first == demand.last


def test_an_operator_without_window_reads_row_by_row() -> None:
    window = RowWindow.of(None, 7)
    assert [window.demand(r) for r in (0, 6)] == [RowDemand(0, 1), RowDemand(6, 7)]
    assert window.demand(2, 4) == RowDemand(2, 6)


def test_the_vertical_part_of_a_window() -> None:
    window = RowWindow.of(Window((5, 3), (2, 1), Padding(1, 2, 3, 4)), 11)
    assert window == RowWindow(kernel=5, stride=2, pad=1, in_rows=11)


def test_stages_of_a_network() -> None:
    """Concatenations are none: their readers wait for all who write them, at any depth."""
    build = camera_builder(9, 8)
    a = build.conv(build.input, 3, kernel=3, padding=1, name="a")
    b = build.conv(a, 2, name="b")
    c = build.maxpool(a, kernel=3, stride=1, padding=1, name="c")
    inner = build.concat(b, c, name="inner")
    d = build.conv(inner, 4, name="d")
    outer = build.concat(inner, d, name="outer")
    summed = build.add(outer, outer, name="summed")
    graph = with_random_integers(build.finish(build.gap(summed, name="gap")))
    stages = collect_stages(graph, place_feature_maps(graph), core_named("host"))
    assert [s.node for s in stages] == ["a", "b", "c", "d", "summed", "gap"]
    assert [s.buffer for s in stages] == ["a", "outer", "outer", "outer", "summed", None]
    assert [s.pool for s in stages] == [False, False, True, False, False, False]
    assert [s.rows for s in stages] == [9] * 6
    reads = [[(i.value, i.buffer, i.writers) for i in s.inputs] for s in stages]
    assert reads == [
        [("image", "image", (INPUT_STAGE,))], [("a", "a", (0,))], [("a", "a", (0,))],
        [("inner", "outer", (1, 2))], [("outer", "outer", (1, 2, 3))] * 2,
        [("summed", "summed", (4,))],
    ]
    assert stages[0].inputs[0].window == RowWindow(3, 1, 1, 9)
    assert stages[3].inputs[0].window == RowWindow(1, 1, 0, 9)
    assert stages[5].inputs[0].window == RowWindow(1, 1, 0, 9)


def test_rows_of_the_layer_that_sums_are_windows() -> None:
    build = camera_builder(12, 8)
    last = build.conv(
        build.input, 2, kernel=3, stride=2, padding=(2, 0, 1, 0), global_pool=True, name="last"
    )
    graph = with_random_integers(build.finish(last))
    (stage,) = collect_stages(graph, place_feature_maps(graph), core_named("host"))
    assert stage.rows == (12 + 3 - 3) // 2 + 1
    assert stage.inputs[0].window == RowWindow(3, 2, 2, 12)
