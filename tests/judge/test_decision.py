"""Decision rules on hand-worked probabilities, and their optimality on simulated ones."""

from __future__ import annotations

import numpy as np
import pytest

from primum.core.check import InputError
from primum.judge import decision
from primum.judge.metrics import functions, harm
from tests.judge.every_metric import cost, critical

PROBS = np.array(
    [[0.5, 0.2, 0.2, 0.1], [0.1, 0.4, 0.2, 0.3], [0.25, 0.375, 0.25, 0.125], [0.7, 0.1, 0.15, 0.05]]
)


def test_critical_mass_by_hand() -> None:
    np.testing.assert_allclose(decision.critical_mass(PROBS, critical(4)), [0.3, 0.5, 0.375, 0.2])


@pytest.mark.parametrize(
    ("threshold", "answered"),
    [(0.0, [2, 3, 2, 2]), (0.375, [0, 3, 2, 0]), (0.45, [0, 3, 1, 0]), (1.1, [0, 1, 1, 0])],
)
def test_by_critical_mass_by_hand(threshold: float, answered: list[int]) -> None:
    np.testing.assert_array_equal(decision.by_critical_mass(PROBS, critical(4), threshold), answered)


def test_a_critical_class_need_not_be_critical_against_every_negative() -> None:
    cells = np.zeros((3, 3), dtype=bool)
    cells[2, 0] = True
    answered = decision.by_critical_mass([[0.1, 0.6, 0.3], [0.4, 0.3, 0.3]], cells, 0.5)
    np.testing.assert_array_equal(answered, [1, 0])
    assert functions.critical_error_rate([2, 2], answered, cells) == 0.5


@pytest.mark.parametrize("cells", [np.zeros((3, 3), dtype=bool), ~np.eye(3, dtype=bool)])
def test_without_negatives_or_critical_classes_there_is_no_mass(cells: np.ndarray) -> None:
    with pytest.raises(InputError, match="of 3 classes are critical"):
        decision.critical_mass(np.full((2, 3), 1 / 3), cells)


def test_bayes_by_hand_and_with_a_further_decision() -> None:
    costs = np.array([[0.0, 1.0, 0.3], [10.0, 0.0, 0.3]])
    np.testing.assert_array_equal(decision.bayes([[0.99, 0.01], [0.5, 0.5], [0.1, 0.9]], costs), [0, 2, 1])
    np.testing.assert_array_equal(
        decision.bayes([[0.99, 0.01], [0.5, 0.5], [0.1, 0.9]], costs[:, :2]), [0, 1, 1]
    )


def test_bayes_on_the_true_posterior_is_the_cheapest_rule() -> None:
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(4), 40_000)
    labels = (rng.random((40_000, 1)) > probs.cumsum(axis=1)).sum(axis=1)
    spent = [
        harm.expected_cost(labels, answered, cost(4))
        for answered in (
            decision.bayes(probs, cost(4)),
            decision.argmax(probs),
            *(decision.by_critical_mass(probs, critical(4), t) for t in (0.1, 0.2, 0.3, 0.5)),
        )
    ]
    assert min(spent) == spent[0]


def test_bayes_at_another_prevalence_is_the_cheapest_rule_there() -> None:
    rng = np.random.default_rng(1)
    priors, new = np.array([0.6, 0.2, 0.15, 0.05]), np.array([0.25, 0.25, 0.25, 0.25])
    labels = rng.choice(4, 40_000, p=priors)
    seen = rng.normal(size=(40_000, 4)) + np.eye(4)[labels] * 1.5
    likelihood = np.exp(1.5 * seen)
    probs = likelihood * priors
    probs /= probs.sum(axis=1, keepdims=True)
    moved = decision.reprior(probs, priors, new)
    np.testing.assert_allclose(moved, likelihood / likelihood.sum(axis=1, keepdims=True))
    there = [harm.expected_cost(labels, decision.bayes(p, cost(4)), cost(4), new) for p in (moved, probs)]
    here = [harm.expected_cost(labels, decision.bayes(p, cost(4)), cost(4), priors) for p in (moved, probs)]
    assert there[0] < there[1]
    assert here[1] < here[0]
