"""Windows and names: arithmetic that every stage shares."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from squeeze2c.ir import Padding, Window, unique_name


@given(
    st.integers(1, 40), st.integers(1, 7), st.integers(1, 5), st.integers(0, 6), st.integers(0, 6)
)
def test_windows_are_counted(size: int, kernel: int, stride: int, before: int, after: int) -> None:
    """Against a count by hand of the starts from which a whole window fits."""
    starts = range(-before, size + after - kernel + 1, stride)
    rows = Window((kernel, 1), (stride, 1), Padding(before, 0, after, 0))
    cols = Window((1, kernel), (1, stride), Padding(0, before, 0, after))
    assert max(rows.count(size, 0), 0) == len(starts)
    assert max(cols.count(size, 1), 0) == len(starts)
    assert rows.counts(size, 3) == (rows.count(size, 0), 3)
    assert cols.counts(3, size) == (3, cols.count(size, 1))


def test_names_that_are_taken_get_the_first_free_number() -> None:
    assert unique_name("a", ()) == "a"
    assert unique_name("a", {"a", "a_2", "a_4"}) == "a_3"
