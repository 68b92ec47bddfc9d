"""How the weights are stored: plain bytes or codes, and how many bits of them, to fit the flash."""

from squeeze2c.packing.loss import CalibrationLoss
from squeeze2c.packing.options import CODE_RESERVE_BYTES, WeightsOptions, check_size
from squeeze2c.packing.shapes import ShapeSizes, check_shapes
from squeeze2c.packing.store import StoredWeights, WeightPacker, packing_notes

__all__ = [
    "CODE_RESERVE_BYTES",
    "CalibrationLoss",
    "ShapeSizes",
    "StoredWeights",
    "WeightPacker",
    "WeightsOptions",
    "check_shapes",
    "check_size",
    "packing_notes",
]
