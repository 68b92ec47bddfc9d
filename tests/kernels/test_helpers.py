"""Top-k, softmax, CRC-32 and status names: what firmware calls after a run."""

from __future__ import annotations

import re
import zlib

import numpy as np
import pytest

from squeeze2c.reference.softmax import softmax_constants, softmax_q16
from squeeze2c.resources import runtime_dir
from tests.support.kernel_library import Kernels

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
OK, ERROR_NULL, ERROR_ARGUMENT = 0, 1, 6


def logit_lists() -> list[np.ndarray]:
    rng = np.random.default_rng(9)
    lists = [
        [0], [INT32_MIN], [INT32_MAX], [INT32_MIN, INT32_MAX], [INT32_MAX, INT32_MIN, 0],
        [5, 5, 5, 5], [1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], [-1, -1, 0, 0, -1],
    ]
    lists += [rng.integers(-3, 4, n).tolist() for n in (2, 3, 10, 33)]
    lists += [rng.integers(INT32_MIN, INT32_MAX, n, endpoint=True).tolist() for n in (7, 1000)]
    return [np.array(x, np.int32) for x in lists]


def c_top_k(kernels: Kernels, logits: np.ndarray, k: int) -> list[tuple[int, int]]:
    values, out = kernels.memory(logits), kernels.room(2 * k, "uint32")
    status = kernels.lib.s2c_top_k(
        kernels.pointer(values, "int32_t"), len(logits), k, kernels.pointer(out, "s2c_ranked")
    )
    assert status == OK
    out.check()
    np.testing.assert_array_equal(values.array, logits)
    pairs = out.array.reshape(k, 2)
    return [(int(index), int(np.int32(logit.view(np.int32)))) for index, logit in pairs]


@pytest.mark.parametrize("logits", logit_lists(), ids=len)
def test_top_k_sorts_stably(kernels: Kernels, logits: np.ndarray) -> None:
    order = np.argsort(-logits.astype(np.int64), kind="stable")
    for k in {1, 2, 5, len(logits) - 1, len(logits)} & set(range(1, len(logits) + 1)):
        expected = [(int(i), int(logits[i])) for i in order[:k]]
        assert c_top_k(kernels, logits, k) == expected


def test_top_k_refuses_wrong_arguments(kernels: Kernels) -> None:
    null = kernels.ffi.NULL
    values = kernels.memory(np.arange(3, dtype=np.int32))
    logits, out = kernels.pointer(values, "int32_t"), kernels.ffi.new("s2c_ranked[4]")
    assert kernels.lib.s2c_top_k(null, 3, 1, out) == ERROR_NULL
    assert kernels.lib.s2c_top_k(logits, 3, 1, null) == ERROR_NULL
    assert kernels.lib.s2c_top_k(logits, 3, 0, out) == ERROR_ARGUMENT
    assert kernels.lib.s2c_top_k(logits, 3, 4, out) == ERROR_ARGUMENT
    assert kernels.lib.s2c_top_k(logits, 0, 1, out) == ERROR_ARGUMENT


def c_softmax(kernels: Kernels, logits: np.ndarray, beta_q: int, beta_shift: int) -> np.ndarray:
    values, out = kernels.memory(logits), kernels.room(len(logits), "uint32")
    status = kernels.lib.s2c_softmax_q16(
        kernels.pointer(values, "int32_t"), len(logits), beta_q, beta_shift,
        kernels.pointer(out, "uint32_t"),
    )
    assert status == OK
    out.check()
    return np.array(out.array)


@pytest.mark.parametrize("exponent", range(-12, 4))
def test_softmax_equals_its_twin(kernels: Kernels, exponent: int) -> None:
    constants = softmax_constants(10.0**exponent)
    rng = np.random.default_rng(10)
    spread = np.clip(rng.normal(0, 5 / 10.0**exponent, 1000), INT32_MIN, INT32_MAX)
    for logits in (*logit_lists(), spread.astype(np.int32)):
        np.testing.assert_array_equal(
            c_softmax(kernels, logits, *constants), softmax_q16(logits, *constants)
        )


