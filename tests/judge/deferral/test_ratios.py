"""Cost over ratios against hand-worked cases, another metric and a bootstrap over patients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from primum.judge import decision
from primum.judge.answers import View
from primum.judge.deferral import ratios
from primum.judge.deferral.costs import Reader
from primum.judge.deferral.ratios import RATIOS, normalized, two_way
from primum.judge.deferral.scored import Decided
from primum.judge.metrics.harm import normalized_expected_cost
from primum.judge.metrics.measured import Influence

# classes 1 and 2 are critical: calling 1 by the name of 2 is no critical error
CRITICAL = np.array([[False, False, False], [True, False, False], [True, False, False]])
FATAL = CRITICAL.any(axis=1)
LABELS = np.array([1, 1, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0])
CALLED = np.array([1, 0, 1, 2, 0, 0, 1, 2, 0, 0, 0, 0])
CONFIDENCE = np.array([0.9, 0.2, 0.9, 0.8, 0.9, 0.9, 0.9, 0.1, 0.2, 0.9, 0.9, 0.9])


def view_of(labels: np.ndarray, clusters: np.ndarray | None = None) -> View:
    n = len(labels)
    probs = {"none": np.full((n, 3), 1 / 3)}
    return View(labels, probs, {}, clusters, np.arange(n), None, CRITICAL, None, 0, 0)


def patients(seed: int, count: int = 400) -> tuple[View, np.ndarray]:
    """A few cases of each patient, alike in class and in how hard they are; with their probabilities."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(count), rng.integers(1, 6, count))
    kind, hard = rng.choice(3, count, p=[0.8, 0.1, 0.1]), rng.random(count)
    labels = kind[clusters]
    pull = np.where(rng.random(len(labels)) < 0.7 * hard[clusters], rng.choice(3, len(labels)), labels)
    logits = rng.normal(0, 1, (len(labels), 3))
    logits[np.arange(len(labels)), pull] += 2
    shares = np.exp(logits)
    return view_of(labels, clusters), shares / shares.sum(axis=1, keepdims=True)


def test_by_hand() -> None:
    # one critical case called harmless, two false alarms; four critical cases, eight negatives
    costs = ratios.of_answers(view_of(LABELS), FATAL[CALLED])
    by_hand = [(ratio + 2) / min(4 * ratio, 8) for ratio in RATIOS]
    assert costs.cost == pytest.approx(by_hand)
    assert (costs.low < costs.cost).all()
    assert (costs.high > costs.cost).all()
    assert (len(RATIOS), RATIOS[0], RATIOS[-1]) == (13, 2.0, 50.0)


def test_a_policy_pays_for_what_it_accepts_and_for_the_reader() -> None:
    decided = Decided("argmax", "none", CALLED, "msr", CONFIDENCE, np.full(12, 0.5))
    # deferred: the missed critical case, a false alarm and a negative; one false alarm is accepted
    free = ratios.of_policy(view_of(LABELS), decided, Reader())
    assert free.cost == pytest.approx([1 / min(4 * ratio, 8) for ratio in RATIOS])
    # who errs on half of class 1 says 0 in half of these, at the ratio; on a tenth of 0: always a false alarm
    paid = ratios.of_policy(view_of(LABELS), decided, Reader(0.25, np.array([0.1, 0.5, 0.0])))
    by_hand = [(1 + 3 * 0.25 + ratio * 0.5 / 2 + 2 * 0.1) / min(4 * ratio, 8) for ratio in RATIOS]
    assert paid.cost == pytest.approx(by_hand)


def test_a_policy_that_defers_all_costs_nothing_but_what_was_not_seen() -> None:
    everything = Decided("argmax", "none", CALLED, "msr", CONFIDENCE, np.full(12, np.inf))
    costs = ratios.of_policy(view_of(LABELS), everything, Reader())
    assert (costs.cost == 0).all()
    assert (costs.low == 0).all()
    assert (costs.high > 0).all()


def test_it_is_the_normalized_expected_cost_of_the_two_way_view() -> None:
    view, probs = patients(0)
    answers = probs.argmax(axis=1)
    costs = ratios.of_answers(view, FATAL[answers])
    for ratio, cost in zip(RATIOS, costs.cost, strict=True):
        assert cost == pytest.approx(normalized_expected_cost(view.labels, answers, two_way(FATAL, ratio)))


