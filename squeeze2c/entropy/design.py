"""Chooses the words of a layer from how often each value occurs.

Segments come from a dynamic program over the values. Prefixes are then added greedily, most
probable first, as Tunstall (1967) grows his tree: for a source without memory the words of a
complete tree cost exactly the source's entropy per weight but for the rounding of code
lengths, which more and longer words make smaller. A word that needs an escape, or codes of which
fewer fit an index of the decode table, cost time; a little space is traded for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from squeeze2c.entropy.codebook import (
    CODE_BITS,
    MAX_EXTRA_BITS,
    MAX_PLAIN_WEIGHTS,
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
_COARSENESS = (0.0, *(1e-4 * 2**k for k in range(7)))
"""Bits per weight that a segment is charged with: the larger, the fewer segments."""
_PLAIN_INSTRUCTIONS = 11.0
_ESCAPE_INSTRUCTIONS = 27.0
"""What an entry of the decode table costs a Cortex-M4 (measured: half a round, and an escape)."""
_BITS_PER_INSTRUCTION = 0.008
"""The price of time. At 3 bits per weight, decoding twice as fast may take 0.8 % more space."""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Words without codes: see :class:`squeeze2c.entropy.codebook.Codebook`."""

    segments: tuple[Segment, ...]
    prefixes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Design:
    """A dictionary and what is expected of it.

    ``bits``: codes and code table. ``price``: the same, and what the time to decode is worth.
    """

    dictionary: Dictionary
    bits: float
    price: float


def design(counts: np.ndarray) -> Design:
    """The dictionary with the lowest price; ``counts[v + 128]`` is how often value v occurs."""
    segmentations = dict.fromkeys(_segments(counts, coarseness) for coarseness in _COARSENESS)
    candidates = [_grow(counts, segments) for segments in segmentations]
    return min(candidates, key=lambda candidate: candidate.price)


def estimated_bits(counts: np.ndarray) -> float:
    """About what codes and code table of a layer take, in bits.

    ``counts[v + 128]`` is how often value v occurs, int64 (256,). The bias, the multiplier index
    and about three bytes per tile come on top.
    """
    return design(counts).bits


def with_lengths(dictionary: Dictionary, counts: np.ndarray) -> Codebook:
    """The best code for words that occur ``counts[prefix, segment]`` times."""
    flat = counts.reshape(-1).copy()
    # A complete code has two words at least.
    unused = np.flatnonzero(flat == 0)
    flat[unused[: max(0, 2 - np.count_nonzero(flat))]] = 1
    lengths = np.zeros(flat.size, np.int64)
    lengths[flat > 0] = limited_lengths(flat[flat > 0], CODE_BITS)
    rows = tuple(tuple(int(n) for n in row) for row in lengths.reshape(counts.shape))
    return Codebook(dictionary.segments, dictionary.prefixes, rows)


def _segments(counts: np.ndarray, coarseness: float) -> tuple[Segment, ...]:
    """Neighbouring segments from the smallest to the largest value that occurs.

    They minimise the entropy of the segments, plus extra bits, plus the table's nibbles, plus the
    price of escapes, plus ``coarseness`` times the number of weights for each segment.
    """
    below = np.concatenate([[0], np.cumsum(counts)])
    total = int(below[-1])
    first, last = np.flatnonzero(counts)[[0, -1]].tolist()
    cost = np.full(_VALUES + 1, np.inf)
    cost[last + 1 :] = 0.0
    choice = np.zeros(_VALUES + 1, np.int64)
    widths = np.arange(MAX_EXTRA_BITS + 1)
    escape_bits = _BITS_PER_INSTRUCTION * (_ESCAPE_INSTRUCTIONS - _PLAIN_INSTRUCTIONS / 2)
    for at in range(last, first - 1, -1):
        extra = widths[at + (1 << widths) <= _VALUES]
        end = at + (1 << extra)
        inside = below[end] - below[at]
        each = extra - np.log2(np.maximum(inside, 1) / total) + escape_bits * (extra > 0)
        bits = inside * each + 2 * _NIBBLE_BITS + coarseness * total + cost[end]
        choice[at] = int(np.argmin(bits))
        cost[at] = bits[choice[at]]
    segments = []
    at = first
    while at <= last:
        segments.append(Segment(at + _LOWEST, int(choice[at])))
        at = segments[-1].end - _LOWEST
    if len(segments) == 1:
        segments = _in_two(segments[0])
    return tuple(segments)


