"""Capacity, cost and the failure-cost curve against plain searches over every threshold."""

from __future__ import annotations

import numpy as np
import pytest

from primum.judge.deferral import thresholds
from primum.judge.deferral.costs import Reader, never_useful, spent
from primum.judge.deferral.curve import at, curve

COST = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [10.0, 10.0, 0.0]])


def plain_cost(
    confidence: np.ndarray, accepting: np.ndarray, deferring: np.ndarray, threshold: float
) -> float:
    return float(np.where(confidence >= threshold, accepting, deferring).mean())


@pytest.mark.parametrize("levels", [4, 10_000])
@pytest.mark.parametrize("capacity", [0.0, 0.18, 0.3, 0.999])
def test_capacity_is_never_exceeded_and_used_as_far_as_ties_allow(levels: int, capacity: float) -> None:
    score = np.random.default_rng(levels).integers(0, levels, 150) / levels
    chosen = thresholds.by_capacity(score, capacity)
    assert (score < chosen).mean() <= capacity
    assert all((score < higher).mean() > capacity for higher in set(score) if higher > chosen)


def test_capacity_by_hand() -> None:
    score = [0.1, 0.2, 0.3, 0.3, 0.9]
    assert thresholds.by_capacity(score, 0.4) == 0.3
    assert thresholds.by_capacity(score, 0.6) == 0.3  # the tie would exceed it
    assert thresholds.by_capacity(score, 0.8) == 0.9
    assert thresholds.by_capacity(np.arange(100), 0.18) == 18  # 0.18 · 100 is 18 but for rounding


@pytest.mark.parametrize("levels", [4, 10_000])
def test_every_point_of_the_curve_is_the_plain_definition(levels: int) -> None:
    rng = np.random.default_rng(levels)
    score, labels, answers = (
        rng.integers(0, levels, 80) / levels,
        rng.integers(0, 3, 80),
        rng.integers(0, 3, 80),
    )
    accepting, deferring = spent(labels, answers, COST, Reader(0.5, np.array([0.1, 0.0, 0.3])))
    found = curve(score, accepting, deferring)
    for threshold, share, cost in zip(found.threshold, found.deferred, found.cost, strict=True):
        assert share == pytest.approx((score < threshold).mean())
        assert cost == pytest.approx(plain_cost(score, accepting, deferring, threshold))
    asked = np.r_[np.inf, rng.random(20) * 1.2 - 0.1, score[:3], -np.inf]
    for threshold, point in zip(asked, at(found, asked), strict=True):
        assert found.cost[point] == pytest.approx(plain_cost(score, accepting, deferring, threshold))
    best = thresholds.by_cost(score, accepting, deferring)
    assert plain_cost(score, accepting, deferring, best) == pytest.approx(found.cost.min())


def test_cost_by_hand() -> None:
    confidence, accepting = np.array([0.9, 0.8, 0.7, 0.6]), np.array([0.0, 0.0, 10.0, 0.0])
    # defer none 10, below .7 11, below .8 2, below .9 3, all 4
    assert thresholds.by_cost(confidence, accepting, np.ones(4)) == 0.8
    assert thresholds.by_cost(confidence, accepting, np.full(4, 6.0)) == -np.inf
    assert thresholds.by_cost(confidence, np.full(4, 5.0), np.ones(4)) == np.inf


def test_a_readers_mistakes_cost_what_their_class_costs() -> None:
    reader = Reader(0.5, np.array([0.1, 0.0, 0.2]))
    assert reader.by_class(COST).tolist() == pytest.approx([0.5 + 0.1 * 1.5, 0.5, 0.5 + 0.2 * 10])
    accepting, deferring = spent(np.array([2, 0]), np.array([0, 0]), COST, reader)
    assert accepting.tolist() == [10, 0]
    assert deferring.tolist() == pytest.approx([2.5, 0.65])


def test_when_deferring_can_never_help() -> None:
    two = np.array([[0.0, 1.0], [1.0, 0.0]])
    # a Bayes answer costs at most 1/2, any other at most 1
    assert not never_useful(two, Reader(0.49), bayes=True)
    assert never_useful(two, Reader(0.5), bayes=True)
    assert not never_useful(two, Reader(0.9), bayes=False)
    assert never_useful(two, Reader(1.0), bayes=False)
    # a reader right on one class only: an answer costs min(p, 1 − p), deferring .9 (1 − p)
    assert not never_useful(two, Reader(0.0, np.array([0.0, 0.9])), bayes=True)
    assert never_useful(two, Reader(0.0, np.array([1.0, 1.0])), bayes=True)
