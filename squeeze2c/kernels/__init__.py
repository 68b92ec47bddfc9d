"""Which kernels exist, what they are called, and which one computes a node."""

from squeeze2c.kernels.catalogue import CATALOGUE, pairs_weights, support_files
from squeeze2c.kernels.layout import pair_weights
from squeeze2c.kernels.select import (
    TileScratch,
    default_tile_channels,
    fallback,
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
    "fallback",
    "pair_weights",
    "pairs_weights",
    "scratch_bytes",
    "select_kernel",
    "support_files",
    "tile_scratch",
]
