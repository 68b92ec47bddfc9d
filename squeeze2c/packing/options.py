"""What the user says about the storage of weights, and the limits on flash."""

from __future__ import annotations

import math
from dataclasses import dataclass

from squeeze2c.errors import DoesNotFitError, UsageError

MODES = ("auto", "plain", "packed")

CODE_RESERVE_BYTES = 16 * 1024
"""Set aside for code where ``flash_bytes`` is divided, before there is any code to measure."""


@dataclass(frozen=True, slots=True)
class WeightsOptions:
    """``mode``: one of :data:`MODES`; auto packs only as much as the limits demand.

    ``budget_bytes`` limits the parameters, ``flash_bytes`` parameters and code together;
    None is no limit. ``max_drop_percent``: so many percent of the calibration images, at
    most, may get another answer than from the float network. ``cache``: keep statistics of
    the calibration for the next time.

    Raises :class:`UsageError` where a field makes no sense.
    """

    mode: str = "auto"
    budget_bytes: int | None = None
    flash_bytes: int | None = None
    max_drop_percent: float | None = None
    cache: bool = True

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(
                f"unknown storage of weights {self.mode!r}",
                where="--weights",
                hint=f"choose one of {', '.join(MODES)}",
            )
        drop = self.max_drop_percent
        if drop is not None and not (math.isfinite(drop) and 0 <= drop <= 100):
            raise UsageError(f"{drop} is not a percentage", where="--max-drop", hint="0 to 100")

    @property
    def limit_bytes(self) -> int | None:
        """The most that parameters may take, as far as is known before there is code."""
        limits = [self.budget_bytes] if self.budget_bytes is not None else []
        if self.flash_bytes is not None:
            limits.append(self.flash_bytes - CODE_RESERVE_BYTES)
        return min(limits, default=None)

    def fits(self, parameters_bytes: int) -> bool:
        """Whether parameters of this size are within the limits."""
        return self.limit_bytes is None or parameters_bytes <= self.limit_bytes


def check_size(
    parameters_bytes: int,
    options: WeightsOptions,
    code_bytes: int | None = None,
    largest: str | None = None,
    hint: str | None = None,
) -> None:
    """Raise :class:`DoesNotFitError` where the parameters, or code too, exceed a limit.

    ``code_bytes``: None where no code has been compiled; :data:`CODE_RESERVE_BYTES` then.
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
    code = CODE_RESERVE_BYTES if code_bytes is None else code_bytes
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
