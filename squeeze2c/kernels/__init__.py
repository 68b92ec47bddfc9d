"""Which kernels exist, what they are called, and which one computes a node."""

from squeeze2c.kernels.select import CATALOGUE, scratch_bytes, select_kernel
from squeeze2c.kernels.spec import KernelSpec

__all__ = ["CATALOGUE", "KernelSpec", "scratch_bytes", "select_kernel"]
