"""Scores of an answer by what it would do if it were wrong."""

from __future__ import annotations

import numpy as np
import pytest

from primum.judge.confidence import CONSEQUENCES, Evidence, confidences
from primum.judge.confidence.consequences import critical_mass, expected_cost

COST = np.array([[0.0, 2.0], [10.0, 0.0]])
CRITICAL = np.array([[False, False], [True, False]])
PROBS, ANSWERS = np.array([[0.7, 0.3], [0.2, 0.8]]), np.array([0, 1])


def test_by_hand() -> None:
    assert critical_mass(PROBS, ANSWERS, CRITICAL).tolist() == pytest.approx([0.7, 1.0])
    assert expected_cost(PROBS, ANSWERS, COST).tolist() == pytest.approx([-3.0, -0.4])


def test_they_need_answers_costs_and_critical_cells() -> None:
    evidence = Evidence(PROBS, decisions=ANSWERS, cost=COST, critical=CRITICAL)
    scores, missing = confidences(evidence, CONSEQUENCES)
    assert (set(scores), missing) == ({"critical_mass", "expected_cost"}, {})
    scores, missing = confidences(Evidence(PROBS, decisions=ANSWERS), CONSEQUENCES)
    assert scores == {}
    assert "--severity" in missing["critical_mass"]
    assert "--severity" in missing["expected_cost"]
