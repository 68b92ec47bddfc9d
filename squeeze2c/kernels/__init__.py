"""Which kernels exist, what they are called, and which one computes a node."""

from squeeze2c.kernels.select import (
    CATALOGUE,
    TileScratch,
    default_tile_channels,
    scratch_bytes,
    select_kernel,
    tile_scratch,
)
from squeeze2c.kernels.spec import KernelSpec

__all__ = [
    "CATALOGUE",
    "KernelSpec",
    "TileScratch",
    "default_tile_channels",
    "scratch_bytes",
    "select_kernel",
    "tile_scratch",
]
