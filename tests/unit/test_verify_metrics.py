"""Metrics against figures worked out by hand or from their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from squeeze2c.verification.metrics import (
    LogitMeter,
    SqnrMeter,
    kl_divergence,
    log_softmax,
    top_k_hits,
)


def test_sqnr_pools_energy_over_all_arrays() -> None:
    meter = SqnrMeter()
    meter.add(np.array([3.0, 4.0]), np.array([3.0, 3.0]))
    meter.add(np.array([[5.0, 0.0], [0.0, 0.0]]), np.array([[5.0, 0.0], [2.0, 0.0]]))
    assert meter.db == pytest.approx(10 * math.log10((25 + 25) / (1 + 4)))


def test_sqnr_of_scaled_noise() -> None:
    rng = np.random.default_rng(0)
    signal = rng.normal(size=100_000)
    noise = rng.normal(size=100_000) * 0.01
    meter = SqnrMeter()
    meter.add(signal, signal + noise)
    assert meter.db == pytest.approx(40.0, abs=0.05)


def test_sqnr_at_its_ends() -> None:
    exact, dead = SqnrMeter(), SqnrMeter()
    exact.add(np.ones(3), np.ones(3))
    dead.add(np.zeros(3), np.ones(3))
    assert exact.db == math.inf
    assert dead.db == -math.inf


def test_log_softmax_survives_large_logits() -> None:
    np.testing.assert_allclose(
        np.exp(log_softmax(np.array([[1000.0, 1000.0 + math.log(3)]]))), [[0.25, 0.75]]
    )


def test_kl_of_two_known_distributions() -> None:
    p, r = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    expected = 0.5 * math.log(2) + 0.5 * math.log(2 / 3)
    np.testing.assert_allclose(kl_divergence(np.log(p), np.log(r)), [expected])
    np.testing.assert_allclose(kl_divergence(np.log(p), np.log(p) + 7.0), [0.0], atol=1e-15)


def test_kl_is_not_negative() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 50, 20))
    assert (kl_divergence(a, b) > 0).all()


def test_top_k_counts_labels_among_the_largest() -> None:
    logits = np.array([[1, 5, 3, 4], [9, 1, 2, 3], [0, 0, 0, 1]])
    labels = np.array([2, 0, 0])
    assert [top_k_hits(logits, labels, k) for k in (1, 2, 3, 4)] == [1, 2, 3, 3]


def test_of_equal_logits_the_lower_class_is_the_larger() -> None:
    logits = np.zeros((3, 4), np.int32)
    labels = np.array([0, 1, 3])
    assert [top_k_hits(logits, labels, k) for k in (1, 2, 3, 4)] == [1, 2, 2, 3]


def test_top_k_equals_a_stable_sort() -> None:
    rng = np.random.default_rng(2)
    logits = rng.integers(0, 6, (200, 12))
    labels = rng.integers(0, 12, 200)
    order = np.argsort(-logits, axis=1, kind="stable")
    for k in (1, 5):
        expected = sum(label in row[:k] for label, row in zip(labels, order, strict=True))
        assert top_k_hits(logits, labels, k) == expected


def test_logit_meter_over_two_batches() -> None:
    meter = LogitMeter()
    scale = 0.5
    real = np.array([[0.0, 2.0, 1.0], [3.0, 0.0, 0.0], [0.0, 1.0, 1.5]])
    integer = np.array([[0, 4, 2], [0, 6, 0], [0, 2, 3]], np.int32)
    meter.add(real[:1], integer[:1], scale, np.array([1]))
    meter.add(real[1:], integer[1:], scale, np.array([0, 1]))
    assert meter.images == 3
    assert meter.agreement == pytest.approx(2 / 3)
    assert meter.top("float", 1) == pytest.approx(2 / 3)
    assert meter.top("int", 1) == pytest.approx(1 / 3)
    assert meter.top("int", 5) == 1.0
    assert meter.sqnr_db == pytest.approx(10 * math.log10((5 + 9 + 3.25) / (9 + 9)))
    assert meter.mean_kl == pytest.approx(kl_divergence(real, integer * scale).mean())


def test_without_labels_there_is_no_top_k() -> None:
    meter = LogitMeter()
    meter.add(np.eye(3), np.eye(3, dtype=np.int32), 1.0, None)
    assert meter.top("float", 1) is None
    assert meter.top("int", 5) is None
    assert meter.agreement == 1.0
    assert meter.sqnr_db == math.inf
    assert meter.mean_kl == 0.0
