"""Constants of a model as squeeze2c keeps them: 32-bit floating point."""

from __future__ import annotations

import numpy as np


def is_float(array: np.ndarray) -> bool:
    """Whether the elements are floating-point numbers: NumPy's kinds, or bfloat16."""
    return np.issubdtype(array.dtype, np.floating) or array.dtype.name == "bfloat16"


def as_float32(array: np.ndarray) -> np.ndarray:
    """``array`` as float32; numbers too large become infinite, without a warning."""
    with np.errstate(over="ignore"):
        return array.astype(np.float32)