def _in_two(segment: Segment) -> list[Segment]:
    """Two segments in place of one, because a complete code has two words at least."""
    if segment.extra_bits:
        half = segment.extra_bits - 1
        return [Segment(segment.base, half), Segment(segment.base + (1 << half), half)]
    last = segment.base == -_LOWEST - 1
    return [Segment(segment.base - last, 0), Segment(segment.base + 1 - last, 0)]


def _grow(counts: np.ndarray, segments: tuple[Segment, ...]) -> Design:
    """The best number of prefixes for these segments."""
    total = int(counts.sum())
    probability = counts / total
    single = [s.base for s in segments if s.extra_bits == 0 and probability[s.base - _LOWEST] > 0]
    chance: dict[tuple[int, ...], float] = {(): 1.0}
    best: Design | None = None
    since_best = 0
    while since_best <= _PATIENCE:
        expected = _per_weight(probability, segments, chance)
        if expected is None:
            break
        nibbles = len(segments) * (1 + len(chance))
        table = _NIBBLE_BITS * nibbles + _PREFIX_BITS * len(chance)
        bits, instructions = expected
        price = total * (bits + _BITS_PER_INSTRUCTION * instructions) + table
        since_best += 1
        if best is None or price < best.price:
            best = Design(Dictionary(segments, tuple(chance)), total * bits + table, price)
            since_best = 0
        grown = [
            (before * float(probability[value - _LOWEST]), (*prefix, value))
            for prefix, before in chance.items()
            for value in single
            if (not prefix or (value == 0 and len(prefix) < MAX_PREFIX_WEIGHTS))
            and (*prefix, value) not in chance
        ]
        if not grown:
            break
        probable, prefix = max(grown)
        chance[prefix] = probable
    assert best is not None
    return best


def _per_weight(
    probability: np.ndarray, segments: tuple[Segment, ...], chance: dict[tuple[int, ...], float]
) -> tuple[float, float] | None:
    """Expected (bits, instructions) per weight; None where there are more words than codes."""
    mass = np.array([probability[s.base - _LOWEST : s.end - _LOWEST].sum() for s in segments])
    position = {s.base: i for i, s in enumerate(segments) if s.extra_bits == 0}
    number = {prefix: p for p, prefix in enumerate(chance)}
    share = np.array(list(chance.values()))[:, None] * mass
    for prefix in chance:
        if prefix:
            # Whatever begins like this is coded with the longer prefix.
            share[number[prefix[:-1]], position[prefix[-1]]] = 0.0
    used = share > 0
    if np.count_nonzero(used) > 1 << CODE_BITS:
        return None
    shape = share.shape
    weights = np.broadcast_to(np.array([[len(prefix) + 1] for prefix in chance]), shape)[used]
    extra_bits = np.broadcast_to(np.array([s.extra_bits for s in segments]), shape)[used]
    share = share[used]
    lengths = limited_lengths(share, CODE_BITS) if len(share) > 1 else np.ones(1, np.int64)
    plain = (extra_bits == 0) & (weights <= MAX_PLAIN_WEIGHTS)
    lookups = share[~plain].sum() * _ESCAPE_INSTRUCTIONS
    if plain.any():
        joined = _joined_weights(share[plain], lengths[plain], weights[plain])
        lookups += share[plain] @ weights[plain] / joined * _PLAIN_INSTRUCTIONS
    per_word = float(share @ weights)
    return float(share @ (lengths + extra_bits)) / per_word, float(lookups) / per_word


def _joined_weights(share: np.ndarray, lengths: np.ndarray, weights: np.ndarray) -> float:
    """How many weights a plain entry of the decode table gives, words being independent."""
    chance = np.zeros((CODE_BITS + 1, MAX_PLAIN_WEIGHTS + 1))
    np.add.at(chance, (lengths, weights), share)
    # expected[b, w]: of words that fit b bits and w weights.
    expected = np.zeros_like(chance)
    for bits in range(1, CODE_BITS + 1):
        for room in range(1, MAX_PLAIN_WEIGHTS + 1):
            inside = chance[1 : bits + 1, 1 : room + 1]
            behind = expected[bits - 1 :: -1, room - 1 :: -1][: inside.shape[0], : inside.shape[1]]
            expected[bits, room] = (inside * (np.arange(1, room + 1) + behind)).sum()
    return float(expected[CODE_BITS, MAX_PLAIN_WEIGHTS] / share.sum())
