"""Test vectors for the kernels as C data, for machines that Python does not run on."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

import numpy as np

from squeeze2c.kernels import KernelSpec
from squeeze2c.reference.softmax import softmax_constants, softmax_q16
from tests.kernels.cases import AddCase, ConvCase, PoolCase
from tests.kernels.check import (
    conv_constants,
    conv_groups,
    conv_part_blocks,
    conv_scratch_bytes,
)

FILL = 0x5A
_C_TYPES = {"uint8": "uint8_t", "int8": "int8_t", "int32": "int32_t", "uint32": "uint32_t"}


class Vectors:
    """Collects arrays and vectors; :attr:`text` is the header that ``vectors.c`` includes."""

    def __init__(self) -> None:
        self._arrays: list[str] = []
        self._vectors: dict[str, list[str]] = {}
        self._limits = {
            "MAX_ROW_BYTES": 1, "MAX_SCRATCH_BYTES": 4, "MAX_CHANNELS": 1, "MAX_LOGITS": 1
        }
        self._crc = ""

    @property
    def text(self) -> str:
        limits = [f"#define {name} {value}u" for name, value in self._limits.items()]
        tables = [
            f"static const {kind}_vector {kind}_vectors[] = {{\n{','.join(rows)}\n}};"
            for kind, rows in self._vectors.items()
        ]
        return "\n".join([*limits, self._crc, *self._arrays, *tables, ""])

    def add_conv(self, case: ConvCase, summed: bool, kernel: KernelSpec) -> None:
        in_bytes = case.x.shape[2] + case.strides.in_extra
        out_bytes = case.expected.shape[2] + case.strides.out_extra
        pad_row = np.broadcast_to(np.array(case.pad_value, np.uint8), (1, *case.x.shape[1:]))
        window = _window(case, in_bytes, out_bytes)
        sums = self._array(case.expected_sums) if summed else "NULL"
        weights, bias, multiplier = conv_constants(case, kernel)
        layer = (
            f"{{{window}, {self._words(weights)}, {self._array(bias)}, "
            f"{self._array(multiplier)}, {self._array(np.array(case.pad_value, np.uint8))}, "
            f"{case.shift}, {case.zero_point}, {case.clamp_min}, "
            f"{conv_groups(case)}, {conv_part_blocks(case, kernel)}}}"
        )
        self._append(
            "conv", layer, self._map(case.x, in_bytes), self._map(case.expected, out_bytes),
            self._array(_spread(pad_row, in_bytes)), sums, case.window.strides[0],
            case.window.padding.top, int(case.relu), kernel.symbol if not summed else "NULL",
            kernel.symbol if summed else "NULL",
        )
        self._at_least("MAX_SCRATCH_BYTES", conv_scratch_bytes(case, kernel))
        self._at_least("MAX_CHANNELS", case.expected.shape[2])

    def add_pool(self, case: PoolCase) -> None:
        in_bytes = case.x.shape[2] + case.strides.in_extra
        out_bytes = case.expected.shape[2] + case.strides.out_extra
        self._append(
            "pool", _window(case, in_bytes, out_bytes), self._map(case.x, in_bytes),
            self._map(case.expected, out_bytes), case.window.strides[0], case.window.padding.top,
        )

    def add_add(self, case: AddCase) -> None:
        cols, channels = case.a.shape[1:]
        a, b = channels + case.strides.in_extra, channels + case.strides.out_extra
        numbers = (
            cols, channels, a, b, a, *case.zero_points, case.clamp_min, case.shift,
            *case.multipliers,
        )
        self._append(
            "add", _braces(numbers), self._map(case.a, a), self._map(case.b, b),
            self._map(case.expected, a),
        )

    def add_requantise(self, acc: int, multiplier: int, shift: int, result: int) -> None:
        self._append("requantise", _int32(acc), multiplier, shift, _int32(result))

    def add_softmax(self, logits: np.ndarray, scale: float) -> None:
        beta_q, beta_shift = softmax_constants(scale)
        expected = softmax_q16(logits, beta_q, beta_shift)
        self._append(
            "softmax", self._array(logits), self._array(expected), len(logits), beta_q, beta_shift
        )
        self._at_least("MAX_LOGITS", len(logits))

    def set_crc(self, data: bytes) -> None:
        numbers = ",".join(map(str, data))
        self._crc = (
            f"static const uint8_t crc_data[] = {{{numbers}}};\n"
            f"#define CRC_EXPECTED {zlib.crc32(data)}u"
        )

    def _append(self, kind: str, *fields: object) -> None:
        self._vectors.setdefault(kind, []).append(_braces(fields))

    def _at_least(self, limit: str, value: int) -> None:
        self._limits[limit] = max(self._limits[limit], value)

    def _array(self, array: np.ndarray) -> str:
        """The name of a constant with the content of ``array``."""
        name = f"a{len(self._arrays)}"
        numbers = ",".join(_int32(int(v)) for v in array.ravel())
        kind = _C_TYPES[array.dtype.name]
        self._arrays.append(f"static const {kind} {name}[] = {{{numbers}}};")
        return name

    def _words(self, array: np.ndarray) -> str:
        """The address of the bytes of ``array`` in an array of words."""
        content = array.tobytes() + bytes(-array.nbytes % 4)
        return f"(const int8_t *){self._array(np.frombuffer(content, '<u4'))}"

    def _map(self, x: np.ndarray, pixel_bytes: int) -> str:
        rows = _spread(x, pixel_bytes)
        self._at_least("MAX_ROW_BYTES", rows.shape[1])
        return _braces((self._array(rows), *rows.shape))


def _spread(x: np.ndarray, pixel_bytes: int) -> np.ndarray:
    """Rows of ``x`` (rows, cols, channels) with filled gaps: (rows, bytes)."""
    rows, cols, channels = x.shape
    wide = np.full((rows, cols, pixel_bytes), FILL, np.uint8)
    wide[:, :, :channels] = x
    return wide.reshape(rows, -1)[:, : (cols - 1) * pixel_bytes + channels]


def _window(case: ConvCase | PoolCase, in_bytes: int, out_bytes: int) -> str:
    window = case.window
    return _braces(
        (
            case.x.shape[1], case.expected.shape[1], case.x.shape[2], case.expected.shape[2],
            in_bytes, out_bytes, *window.kernel, window.strides[1], window.padding.left,
        )
    )


def _braces(fields: Iterable[object] | Sequence[object]) -> str:
    return "{" + ", ".join(map(str, fields)) + "}"


def _int32(value: int) -> str:
    """A C99 literal; the least int32 has none, so it is a difference."""
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)
