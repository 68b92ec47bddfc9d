"""Limits on flash: what they add up to, and what is said where they are missed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from squeeze2c.errors import DoesNotFitError, UsageError
from squeeze2c.packing import CODE_RESERVE_BYTES, WeightsOptions, check_size
from squeeze2c.packing.loss import calibration_loss
from squeeze2c.packing.options import CODE_MARGIN_BYTES, PACKED_CODE_RESERVE_BYTES
from squeeze2c.quantize.apply import SampleLogits


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({}, None),
        ({"budget_bytes": 1000}, 1000),
        ({"flash_bytes": 100_000}, 100_000 - CODE_RESERVE_BYTES),
        ({"budget_bytes": 1000, "flash_bytes": 100_000}, 1000),
        ({"budget_bytes": 99_000, "flash_bytes": 100_000}, 100_000 - CODE_RESERVE_BYTES),
        ({"max_drop_percent": 1.0}, None),
    ],
)
def test_the_limit_for_parameters(fields: dict[str, Any], limit: int | None) -> None:
    options = WeightsOptions(**fields)
    assert options.limit_bytes == limit
    assert options.fits(10**9) == (limit is None)
    if limit is not None:
        assert options.fits(limit) and not options.fits(limit + 1)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"mode": "zip"}, "--weights"),
        ({"max_drop_percent": -1.0}, "--max-drop"),
        ({"max_drop_percent": 101.0}, "--max-drop"),
        ({"max_drop_percent": math.nan}, "--max-drop"),
    ],
)
def test_what_makes_no_sense(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(UsageError) as caught:
        WeightsOptions(**fields)
    assert caught.value.where == where


def test_within_the_limits() -> None:
    check_size(10**9, WeightsOptions())
    check_size(1000, WeightsOptions(budget_bytes=1000, flash_bytes=1500), code_bytes=500)


def test_room_for_code() -> None:
    options = WeightsOptions(flash_bytes=100_000)
    assert options.with_code(5000, packed=True).limit_bytes == 95_000 - CODE_MARGIN_BYTES
    for packed, reserve in ((False, CODE_RESERVE_BYTES), (True, PACKED_CODE_RESERVE_BYTES)):
        assert options.with_code(None, packed).limit_bytes == 100_000 - reserve


def test_the_budget_is_missed() -> None:
    with pytest.raises(DoesNotFitError, match="flash for the parameters needs 1,001") as caught:
        check_size(1001, WeightsOptions(budget_bytes=1000), hint="try less")
    assert caught.value.where == "--weights-budget"
    assert (caught.value.needed_bytes, caught.value.available_bytes) == (1001, 1000)
    assert caught.value.hint == "try less"


def test_flash_is_missed_with_code_set_aside() -> None:
    with pytest.raises(DoesNotFitError, match="set aside") as caught:
        check_size(1000, WeightsOptions(flash_bytes=CODE_RESERVE_BYTES))
    assert caught.value.where == "--flash"
    assert caught.value.needed_bytes == 1000 + CODE_RESERVE_BYTES


def test_flash_is_missed_with_measured_code() -> None:
    message = r"parameters \(1,000 bytes\) and code \(501 bytes\) needs 1,501 bytes"
    with pytest.raises(DoesNotFitError, match=message):
        check_size(1000, WeightsOptions(flash_bytes=1500), code_bytes=501)


def test_the_loss_is_that_of_the_logits() -> None:
    real = np.array([[3.0, 1.0], [1.0, 3.0]])
    integer = np.array([[30, 10], [30, 10]], np.int32)
    logits = SampleLogits(np.array([0, 1]), real, integer, 0.1)
    loss = calibration_loss(logits)
    assert (loss.images, loss.agreement, loss.drop_percent) == (2, 0.5, 50.0)
    p = 1 / (1 + math.exp(-2))
    assert loss.mean_kl == pytest.approx((p * 2 - (1 - p) * 2) / 2)


@pytest.mark.parametrize("size", [0, -5, 16000.5, "16000", True])
def test_sizes_are_whole_bytes(size: Any) -> None:
    for options in ({"budget_bytes": size}, {"flash_bytes": size}):
        with pytest.raises(UsageError, match="is not a size"):
            WeightsOptions(**options)


@pytest.mark.parametrize("drop", [-1, 101, math.nan, "5", True])
def test_drops_are_percentages(drop: Any) -> None:
    with pytest.raises(UsageError, match="is not a percentage"):
        WeightsOptions(max_drop_percent=drop)
