"""Every layer kernel equals the integer oracle and stays inside its buffers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from squeeze2c.kernels import CATALOGUE, KernelSpec, m3
from tests.kernels import (
    check,
    generate,
    generate_blocked,
    generate_m3,
    generate_paired,
    generate_signed,
    generate_sparse,
)
from tests.support.kernel_library import Kernels, kernel_sources

Suite = tuple[Callable[[], Sequence[Any]], Callable[[Kernels, Any, KernelSpec], None]]

SUITES: dict[str, Suite] = {
    "s2c_conv2d_u8_s8_u8_4x2__c": (generate.conv_cases, check.check_conv),
    "s2c_conv2d_sum_u8_s8_s32_4x2__c": (generate.conv_sum_cases, check.check_conv_sum),
    "s2c_conv2d_u8_s8_u8_4x2__dsp": (generate_paired.conv_cases, check.check_conv),
    "s2c_conv2d_sum_u8_s8_s32_4x2__dsp": (generate_paired.conv_sum_cases, check.check_conv_sum),
    "s2c_sparse_conv2d_u8_s8_u8_8x1__dsp": (generate_sparse.conv_cases, check.check_conv),
    "s2c_sparse_conv2d_sum_u8_s8_s32_8x1__dsp": (
        generate_sparse.conv_sum_cases, check.check_conv_sum,
    ),
    "s2c_conv2d_u8_s8_u8_14x16__host": (generate_blocked.conv_cases, check.check_conv),
    "s2c_conv2d_sum_u8_s8_s32_14x16__host": (generate_blocked.conv_sum_cases, check.check_conv_sum),
    "s2c_maxpool2d_u8__host": (generate_blocked.pool_cases, check.check_pool),
    **{
        f"s2c_conv2d_u8_s8_u8_{pixels}x1__m0": (generate.conv_cases, check.check_conv)
        for pixels in (8, 16, 88, 224)
    },
    **{
        f"s2c_conv2d_sum_u8_s8_s32_{pixels}x1__m0": (generate.conv_sum_cases, check.check_conv_sum)
        for pixels in (8, 16, 88)
    },
    **{
        f"s2c_winograd3x3_u8_s8_u8_{rows}x1__m0": (
            generate_paired.winograd_cases, check.check_strips,
        )
        for rows in (4, 12)
    },
    "s2c_maxpool2d_u8__m0": (generate.pool_cases, check.check_pool),
    "s2c_conv2d_u8_s8_u8_4x2__mve": (generate_signed.conv_cases, check.check_conv),
    "s2c_conv2d_sum_u8_s8_s32_4x2__mve": (generate_signed.conv_sum_cases, check.check_conv_sum),
    "s2c_conv3x3_u8_s8_u8_4x2__mve": (generate_signed.conv3x3_cases, check.check_conv),
    "s2c_maxpool2d_u8__mve": (generate.pool_cases, check.check_pool),
    "s2c_winograd3x3_u8_s8_u8_4x2__dsp": (generate_paired.winograd_cases, check.check_strips),
    "s2c_conv2d_u8_s8_u8_4x3__m3": (generate_m3.conv_cases, check.check_conv),
    "s2c_conv2d_sum_u8_s8_s32_4x3__m3": (generate_m3.conv_sum_cases, check.check_conv_sum),
    "s2c_poly3x3_u8_s8_u8_8x1__m3": (generate_m3.poly_cases, check.check_strips),
    "s2c_maxpool2d_u8__m3": (generate.pool_cases, check.check_pool),
    "s2c_maxpool2d_u8__dsp": (generate.pool_cases, check.check_pool),
    "s2c_maxpool2d_u8__c": (generate.pool_cases, check.check_pool),
    "s2c_add_u8__c": (generate.add_cases, check.check_add),
    "s2c_sum_u8_s32__c": (generate.sum_cases, check.check_sum),
}


def test_every_kernel_has_a_suite_and_a_source() -> None:
    assert {kernel.symbol for kernel in CATALOGUE} == set(SUITES)
    assert {kernel.source_file for kernel in CATALOGUE} <= {p.name for p in kernel_sources()}


@pytest.mark.parametrize("symbol", SUITES)
def test_kernel_equals_oracle(kernels: Kernels, symbol: str) -> None:
    cases, check_case = SUITES[symbol]
    for case in cases():
        check_case(kernels, case, KernelSpec.parse(symbol))


@pytest.mark.parametrize("symbol", [s for s in SUITES if "maxpool" in s])
def test_max_pool_keeps_what_it_is_told_to(kernels: Kernels, symbol: str) -> None:
    for case in generate.pool_cases():
        check.check_pool_keeps(kernels, case, KernelSpec.parse(symbol))


def test_the_cases_reach_the_ends_of_int32() -> None:
    cases = generate.conv_cases()
    assert max(case.accumulators.max() for case in cases) == 2**31 - 1
    assert min(case.accumulators.min() for case in cases) == -(2**31 - 1)
    sums = [case.expected_sums for case in generate.conv_sum_cases()]
    assert max(s.max() for s in sums) > 2**31 - 100
    assert min(s.min() for s in sums) < -(2**31) + 100


def test_the_cases_fill_the_range_of_uint8() -> None:
    outputs = [case.expected for case in generate.conv_cases()]
    inner = sum(int(((y > 0) & (y < 255)).sum()) for y in outputs)
    assert inner > sum(y.size for y in outputs) / 4
    assert min(y.min() for y in outputs) == 0
    assert max(y.max() for y in outputs) == 255


def test_the_cases_of_pairs_reach_the_ends_of_what_is_proven() -> None:
    sums = [case.accumulators for case in generate_paired.conv_cases()]
    second = [acc[:, :, 1::2] for acc in sums if acc.shape[2] > 1]
    assert max(acc.max() for acc in second) == 2**23 - 1
    assert min(acc.min() for acc in second) == -(2**23)
    assert max(acc.max() for acc in sums) == 2**31 - 1
    assert min(acc.min() for acc in sums) == -(2**31 - 1)


def test_the_cases_of_winograd_reach_the_ends_of_what_is_proven() -> None:
    sums = [case.accumulators for case in generate_paired.winograd_cases()]
    assert max(acc.max() for acc in sums) == 2**25 - 1
    assert min(acc.min() for acc in sums) == -(2**25)


def test_the_sparse_cases_reach_the_ends_of_what_is_proven() -> None:
    sums = [case.accumulators for case in generate_sparse.conv_cases()]
    assert max(acc.max() for acc in sums) == 2**22 - 1
    assert min(acc.min() for acc in sums) == -(2**22)


def test_the_cases_of_m3_reach_the_ends_of_fields_and_of_int32() -> None:
    """Fields hold sums of a part within 21 bits; sums of all parts are results' accumulators."""
    longest = [m3.part_blocks(case.weight) for case in generate_m3.conv_cases()]
    assert {1, 2, 3} <= set(longest)
    sums = [case.accumulators for case in generate_m3.conv_cases()]
    assert max(acc.max() for acc in sums) == 2**31 - 1
    assert min(acc.min() for acc in sums) == -(2**31 - 1)
    of_rows = [m3.part_blocks(case.weight, poly=True) for case in generate_m3.poly_cases()]
    assert {1, 2} <= set(of_rows)
    sums = [case.accumulators for case in generate_m3.poly_cases()]
    assert max(acc.max() for acc in sums) == 2**31 - 1
