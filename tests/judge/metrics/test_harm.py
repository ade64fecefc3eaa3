"""Harm metrics on hand-worked cases and on the counts behind published figures."""

from __future__ import annotations

import numpy as np
import pytest

from primum import severity
from primum.core.check import InputError
from primum.judge import decision
from primum.judge.metrics import functions, harm

COST = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [10.0, 10.0, 0.0]])
CRITICAL = COST == 10
LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
DECISIONS = np.array([0, 0, 1, 2, 1, 0, 2, 2, 0, 1])


@pytest.mark.parametrize(("missed", "published"), [(56, 0.1824), (121, 0.3941)])
def test_published_critical_error_rates_of_isic_2018(missed: int, published: float) -> None:
    matrix = severity.read("isic2018")
    test = {"MEL": 171, "NV": 909, "BCC": 93, "AKIEC": 43, "BKL": 217, "DF": 44, "VASC": 35}
    labels = np.repeat([matrix.classes.index(name) for name in test], list(test.values()))
    decisions = labels.copy()
    fatal = np.flatnonzero(matrix.critical_classes[labels])
    assert len(fatal) == 307
    decisions[fatal[:missed]] = matrix.classes.index("NV")
    assert functions.critical_error_rate(labels, decisions, matrix.critical) == pytest.approx(
        published, abs=5e-5
    )


def test_by_hand() -> None:
    assert functions.critical_error_rate(LABELS, DECISIONS, CRITICAL) == 2 / 4
    assert functions.critical_errors(LABELS, DECISIONS, CRITICAL) == 2
    assert functions.specificity(LABELS, DECISIONS, CRITICAL) == 5 / 6
    assert harm.expected_cost(LABELS, DECISIONS, COST) == pytest.approx((1 + 2 + 1 + 10 + 10) / 10)
    # constants cost: always 0: (2·1 + 4·10)/10; always 1: (4·1 + 4·10)/10; always 2: 6·2/10
    assert harm.normalized_expected_cost(LABELS, DECISIONS, COST) == pytest.approx(2.4 / 1.2)


def test_deployment_priors_by_hand() -> None:
    # class rates: 0 → (1 + 2)/4, 1 → 1/2, 2 → 20/4
    priors = np.array([0.7, 0.2, 0.1])
    expected = 0.7 * 3 / 4 + 0.2 * 1 / 2 + 0.1 * 5
    assert harm.expected_cost(LABELS, DECISIONS, COST, priors) == pytest.approx(expected)
    constant = min(0.2 * 1 + 0.1 * 10, 0.7 * 1 + 0.1 * 10, 0.9 * 2)
    assert harm.normalized_expected_cost(LABELS, DECISIONS, COST, priors) == pytest.approx(
        expected / constant
    )


def test_always_answering_critical_games_the_rate_but_not_the_cost() -> None:
    always = np.full(10, 2)
    assert functions.critical_error_rate(LABELS, always, CRITICAL) == 0
    assert functions.specificity(LABELS, always, CRITICAL) == 0
    assert harm.normalized_expected_cost(LABELS, always, COST) == pytest.approx(1)


def test_silent_counts_only_confident_critical_errors() -> None:
    confidence = np.array([0, 0, 0, 0, 0, 0, 0.9, 0.9, 0.8, 0.4])
    assert functions.silent_critical_rate(LABELS, DECISIONS, confidence, CRITICAL, 0.8) == 1 / 4
    assert functions.silent_critical_rate(LABELS, DECISIONS, confidence, CRITICAL, 0.81) == 0


def test_refused_without_critical_or_negative_cases() -> None:
    negatives = LABELS < 2
    with pytest.raises(InputError, match="critical class"):
        functions.critical_error_rate(LABELS[negatives], DECISIONS[negatives], CRITICAL)
    with pytest.raises(InputError, match="not critical"):
        functions.specificity(LABELS[~negatives], DECISIONS[~negatives], CRITICAL)


def test_predictive_values_and_net_benefit_by_hand() -> None:
    ppv, npv = harm.predictive_values(0.9, 0.8, 0.1)
    assert ppv == pytest.approx(0.09 / (0.09 + 0.18))
    assert npv == pytest.approx(0.72 / (0.72 + 0.01))
    # 90 of 1,000 true positives, 180 false positives, a miss worth 5 false alarms: t = 1/6
    assert harm.net_benefit(0.9, 0.8, 0.1, 1 / 6) == pytest.approx(0.09 - 0.18 / 5)


def test_bayes_decision_is_the_cheapest_for_each_case() -> None:
    probs = np.random.default_rng(0).dirichlet(np.ones(3), 200)
    for p, decided in zip(probs, decision.bayes(probs, COST), strict=True):
        spent = [sum(p[i] * COST[i, d] for i in range(3)) for d in range(3)]
        assert spent[decided] == pytest.approx(min(spent))


def test_reprior_is_bayes_rule() -> None:
    rng = np.random.default_rng(1)
    likelihood = rng.random((50, 3))
    old, new = np.array([0.5, 0.3, 0.2]), np.array([0.8, 0.15, 0.05])
    posterior = likelihood * old / (likelihood * old).sum(axis=1, keepdims=True)
    expected = likelihood * new / (likelihood * new).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(decision.reprior(posterior, old, new), expected)
