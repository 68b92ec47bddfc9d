"""Weights without their zeros: how they are stored, where they may be, and what they take.

See ``runtime_c/include/s2c_sparse_dsp.h`` for the format.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from squeeze2c.ir import Graph, ops

FIELD_LIMIT = 1 << 22
"""What accumulators must stay below where two pixels share 64 bits, 23 bits apart."""
SHIFT = 24
SPARSE_TAP_BYTES = 16
"""Scratch per tap: four words of two pixels each."""
FARTHEST = 15
"""Distance that an entry can bridge."""
LEAD_BYTES = 64
"""S2C_SPARSE_LEAD_BYTES."""
LARGEST = 1.125
"""Zeros are skipped only where the weights then take at most so many times as much flash."""

_ENTRY_BYTES = 2
_WORD_BYTES = 4
_WORD_ENTRIES = 2
_CHUNK, _SHORT_CHUNK = 16, 8
_UINT16_MAX = (1 << 16) - 1

Convolution = ops.QConv2D | ops.QConvGlobalPool


@dataclass(frozen=True, slots=True)
class Sparsity:
    """What the time that the weights of a layer take depends on.

    ``words``: of all output channels, two entries each. ``chunks``: of up to 16 words of one
    channel; ``short_chunks``: of up to 8. ``extra_bytes``: of flash, beyond what the weights
    take with their zeros; below 0 where they take less.
    """

    words: int
    chunks: int
    short_chunks: int
    extra_bytes: int


def sparsity(graph: Graph, node: ops.Node) -> Sparsity | None:
    """What the weights of ``node`` take without zeros; None where they are not to be skipped.

    That is where the kernel could not be exact, or the flash would grow too much. Weights of
    nothing but zeros stand for weights that are not known yet.
    """
    if not isinstance(node, Convolution):
        return None
    weight = graph.constants[node.inputs[1]]
    nonzero = np.count_nonzero(weight)
    limit = LARGEST * weight.size
    if nonzero == 0 or _ENTRY_BYTES * nonzero > limit or not zeros_suit(graph, node):
        return None
    words = _words(_steps(weight.reshape(len(weight), -1)))
    size = _lead_bytes(len(weight)) + _WORD_BYTES * int(words.sum())
    if size > limit or words.max() > _UINT16_MAX:
        return None
    return Sparsity(
        words=int(words.sum()),
        chunks=int((-(-words // _CHUNK)).sum()),
        short_chunks=int((-(-words // _SHORT_CHUNK)).sum()),
        extra_bytes=size - weight.size,
    )


def zeros_suit(graph: Graph, node: Convolution) -> bool:
    """Whether the numbers of ``node`` are such that kernels that skip zeros are exact.

    They hold two accumulators in 64 bits, 23 bits apart, shift by 24 bits and cannot clamp above 0.
    """
    weight, bias = (graph.constants[name] for name in node.inputs[1:3])
    matrix = weight.reshape(len(weight), -1).astype(np.int64)
    low = bias + 255 * np.minimum(matrix, 0).sum(axis=1)
    high = bias + 255 * np.maximum(matrix, 0).sum(axis=1)
    clamp_min = node.clamp_min if isinstance(node, ops.QConv2D) else 0
    fits = low.min() >= -FIELD_LIMIT and high.max() < FIELD_LIMIT
    small = matrix.shape[1] * SPARSE_TAP_BYTES < 1 << 32
    return bool(fits) and small and node.shift == SHIFT and clamp_min == 0


def sparse_weights(weight: np.ndarray) -> np.ndarray:
    """Weights int8 (outputs, taps) for kernels that skip zeros: bytes, int8, flat.

    A table of the words of each output channel, and these words.
    """
    steps = _steps(weight)
    words = _words(steps)
    lead = np.zeros(_lead_bytes(len(weight)) // 2, "<u2")
    lead[: len(words)] = words
    parts = [lead.view(np.uint8)]
    for row, count, distances in zip(weight, words, steps, strict=True):
        entries = np.zeros((count * _WORD_ENTRIES, 2), np.uint8)
        at = np.cumsum(_bridges(distances) + 1) - 1
        bridged = int(at[-1]) + 1 if len(at) else 0
        entries[:bridged, 0] = FARTHEST * SPARSE_TAP_BYTES
        entries[at, 0] = (distances - FARTHEST * _bridges(distances)) * SPARSE_TAP_BYTES
        entries[at, 1] = row[np.flatnonzero(row)].view(np.uint8)
        parts.append(entries.ravel())
    return np.concatenate(parts).view(np.int8)


def _steps(weight: np.ndarray) -> list[np.ndarray]:
    """Per output channel the distances between taps whose weights are not zero, from tap 0 on."""
    return [np.diff(np.flatnonzero(row), prepend=0) for row in weight]


def _bridges(distances: np.ndarray) -> np.ndarray:
    """Entries without a weight that each of ``distances`` needs."""
    return np.asarray(np.maximum(distances - 1, 0) // FARTHEST)


def _words(steps: list[np.ndarray]) -> np.ndarray:
    """Words of each output channel, one at least."""
    entries = np.array([len(row) + int(_bridges(row).sum()) for row in steps])
    return np.asarray(np.maximum(-(-entries // _WORD_ENTRIES), 1))


def _lead_bytes(outputs: int) -> int:
    return max(LEAD_BYTES, -(-outputs // 2) * 4)
