"""Which kernels exist, what they are called, and which one computes a node."""

from squeeze2c.kernels.catalogue import (
    CATALOGUE,
    STRIP_KERNELS,
    pairs_weights,
    row_blocks,
    signed_columns,
    support_files,
)
from squeeze2c.kernels.layout import (
    BLOCK,
    QUAD,
    block_taps,
    padded_taps,
    pair_weights,
    signed_channels,
    signed_constants,
)
from squeeze2c.kernels.select import (
    TILE_BYTES,
    UNPACK_TABLE_BYTES,
    TileScratch,
    default_tile_channels,
    fallbacks,
    joins_rows,
    rows_at_once,
    scratch_bytes,
    select_kernel,
    tile_scratch,
    winograd_groups,
)
from squeeze2c.kernels.spec import KernelSpec

__all__ = [
    "BLOCK",
    "CATALOGUE",
    "QUAD",
    "STRIP_KERNELS",
    "TILE_BYTES",
    "UNPACK_TABLE_BYTES",
    "KernelSpec",
    "TileScratch",
    "block_taps",
    "default_tile_channels",
    "fallbacks",
    "joins_rows",
    "padded_taps",
    "pair_weights",
    "pairs_weights",
    "row_blocks",
    "rows_at_once",
    "scratch_bytes",
    "select_kernel",
    "signed_channels",
    "signed_columns",
    "signed_constants",
    "support_files",
    "tile_scratch",
    "winograd_groups",
]
