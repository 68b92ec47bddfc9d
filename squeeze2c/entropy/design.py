"""Chooses the words of a layer from how often each value occurs.

Segments come from a dynamic program over the values. Prefixes are then added greedily, most
probable first, as Tunstall's algorithm grows its tree: for a source without memory the words of
a complete tree cost exactly the source's entropy per weight but for the rounding of code
lengths, which more and longer words make smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from squeeze2c.entropy.codebook import (
    CODE_BITS,
    MAX_EXTRA_BITS,
    MAX_PREFIX_WEIGHTS,
    Codebook,
    Segment,
)
from squeeze2c.entropy.huffman import limited_lengths

_VALUES = 256
_LOWEST = -128
_NIBBLE_BITS = 4
_PREFIX_BITS = 16
_PATIENCE = 6
"""Prefixes to try behind the best number of them."""
_RAREST = (2.0**-12, 2.0**-9, 2.0**-8, 2.0**-7, 2.0**-6, 2.0**-5, 2.0**-4)
"""Segments are tried in which rarer ones cost more than their information."""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Words without codes: see :class:`squeeze2c.entropy.codebook.Codebook`."""

    segments: tuple[Segment, ...]
    prefixes: tuple[tuple[int, ...], ...]


def design(counts: np.ndarray) -> Dictionary:
    """The dictionary with the smallest estimated size; ``counts[v + 128]`` of every value v."""
    best: tuple[float, Dictionary] | None = None
    for rarest in _RAREST:
        candidate = _grow(counts, _segments(counts, rarest))
        if best is None or candidate[0] < best[0]:
            best = candidate
    assert best is not None
    return best[1]


def estimated_bits(counts: np.ndarray) -> float:
    """What :func:`design` expects codes and code table of the values to take, in bits."""
    return min(_grow(counts, _segments(counts, rarest))[0] for rarest in _RAREST)


def with_lengths(dictionary: Dictionary, counts: np.ndarray) -> Codebook:
    """The best code for words that occur ``counts[prefix, segment]`` times."""
    counts = counts.copy()
    used = np.flatnonzero(counts)
    if len(used) < 2:
        # A complete code has two words at least.
        counts.reshape(-1)[[i for i in range(counts.size) if i not in used][: 2 - len(used)]] = 1
        used = np.flatnonzero(counts)
    lengths = np.zeros(counts.size, np.int64)
    lengths[used] = limited_lengths(counts.reshape(-1)[used], CODE_BITS)
    rows = tuple(tuple(int(n) for n in row) for row in lengths.reshape(counts.shape))
    return Codebook(dictionary.segments, dictionary.prefixes, rows)


def _segments(counts: np.ndarray, rarest: float) -> tuple[Segment, ...]:
    """Neighbouring segments from the smallest to the largest value that occurs.

    They minimise the entropy of the segments plus extra bits plus the table's nibbles.
    """
    below = np.concatenate([[0], np.cumsum(counts)])
    total = int(below[-1])
    first, last = np.flatnonzero(counts)[[0, -1]].tolist()
    cost = np.full(_VALUES + 1, np.inf)
    cost[last + 1 :] = 0.0
    choice = np.zeros(_VALUES + 1, np.int64)
    widths = np.arange(MAX_EXTRA_BITS + 1)
    for at in range(last, first - 1, -1):
        extra = widths[at + (1 << widths) <= _VALUES]
        end = at + (1 << extra)
        inside = below[end] - below[at]
        code_bits = -np.log2(np.maximum(inside, 1) / total)
        code_bits += np.maximum(0.0, code_bits + np.log2(rarest))
        bits = inside * (extra + code_bits) + 2 * _NIBBLE_BITS + cost[end]
        choice[at] = int(np.argmin(bits))
        cost[at] = bits[choice[at]]
    segments = []
    at = first
    while at <= last:
        segments.append(Segment(at + _LOWEST, int(choice[at])))
        at = segments[-1].end - _LOWEST
    if len(segments) == 1 and segments[0].extra_bits == 0:
        other = Segment(segments[0].end, 0)
        segments = [*segments, other] if other.end <= 128 else [Segment(126, 0), *segments]
    return tuple(segments)


def _grow(counts: np.ndarray, segments: tuple[Segment, ...]) -> tuple[float, Dictionary]:
    """(bits in all, dictionary) with the best number of prefixes for these segments."""
    total = int(counts.sum())
    probability = counts / total
    values = [s.base for s in segments if s.extra_bits == 0 and probability[s.base - _LOWEST] > 0]
    prefixes: list[tuple[int, ...]] = [()]
    chance: dict[tuple[int, ...], float] = {(): 1.0}
    best: tuple[float, Dictionary] | None = None
    since_best = 0
    while since_best <= _PATIENCE:
        bits = _expected_bits(probability, segments, prefixes, chance)
        if bits is None:
            break
        table = len(segments) * _NIBBLE_BITS * (1 + len(prefixes)) + _PREFIX_BITS * len(prefixes)
        size = total * bits + table
        since_best += 1
        if best is None or size < best[0]:
            best, since_best = (size, Dictionary(segments, tuple(prefixes))), 0
        grown = [
            (chance[prefix] * float(probability[value - _LOWEST]), (*prefix, value))
            for prefix in prefixes
            for value in (values if not prefix else [0] if 0 in values else [])
            if len(prefix) < MAX_PREFIX_WEIGHTS and (*prefix, value) not in chance
        ]
        if not grown:
            break
        probable, prefix = max(grown)
        prefixes.append(prefix)
        chance[prefix] = probable
    assert best is not None
    return best


def _expected_bits(
    probability: np.ndarray,
    segments: tuple[Segment, ...],
    prefixes: list[tuple[int, ...]],
    chance: dict[tuple[int, ...], float],
) -> float | None:
    """Bits per weight; None where there are more words than codes."""
    mass = np.array([probability[s.base - _LOWEST : s.end - _LOWEST].sum() for s in segments])
    position = {s.base: i for i, s in enumerate(segments) if s.extra_bits == 0}
    number = {prefix: p for p, prefix in enumerate(prefixes)}
    share = np.array([chance[prefix] for prefix in prefixes])[:, None] * mass
    for prefix in prefixes[1:]:
        share[number[prefix[:-1]], position[prefix[-1]]] = 0.0
    weights_in_word = np.array([len(prefix) + 1.0 for prefix in prefixes])
    extra_bits = np.array([s.extra_bits for s in segments])
    used = share > 0
    if not 2 <= np.count_nonzero(used) <= 1 << CODE_BITS:
        return 1.0 if np.count_nonzero(used) < 2 else None
    lengths = limited_lengths(share[used], CODE_BITS)
    bits = (share[used] * lengths).sum() + (share * extra_bits).sum()
    return float(bits / (share.sum(axis=1) * weights_in_word).sum())
