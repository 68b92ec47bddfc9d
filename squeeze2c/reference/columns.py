"""Windows of a feature map as matrix rows, shared by float and integer evaluation."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from squeeze2c.ir.types import Padding, Window


def pad_map(x: np.ndarray, padding: Padding, fill: np.ndarray | float) -> np.ndarray:
    """``x`` (N, H, W, C) surrounded by ``fill``: one value, or one per channel."""
    if not padding.any:
        return x
    n, rows, cols, channels = x.shape
    shape = (n, rows + padding.top + padding.bottom, cols + padding.left + padding.right, channels)
    padded = np.empty(shape, x.dtype)
    padded[...] = np.asarray(fill, x.dtype)
    padded[:, padding.top : padding.top + rows, padding.left : padding.left + cols] = x
    return padded


def windows(x: np.ndarray, window: Window, fill: np.ndarray | float) -> np.ndarray:
    """A view (N, OH, OW, C, KH, KW) of all windows of ``x`` (N, H, W, C)."""
    padded = pad_map(x, window.padding, fill)
    view = sliding_window_view(padded, window.kernel, axis=(1, 2))
    return view[:, :: window.strides[0], :: window.strides[1]]


def columns(x: np.ndarray, window: Window, fill: np.ndarray | float) -> np.ndarray:
    """All windows as (N, OH, OW, KH*KW*C), channels fastest: the order of OHWI weights."""
    if window.kernel == (1, 1) and not window.padding.any:
        return x[:, :: window.strides[0], :: window.strides[1]]
    view: np.ndarray = windows(x, window, fill).transpose(0, 1, 2, 4, 5, 3)
    return view.reshape(*view.shape[:3], -1)


def max_pool(x: np.ndarray, window: Window, lowest: float) -> np.ndarray:
    """Maximum over each window of ``x`` (N, H, W, C); padding reads ``lowest``."""
    padded = pad_map(x, window.padding, lowest)
    (kernel_rows, kernel_cols), (stride_rows, stride_cols) = window.kernel, window.strides
    out_rows, out_cols = window.counts(x.shape[1], x.shape[2])
    result: np.ndarray | None = None
    for ky in range(kernel_rows):
        for kx in range(kernel_cols):
            tap = padded[
                :,
                ky : ky + (out_rows - 1) * stride_rows + 1 : stride_rows,
                kx : kx + (out_cols - 1) * stride_cols + 1 : stride_cols,
            ]
            result = tap.copy() if result is None else np.maximum(result, tap, out=result)
    assert result is not None
    return result
