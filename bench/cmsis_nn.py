"""What CMSIS-NN takes: GCC 12 at -O3, instructions counted in the same way as ours."""

from __future__ import annotations

LAYERS_V11_M4 = {
    "conv1": 81.41, "pool1": 14.60, "pool3": 6.86, "pool5": 3.14,
    "fire2/squeeze1x1": 6.37, "fire3/squeeze1x1": 10.78,
    "fire2/expand1x1": 12.25, "fire3/expand1x1": 12.25,
    "fire2/expand3x3": 56.87, "fire3/expand3x3": 56.87,
    "fire4/expand1x1": 8.05, "fire5/expand1x1": 8.05,
    "fire4/expand3x3": 48.95, "fire5/expand3x3": 48.95,
    "fire6/expand3x3": 24.66, "fire7/expand3x3": 24.66,
    "fire8/squeeze1x1": 6.43, "fire9/squeeze1x1": 8.43,
    "fire8/expand3x3": 43.01, "fire9/expand3x3": 43.01, "conv10": 131.64,
}  # fmt: skip
"""Millions of instructions of layers of SqueezeNet v1.1 on a Cortex-M4."""

V11_M4, V11_M7, V11_M3, V11_M55, V10_M4 = 700.9, 696.5, 1026.9, 107.5, 1571.2
"""Millions of instructions of whole networks."""

POOLS_V11_M4 = sum(taken for layer, taken in LAYERS_V11_M4.items() if layer.startswith("pool"))
CODE_BYTES = 9274
"""Its code for SqueezeNet on a Cortex-M4."""
NO_FIT = "does not fit"