def test_bayes_is_decided_anew_at_each_ratio() -> None:
    view, probs = patients(1)
    costs = ratios.of_mass(view, decision.critical_mass(probs, CRITICAL))
    for ratio, cost in zip(RATIOS, costs.cost, strict=True):
        severity = two_way(FATAL, ratio)
        best = decision.bayes(probs, severity)
        assert cost == pytest.approx(normalized_expected_cost(view.labels, best, severity))


def test_a_mass_at_the_ratio_is_called_critical() -> None:
    costs = ratios.of_mass(view_of(LABELS), np.where(FATAL[LABELS], 1 / 3, 0.0))
    assert costs.cost[0] == 0


@pytest.mark.parametrize("point", [0, 5, 12])  # r · n₊ is below n₋ at the first, above at the others
def test_intervals_are_those_of_a_bootstrap_over_patients(point: int) -> None:
    view, probs = patients(2, 1000)
    called, ratio = FATAL[probs.argmax(axis=1)], RATIOS[point]
    costs = ratios.of_answers(view, called)
    cases, clusters = FATAL[view.labels], view.clusters
    assert clusters is not None
    sums = np.stack([np.bincount(clusters, cases & ~called), np.bincount(clusters, called & ~cases)])
    totals = np.stack([np.bincount(clusters, cases), np.bincount(clusters, ~cases)])
    drawn = np.random.default_rng(3).multinomial(1000, np.full(1000, 1 / 1000), 4000)
    missed, alarmed = sums @ drawn.T
    positive, negative = totals @ drawn.T
    values = (ratio * missed + alarmed) / np.minimum(ratio * positive, negative)
    low, high = np.quantile(values, [0.025, 0.975])
    assert high - low > 0.05
    assert (costs.low[point], costs.high[point]) == pytest.approx((low, high), abs=0.12 * (high - low))
    # summed by patient beforehand, which is what the intervals of all other metrics do case by case
    value, influence = normalized(ratio * (cases & ~called) + 1.0 * (called & ~cases), cases, ratio)
    other = Influence(value, influence, "log", (0.0, 100.0), 1000).estimate(view)
    assert (costs.low[point], costs.high[point]) == pytest.approx((other.low, other.high))
    alone = ratios.of_answers(replace(view, clusters=None), called)  # cases of a patient are alike
    assert alone.high[point] - alone.low[point] < 0.85 * (high - low)


def test_influences_are_derivatives() -> None:
    rng = np.random.default_rng(4)
    cases, paid = rng.random(40) < 0.3, rng.random(40) * 5
    value, influence = normalized(paid, cases, 4.0)
    step = 1e-6
    for case in (0, 7, 23):
        weight = np.ones(40)
        weight[case] += step * 40
        misses, alarms = 4.0 * (weight * cases).sum(), (weight * ~cases).sum()
        moved = (weight * paid).sum() / min(misses, alarms)
        assert (moved - value) / step == pytest.approx(influence[case], rel=1e-3, abs=1e-4)


def test_what_has_no_curve_says_why() -> None:
    whole = view_of(LABELS)
    assert ratios.why_not(whole) == ""
    assert "critical cells" in ratios.why_not(replace(whole, critical=None))
    assert "at least 10" in ratios.why_not(view_of(LABELS[:5]))
    assert "no case is of" in ratios.why_not(view_of(np.zeros(20, dtype=int)))
    assert "every case is of" in ratios.why_not(view_of(np.ones(20, dtype=int)))
    assert "one patient" in ratios.why_not(view_of(LABELS, np.zeros(12, dtype=int)))


def test_a_reader_is_paid_in_false_alarms() -> None:
    severity = np.array([[0.0, 2.0, 6.0], [20.0, 0.0, 1.0], [20.0, 1.0, 0.0]])
    reader = ratios.in_false_alarms(Reader(1.0), severity, CRITICAL)
    assert reader is not None
    assert reader.cost == pytest.approx(1 / 4)
    severity[0] = 0
    assert ratios.in_false_alarms(Reader(1.0), severity, CRITICAL) is None
