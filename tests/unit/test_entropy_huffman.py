"""Codes of limited length are optimal, complete and canonical."""

from __future__ import annotations

import heapq
import itertools

import numpy as np
import pytest

from squeeze2c.entropy.huffman import canonical_codes, is_complete, limited_lengths
from squeeze2c.errors import InternalError


def huffman_cost(weights: list[int]) -> int:
    """Total length of Huffman's code, without a limit: the sum of all inner nodes."""
    heap = list(weights)
    heapq.heapify(heap)
    cost = 0
    while len(heap) > 1:
        node = heapq.heappop(heap) + heapq.heappop(heap)
        cost += node
        heapq.heappush(heap, node)
    return cost


def best_cost(weights: list[int], longest: int) -> int:
    """The cheapest lengths that satisfy Kraft, by trying all."""
    return min(
        sum(w * n for w, n in zip(weights, lengths, strict=True))
        for lengths in itertools.product(range(1, longest + 1), repeat=len(weights))
        if sum(2 ** (longest - n) for n in lengths) <= 2**longest
    )


@pytest.mark.parametrize("seed", range(30))
def test_limited_codes_are_the_cheapest(seed: int) -> None:
    random = np.random.default_rng(seed)
    weights = np.maximum(random.geometric(0.01, int(random.integers(2, 7))) ** 2, 1)
    longest = int(random.integers(3, 5))
    lengths = limited_lengths(weights, longest)
    assert lengths.max() <= longest
    assert is_complete(lengths.tolist(), longest)
    assert weights @ lengths == best_cost(weights.tolist(), longest)


@pytest.mark.parametrize("count", [2, 3, 20, 100, 512])
def test_without_need_the_limit_costs_nothing(count: int) -> None:
    weights = np.random.default_rng(count).integers(1000, 1200, count)
    lengths = limited_lengths(weights, 16)
    assert weights @ lengths == huffman_cost(weights.tolist())


def test_as_many_words_as_codes() -> None:
    weights = 2 ** np.arange(8)
    assert limited_lengths(weights, 3).tolist() == [3] * 8
    assert limited_lengths(weights, 7).tolist() == [7, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("weights", [[1], [], [1, 0], [1] * 9])
def test_impossible_codes_are_refused(weights: list[int]) -> None:
    with pytest.raises((InternalError, ValueError)):
        limited_lengths(np.array(weights), 3)


def test_codes_are_canonical_with_the_first_bit_lowest() -> None:
    # In order of writing: 0, 10, 110, 111 for lengths 1, 2, 3, 3.
    assert canonical_codes([2, 3, 0, 1, 3], 9) == [0b01, 0b011, 0, 0b0, 0b111]


@pytest.mark.parametrize("seed", range(5))
def test_no_code_begins_another(seed: int) -> None:
    weights = np.random.default_rng(seed).integers(1, 10000, 60)
    lengths = limited_lengths(weights, 9).tolist()
    codes = canonical_codes(lengths, 9)
    claimed = [
        index
        for code, length in zip(codes, lengths, strict=True)
        for index in range(code, 512, 1 << length)
    ]
    assert sorted(claimed) == list(range(512))


def test_incomplete_codes_are_seen() -> None:
    assert is_complete([1, 2, 2], 9)
    assert not is_complete([1, 2], 9)
    assert not is_complete([1, 1, 9], 9)
    assert not is_complete([], 9)
