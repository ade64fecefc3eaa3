"""Metrics of bootstrap replicates: the same as of the rows drawn, written out one after another."""

from __future__ import annotations

import numpy as np
import pytest

from primum.judge.metrics import accuracy, cuts, selective, selective_draws
from primum.judge.metrics.selective_draws import CODES, metrics_of_draws, most_confident_third


def rows_of(n: int, levels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng([n, levels])
    confidence = rng.integers(0, levels, n) / levels
    wrong = rng.random(n) < 0.5 - 0.4 * confidence
    cost = np.where(wrong, rng.choice([1.0, 2.0, 10.0], n), 0.0)
    return confidence, wrong, cost, rng.multinomial(n, np.ones(n) / n, size=40).T


@pytest.mark.parametrize(("n", "levels"), [(150, 4), (150, 30), (150, 10**6), (12, 3)])
def test_a_draw_is_judged_as_its_rows_would_be(n: int, levels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selective_draws, "CELLS", 7 * n)  # several parts, the last one smaller
    confidence, wrong, cost, weights = rows_of(n, levels)
    found = metrics_of_draws(wrong, cost, confidence, weights)
    assert set(found) == set(CODES)
    for b in range(weights.shape[1]):
        at = np.repeat(np.arange(n), weights[:, b])
        expected = {
            "aurc": selective.risk_coverage(wrong[at], selective.rank(confidence[at])).aurc,
            "augrc": selective.risk_coverage(wrong[at], selective.rank(confidence[at])).augrc,
            "cost_aurc": selective.risk_coverage(cost[at], selective.rank(confidence[at])).aurc,
            "cost_augrc": selective.risk_coverage(cost[at], selective.rank(confidence[at])).augrc,
            "risk_at_80_coverage": cuts.risk_with_influence(wrong[at], selective.rank(confidence[at]))[0],
        }
        if wrong[at].any() and not wrong[at].all():
            expected["failure_auroc"] = accuracy.binary_auroc(~wrong[at], confidence[at])
            expected["fpr_at_95_tpr"] = cuts.fpr_with_influence(wrong[at], selective.rank(confidence[at]))[0]
        for code, value in expected.items():
            assert found[code][b] == pytest.approx(value, abs=1e-12), (code, b)


def test_the_fixture_of_the_methods() -> None:
    confidence = np.array([0.9, 0.8, 0.8, 0.7, 0.6, 0.6, 0.6, 0.5])
    found = metrics_of_draws([0, 1, 0, 0, 1, 1, 0, 1], [0, 1, 0, 0, 1, 1, 0, 1], confidence, np.ones((8, 1)))
    assert found["aurc"][0] == pytest.approx(0.263392857, abs=1e-9)
    assert found["cost_augrc"][0] == pytest.approx(0.1796875, abs=1e-9)


def test_row_order_has_no_influence() -> None:
    confidence, wrong, cost, weights = rows_of(90, 5)
    order = np.random.default_rng(1).permutation(90)
    ahead = metrics_of_draws(wrong, cost, confidence, weights)
    moved = metrics_of_draws(wrong[order], cost[order], confidence[order], weights[order])
    for code in CODES:
        assert moved[code] == pytest.approx(ahead[code], abs=1e-12, nan_ok=True)


def test_draws_without_an_error_are_said_to_be_unknown() -> None:
    weights = np.array([[1, 0, 1], [1, 2, 0]])
    found = metrics_of_draws([True, False], [1, 0], [0.9, 0.4], weights)
    assert np.isnan(found["failure_auroc"]).tolist() == [False, True, True]
    assert np.isnan(found["fpr_at_95_tpr"]).tolist() == [False, True, True]
    assert found["aurc"].tolist() == [0.875, 0.0, 1.0]


def test_the_most_confident_third_by_hand() -> None:
    # by confidence: critical, critical | not, not, not, critical
    confidence = [0.5, 0.9, 0.8, 0.7, 0.6, 0.4]
    critical = [False, True, True, False, False, True]
    top, rest = most_confident_third(critical, confidence, np.ones((6, 1)))
    assert (top[0], rest[0]) == (1.0, 0.25)


def test_the_third_takes_ties_together_and_may_leave_nothing() -> None:
    top, rest = most_confident_third([True, False, False, True], [0.9, 0.9, 0.9, 0.2], np.ones((4, 1)))
    assert (top[0], rest[0]) == (pytest.approx(1 / 3), 1.0)
    _, rest = most_confident_third([True, False], [0.9, 0.9], np.ones((2, 1)))
    assert np.isnan(rest[0])


def test_the_third_of_a_draw_is_that_of_its_rows() -> None:
    rng = np.random.default_rng(5)
    confidence, critical = rng.integers(0, 9, 40), rng.random(40) < 0.4
    weights = rng.multinomial(40, np.ones(40) / 40, size=25).T
    top, rest = most_confident_third(critical, confidence, weights)
    for b in range(25):
        at = np.repeat(np.arange(40), weights[:, b])
        levels = np.sort(confidence[at])[::-1]
        cut = levels[int(np.ceil(len(at) / 3)) - 1]
        above = confidence[at] >= cut
        assert top[b] == pytest.approx(critical[at][above].mean())
        assert rest[b] == pytest.approx(critical[at][~above].mean())