@pytest.mark.parametrize("beta_q", [0, 1, 0x40000000, 0x7FFFFFFF])
@pytest.mark.parametrize("beta_shift", [16, 17, 31, 32, 47, 61, 62])
def test_softmax_equals_its_twin_at_the_limits(
    kernels: Kernels, beta_q: int, beta_shift: int
) -> None:
    for logits in logit_lists():
        np.testing.assert_array_equal(
            c_softmax(kernels, logits, beta_q, beta_shift), softmax_q16(logits, beta_q, beta_shift)
        )


def test_softmax_at_every_step_of_the_exponential(kernels: Kernels) -> None:
    """Pairs of logits whose exponents differ by up to 33 halvings, in steps of 2**-16."""
    below = np.arange(33 * 65536, dtype=np.int32)
    fine = below[(below < 2 * 65536) | (below % 65536 < 3) | (below % 13 == 0)]
    logits = np.stack([np.zeros_like(fine), -fine], axis=1)
    values, out = kernels.memory(logits), kernels.room(logits.size, "uint32")
    constants = (1 << 30, 46)
    kernels.lib.shim_softmax_pairs(
        kernels.pointer(values, "int32_t"), len(logits), *constants,
        kernels.pointer(out, "uint32_t"),
    )
    np.testing.assert_array_equal(
        out.array.reshape(logits.shape), softmax_q16(logits, *constants)
    )


def test_softmax_in_place(kernels: Kernels) -> None:
    logits = np.array([3, -7, 100, 0], np.int32)
    values = kernels.memory(logits)
    status = kernels.lib.s2c_softmax_q16(
        kernels.pointer(values, "int32_t"), 4, 1 << 30, 36, kernels.pointer(values, "uint32_t")
    )
    assert status == OK
    np.testing.assert_array_equal(
        values.array.view(np.uint32), softmax_q16(logits, 1 << 30, 36)
    )


def test_softmax_refuses_wrong_arguments(kernels: Kernels) -> None:
    null, call = kernels.ffi.NULL, kernels.lib.s2c_softmax_q16
    logits, out = kernels.ffi.new("int32_t[2]"), kernels.ffi.new("uint32_t[2]")
    assert call(null, 2, 1, 16, out) == ERROR_NULL
    assert call(logits, 2, 1, 16, null) == ERROR_NULL
    assert call(logits, 0, 1, 16, out) == ERROR_ARGUMENT
    assert call(logits, 2, 0x80000000, 16, out) == ERROR_ARGUMENT
    assert call(logits, 2, 1, 15, out) == ERROR_ARGUMENT
    assert call(logits, 2, 1, 63, out) == ERROR_ARGUMENT


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 5, 31, 256, 10007])
def test_crc32_equals_zlib(kernels: Kernels, length: int) -> None:
    data = np.random.default_rng(length).integers(0, 256, length).astype(np.uint8)
    memory = kernels.memory(data, shift_bytes=1)
    whole = kernels.lib.s2c_crc32(0, memory.address, length)
    assert whole == zlib.crc32(data.tobytes())
    half = length // 2
    first = kernels.lib.s2c_crc32(0, memory.address, half)
    assert kernels.lib.s2c_crc32(first, memory.address + half, length - half) == whole
    assert kernels.lib.s2c_crc32(0xDEADBEEF, memory.address, length) == zlib.crc32(
        data.tobytes(), 0xDEADBEEF
    )


def test_every_status_has_a_name_of_its_own(kernels: Kernels) -> None:
    header = (runtime_dir() / "include" / "s2c.h").read_text()
    codes = [int(c) for c in re.findall(r"^ {4}S2C_(?:OK|ERROR_\w+) = (\d+)", header, re.MULTILINE)]
    assert codes == list(range(9))
    names = [_status_name(kernels, code) for code in codes]
    assert len({*names, "unknown status"}) == len(names) + 1
    assert all(names)
    assert _status_name(kernels, max(codes) + 1) == "unknown status"


def _status_name(kernels: Kernels, code: int) -> str:
    status = kernels.ffi.cast("s2c_status", code)
    return str(kernels.ffi.string(kernels.lib.s2c_status_name(status)).decode())
