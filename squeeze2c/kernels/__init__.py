"""Which kernels exist, what they are called, and which one computes a node."""

from squeeze2c.kernels.catalogue import (
    CATALOGUE,
    SPARSE_KERNELS,
    STRIP_KERNELS,
    blocks_weights,
    pairs_weights,
    skips_zeros,
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
    kernel_for_strips,
    rows_at_once,
    scratch_bytes,
    select_kernel,
    tile_scratch,
    transforms_once,
    winograd_groups,
)
from squeeze2c.kernels.sparse import Sparsity, sparse_weights, sparsity, zeros_suit
from squeeze2c.kernels.spec import KernelSpec

__all__ = [
    "CATALOGUE",
    "QUAD",
    "SPARSE_KERNELS",
    "STRIP_KERNELS",
    "TILE_BYTES",
    "UNPACK_TABLE_BYTES",
    "KernelSpec",
    "Sparsity",
    "TileScratch",
    "block_weights",
    "blocks_weights",
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
    "skips_zeros",
    "sparse_weights",
    "sparsity",
    "support_files",
    "tile_scratch",
    "transforms_once",
    "weights_bytes",
    "winograd_groups",
    "zeros_suit",
]
