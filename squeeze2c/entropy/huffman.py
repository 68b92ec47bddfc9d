"""Huffman codes of limited length, in canonical form, least significant bit first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from squeeze2c.errors import InternalError


def limited_lengths(weights: np.ndarray, longest: int) -> np.ndarray:
    """Code lengths of the cheapest prefix code with no code longer than ``longest`` bits.

    ``weights``: how often each word occurs, positive, at least two words and at most
    ``2**longest``. Package-merge (Larmore and Hirschberg, 1990): the words and the pairs of what
    the level below offers are sorted together, and the 2(n - 1) cheapest of the last level say
    how many of the rarest words are taken on each level.
    """
    count = len(weights)
    if not 2 <= count <= 2**longest or weights.min() <= 0:
        raise InternalError(f"no prefix code of {longest} bits for {count} words")
    order = np.argsort(weights, kind="stable")
    leaves = np.asarray(weights, np.float64)[order]
    items = leaves
    # is_leaf[level][i]: whether the i-th cheapest item of that level is a word.
    is_leaf = [np.ones(count, bool)]
    for _ in range(longest - 1):
        even = len(items) // 2 * 2
        packages = items[:even:2] + items[1:even:2]
        merged = np.concatenate([leaves, packages])
        rank = np.argsort(merged, kind="stable")
        is_leaf.append(rank < count)
        items = merged[rank]
    lengths = np.zeros(count, np.int64)
    taken = 2 * (count - 1)
    for level in reversed(is_leaf):
        words = int(np.count_nonzero(level[:taken]))
        lengths[:words] += 1
        taken = 2 * (taken - words)
    result = np.empty(count, np.int64)
    result[order] = lengths
    return result


def canonical_codes(lengths: Sequence[int], longest: int) -> list[int]:
    """The code of every word, first bit lowest; 0 where the length is 0.

    Codes of equal length ascend with the index when read first bit highest, and shorter codes
    come before longer ones.
    """
    counts = np.bincount(np.asarray(lengths, np.int64), minlength=longest + 1)
    following = [0] * (longest + 1)
    code = 0
    for length in range(1, longest + 1):
        following[length] = code
        code = (code + int(counts[length])) << 1
    codes = []
    for length in lengths:
        codes.append(int(f"{following[length]:0{length}b}"[::-1], 2) if length else 0)
        following[length] += 1
    return codes


def is_complete(lengths: Sequence[int], longest: int) -> bool:
    """Whether every sequence of bits begins with exactly one code: Kraft's sum is 1."""
    return sum(1 << (longest - n) for n in lengths if n) == 1 << longest
