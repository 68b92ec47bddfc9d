"""Which kernels exist, what they are called, and which one computes a node."""

from squeeze2c.kernels.catalogue import CATALOGUE, STRIP_KERNELS, pairs_weights, support_files
from squeeze2c.kernels.layout import QUAD, padded_taps, pair_weights
from squeeze2c.kernels.select import (
    TILE_BYTES,
    UNPACK_TABLE_BYTES,
    TileScratch,
    default_tile_channels,
    fallbacks,
    joins_rows,
    kernel_for_strips,
    rows_at_once,
    scratch_bytes,
    select_kernel,
    smaller,
    tile_scratch,
    winograd_groups,
)
from squeeze2c.kernels.spec import KernelSpec

__all__ = [
    "CATALOGUE",
    "QUAD",
    "STRIP_KERNELS",
    "TILE_BYTES",
    "UNPACK_TABLE_BYTES",
    "KernelSpec",
    "TileScratch",
    "default_tile_channels",
    "fallbacks",
    "joins_rows",
    "kernel_for_strips",
    "padded_taps",
    "pair_weights",
    "pairs_weights",
    "rows_at_once",
    "scratch_bytes",
    "select_kernel",
    "smaller",
    "support_files",
    "tile_scratch",
    "winograd_groups",
]
