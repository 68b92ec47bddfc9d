"""Kernel names: the symbol says all, and can be read back."""

from __future__ import annotations

import re

import pytest

from squeeze2c.kernels import CATALOGUE, KernelSpec
from squeeze2c.resources import runtime_dir


@pytest.mark.parametrize("kernel", CATALOGUE, ids=lambda k: k.symbol)
def test_symbols_can_be_read_back(kernel: KernelSpec) -> None:
    assert KernelSpec.parse(kernel.symbol) == kernel
    assert kernel.source_file == f"{kernel.symbol}.c"


def test_symbols_are_distinct() -> None:
    assert len({k.symbol for k in CATALOGUE}) == len(CATALOGUE)


PARTS = {"s2c_winograd3x3_transform__dsp", "s2c_winograd3x3_multiply__dsp"}
"""Of a kernel, for callers that need them one by one."""


def test_catalogue_is_what_the_runtime_declares() -> None:
    """Every kernel of the header is in the catalogue and the other way round."""
    header = (runtime_dir() / "include" / "s2c_kernels.h").read_text()
    declared = set(re.findall(r"^void (s2c_\w+)\(", header, re.MULTILINE)) - PARTS
    assert declared == {k.symbol for k in CATALOGUE}
    for symbol in declared:
        source = (runtime_dir() / "src" / f"{symbol}.c").read_text()
        assert re.search(rf"^void {symbol}\(", source, re.MULTILINE)


@pytest.mark.parametrize(
    ("symbol", "kernel"),
    [
        (
            "s2c_conv2d_u8_s8_u8_4x2__c",
            KernelSpec("conv2d", ("u8", "s8", "u8"), "c", (4, 2)),
        ),
        (
            "s2c_conv2d_sum_u8_s8_s32_4x2__c",
            KernelSpec("conv2d_sum", ("u8", "s8", "s32"), "c", (4, 2)),
        ),
        ("s2c_maxpool2d_u8__c", KernelSpec("maxpool2d", ("u8",), "c")),
        ("s2c_add_u8__mve", KernelSpec("add", ("u8",), "mve")),
    ],
)
def test_known_symbols(symbol: str, kernel: KernelSpec) -> None:
    assert KernelSpec.parse(symbol) == kernel
    assert kernel.symbol == symbol


@pytest.mark.parametrize(
    "symbol",
    [
        "", "s2c_", "s2c_top_k", "conv2d_u8__c", "s2c_conv2d_u8_c", "s2c_conv2d__c",
        "s2c_conv2d_u16__c", "s2c_conv2d_u8_4x__c", "s2c_conv2d_u8_04x2__c",
        "s2c_conv2d_u8__C", "s2c_conv2d_u8__c\n",
        " s2c_conv2d_u8__c", "s2c_conv2d_u8__c extra",
    ],
)
def test_other_names_are_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match="not a kernel symbol"):
        KernelSpec.parse(symbol)
