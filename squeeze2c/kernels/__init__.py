"""Which kernels exist, what they are called, and which one computes a node."""

from squeeze2c.kernels.catalogue import (
    CATALOGUE,
    STRIP_KERNELS,
    blocks_weights,
    pairs_weights,
    support_files,
    weights_bytes,
)
from squeeze2c.kernels.layout import QUAD, block_weights, padded_taps, pair_weights
from squeeze2c.kernels.select import (
    TILE_BYTES,
    UNPACK_TABLE_BYTES,
    TileScratch,
    default_tile_channels,
    fallbacks,
    joins_rows,
    reads_in_place,
    rows_at_once,
    scratch_bytes,
    select_kernel,
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
    "block_weights",
    "blocks_weights",
    "default_tile_channels",
    "fallbacks",
    "joins_rows",
    "padded_taps",
    "pair_weights",
    "pairs_weights",
    "reads_in_place",
    "rows_at_once",
    "scratch_bytes",
    "select_kernel",
    "support_files",
    "tile_scratch",
    "weights_bytes",
    "winograd_groups",
]
