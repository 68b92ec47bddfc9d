"""Which kernels exist, what they are called, and which one computes a node."""

from squeeze2c.kernels.select import (
    CATALOGUE,
    TILE_BYTES,
    UNPACK_TABLE_BYTES,
    TileScratch,
    default_tile_channels,
    scratch_bytes,
    select_kernel,
    tile_scratch,
)
from squeeze2c.kernels.spec import KernelSpec

__all__ = [
    "CATALOGUE",
    "TILE_BYTES",
    "UNPACK_TABLE_BYTES",
    "KernelSpec",
    "TileScratch",
    "default_tile_channels",
    "scratch_bytes",
    "select_kernel",
    "tile_scratch",
]
