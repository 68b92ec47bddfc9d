"""What the user says about the storage of weights, and the limits on flash."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from squeeze2c.errors import DoesNotFitError, UsageError

MODES = ("auto", "plain", "packed")

CODE_RESERVE_BYTES = 36 * 1024
PACKED_CODE_RESERVE_BYTES = 40 * 1024
"""Set aside for code with plain and with packed weights, where ``flash_bytes`` is divided and
no compiler can tell. With plain weights SqueezeNet v1.1 has 21,908 bytes on a Cortex-M3 and
25,868 on an M0, up to 32,184 on an M4 and 31,232 on an M55; decoding takes 6 to 8 KB more."""

SMALLER_CODE_BYTES = 7 * 1024
"""So much less where code is compiled for size: SqueezeNet v1.1 takes 7,535 bytes less on a
Cortex-M4, 9,093 on an M0."""

CODE_MARGIN_BYTES = 4 * 1024
"""Set aside beside the code of a network without numbers: other constants take other
instructions, which for SqueezeNet v1.1 made 400 bytes, and where numbers are beyond a kernel for
the DSP extension the portable one is there as well."""


@dataclass(frozen=True, slots=True)
class WeightsOptions:
    """``mode``: one of :data:`MODES`; auto packs only as much as the limits demand.

    ``budget_bytes`` limits the parameters, ``flash_bytes`` parameters and code together;
    None is no limit. ``max_drop_percent``: so many percent of the calibration images, at
    most, may get another answer than from the float network. ``cache``: keep statistics of
    the calibration for the next time. ``code_bytes``: set aside for code, which is compiled for
    ``optimize``, speed or size.

    Raises :class:`UsageError` where a field makes no sense.
    """

    mode: str = "auto"
    budget_bytes: int | None = None
    flash_bytes: int | None = None
    max_drop_percent: float | None = None
    cache: bool = True
    code_bytes: int = CODE_RESERVE_BYTES
    optimize: str = "speed"

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(
                f"unknown storage of weights {self.mode!r}",
                where="--weights",
                hint=f"choose one of {', '.join(MODES)}",
            )
        for size, where in (
            (self.budget_bytes, "--weights-budget"), (self.flash_bytes, "--flash"),
        ):  # fmt: skip
            if size is not None and (type(size) is not int or size < 1):
                raise UsageError(f"{size!r} is not a size", where=where, hint="whole bytes")
        drop = self.max_drop_percent
        if drop is not None and not (_is_number(drop) and 0 <= drop <= 100):
            raise UsageError(f"{drop!r} is not a percentage", where="--max-drop", hint="0 to 100")

    @property
    def limit_bytes(self) -> int | None:
        """The most that parameters may take, as far as is known before there is code."""
        limits = [self.budget_bytes] if self.budget_bytes is not None else []
        if self.flash_bytes is not None:
            limits.append(self.flash_bytes - self.code_bytes)
        return min(limits, default=None)

    def with_code(self, code_bytes: int | None, packed: bool) -> WeightsOptions:
        """With room for code: ``code_bytes`` without numbers in it, None where unknown."""
        reserve = PACKED_CODE_RESERVE_BYTES if packed else CODE_RESERVE_BYTES
        if self.optimize == "size":
            reserve -= SMALLER_CODE_BYTES
        room = reserve if code_bytes is None else code_bytes + CODE_MARGIN_BYTES
        return replace(self, code_bytes=room)

    def fits(self, parameters_bytes: int) -> bool:
        """Whether parameters of this size are within the limits."""
        return self.limit_bytes is None or parameters_bytes <= self.limit_bytes


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def check_size(
    parameters_bytes: int,
    options: WeightsOptions,
    code_bytes: int | None = None,
    largest: str | None = None,
    hint: str | None = None,
) -> None:
    """Raise :class:`DoesNotFitError` where the parameters, or code too, exceed a limit.

    ``code_bytes``: of the final code; None where there is none that could be measured.
    ``hint``: what to do.
    """
    if options.budget_bytes is not None and parameters_bytes > options.budget_bytes:
        raise DoesNotFitError(
            "flash for the parameters",
            needed_bytes=parameters_bytes,
            available_bytes=options.budget_bytes,
            largest=largest,
            where="--weights-budget",
            hint=hint,
        )
    code = options.code_bytes if code_bytes is None else code_bytes
    if options.flash_bytes is not None and parameters_bytes + code > options.flash_bytes:
        aside = " set aside" if code_bytes is None else ""
        raise DoesNotFitError(
            f"flash for parameters ({parameters_bytes:,} bytes) and code ({code:,} bytes{aside})",
            needed_bytes=parameters_bytes + code,
            available_bytes=options.flash_bytes,
            largest=largest,
            where="--flash",
            hint=hint,
        )
