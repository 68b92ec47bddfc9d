"""Kernel names and their parser are inverse functions."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from squeeze2c.kernels import KernelSpec

WORDS = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
TYPES = st.lists(st.sampled_from(["u8", "s8", "s32"]), min_size=1, max_size=3).map(tuple)
# A word that reads as a type or a tile would be taken for one.
OPERATIONS = st.builds(
    lambda word, suffix: word + suffix,
    WORDS.filter(lambda w: w not in ("u8", "s8", "s32")), st.sampled_from(["", "_sum"]),
)
SPECS = st.builds(
    KernelSpec, OPERATIONS, TYPES, WORDS,
    st.none() | st.tuples(st.integers(1, 99), st.integers(1, 99)),
)


@given(SPECS)
def test_parse_inverts_symbol(kernel: KernelSpec) -> None:
    assert KernelSpec.parse(kernel.symbol) == kernel
    assert re.fullmatch(r"[a-z_][a-z0-9_]*", kernel.symbol)


@given(st.text(alphabet="s2c_uv84x139bdo", max_size=30))
def test_whatever_parses_has_that_symbol(text: str) -> None:
    try:
        kernel = KernelSpec.parse(text)
    except ValueError:
        return
    assert kernel.symbol == text
