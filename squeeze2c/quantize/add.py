"""Quantised elementwise addition."""

from __future__ import annotations

from squeeze2c.errors import QuantizationError
from squeeze2c.ir import QuantParams, ops

_SUM_OF_MULTIPLIERS = 1 << 23
"""255 * (a + b) and the rounding constant then stay below 2**31."""


def quantise_add(node: ops.Add, a: QuantParams, b: QuantParams, out: QuantParams) -> ops.QAdd:
    """Multipliers ``round(scale_in / scale_out * 2**shift)`` with the largest safe shift.

    Raises :class:`QuantizationError` where an input is so much louder than the
    output that no shift is left.
    """
    ratios = (a.scale / out.scale, b.scale / out.scale)
    shift = 22
    while shift > 1 and sum(ratios) * 2.0**shift >= _SUM_OF_MULTIPLIERS - 2:
        shift -= 1
    if sum(ratios) * 2.0**shift >= _SUM_OF_MULTIPLIERS - 2:
        raise QuantizationError(
            "the inputs of this addition are too large for its output",
            where=str(node.provenance),
            hint="check the calibration images",
        )
    return ops.QAdd(
        name=node.name,
        inputs=node.inputs,
        output=node.output,
        provenance=node.provenance,
        multiplier_a=round(ratios[0] * 2.0**shift),
        multiplier_b=round(ratios[1] * 2.0**shift),
        shift=shift,
        clamp_min=out.zero_point if node.relu else 0,
        relu=node.relu,
    )
