"""Row pointers into line buffers: wrap-around, padding, clipped windows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from squeeze2c.schedule import RowWindow
from tests.support.kernel_library import Kernels

PER_BUILD = settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("slots", [1, 2, 3, 5, 7])
def test_rows_are_slots_or_padding(kernels: Kernels, slots: int) -> None:
    """Row r in slot r % slots, the pad row outside the map; nothing behind the last pointer."""
    map_rows, row_bytes = 5, 7
    storage, pad = kernels.room(slots * row_bytes), kernels.room(row_bytes)
    for first, count in itertools.product(range(-6, 8), range(8)):
        found = kernels.ffi.new("const uint8_t *[]", count + 1)
        kernels.lib.shim_rows_padded(
            found, storage.address, row_bytes, slots, map_rows, first, count, pad.address
        )
        for i in range(count):
            row = first + i
            inside = 0 <= row < map_rows
            expected = storage.address + row % slots * row_bytes if inside else pad.address
            assert found[i] == expected
        assert found[count] == kernels.ffi.NULL


def test_pointers_of_one_window_are_distinct_slots(kernels: Kernels) -> None:
    """With as many slots as a window has rows, each row of it has a slot of its own."""
    storage = kernels.room(3 * 4)
    for first in range(20):
        found = kernels.ffi.new("const uint8_t *[]", 3)
        kernels.lib.shim_rows_padded(
            found, storage.address, 4, 3, 100, first, 3, kernels.ffi.NULL
        )
        assert {found[i] - storage.address for i in range(3)} == {0, 4, 8}


@given(
    row=st.integers(0, 2**16), slots=st.integers(1, 2**16),
    row_bytes=st.sampled_from((1, 3, 224 * 3, 65535 * 3, 2**32 - 1)),
)
@PER_BUILD
def test_slot_offsets(kernels: Kernels, row: int, slots: int, row_bytes: int) -> None:
    """In size_t, which holds them wherever the buffer itself fits into memory."""
    bits = 8 * kernels.ffi.sizeof("size_t")
    expected = row % slots * row_bytes % 2**bits
    assert kernels.lib.shim_slot_offset(row, slots, row_bytes) == expected


@given(
    row=st.integers(0, 40), kernel=st.integers(1, 255), stride=st.integers(1, 255),
    pad=st.integers(0, 254), rows=st.integers(1, 65535),
)
@PER_BUILD
def test_windows_are_clipped_to_the_map(
    kernels: Kernels, row: int, kernel: int, stride: int, pad: int, rows: int
) -> None:
    """As the scheduler clips them, for every window that holds a row of the map."""
    top = row * stride - pad
    inside = [at for at in range(top, top + kernel) if 0 <= at < rows]
    demand = RowWindow(kernel, stride, pad, rows).demand(row)
    assert list(range(demand.first, demand.last)) == inside
    if not inside:
        return
    first = kernels.ffi.new("uint32_t *", 12345)
    end = kernels.lib.shim_clip_window(top, kernel, rows, first)
    assert (first[0], end) == (inside[0], inside[-1] + 1)


def test_a_ring_gives_back_what_was_written(kernels: Kernels) -> None:
    """Rows written one by one, the last three of them read: as a 3-row window does."""
    slots, row_bytes, rows = 3, 5, 11
    ring, pad = kernels.room(slots * row_bytes), kernels.memory(np.full(row_bytes, 99, np.uint8))
    content = np.random.default_rng(0).integers(0, 256, (rows, row_bytes)).astype(np.uint8)
    for row in range(rows + 1):
        if row < rows:
            at = kernels.lib.shim_slot_offset(row, slots, row_bytes)
            ring.array[at : at + row_bytes] = content[row]
        found = kernels.ffi.new("const uint8_t *[]", 3)
        kernels.lib.shim_rows_padded(
            found, ring.address, row_bytes, slots, rows, row - 2, 3, pad.address
        )
        read = [bytes(kernels.ffi.buffer(found[i], row_bytes)) for i in range(3)]
        wanted = [
            content[at].tobytes() if 0 <= at < rows else bytes([99] * row_bytes)
            for at in range(row - 2, row + 1)
        ]
        assert read == wanted
    ring.check()


def test_joined_rows_are_as_many_as_lie_one_behind_the_other(kernels: Kernels) -> None:
    for slots in range(1, 6):
        for other in range(1, 6):
            for row in range(12):
                for end in range(row + 1, 14):
                    rows = range(row, end)
                    whole = [
                        count for count in range(1, len(rows) + 1)
                        if all(
                            (r + 1) % s != 0 for r in rows[: count - 1] for s in (slots, other)
                        )
                    ]  # fmt: skip
                    assert kernels.lib.shim_rows_joined(row, end, slots, other) == max(whole)
