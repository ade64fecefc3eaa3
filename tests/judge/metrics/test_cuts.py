"""Risk at a coverage and false positives at a sensitivity, by hand and with ties."""

from __future__ import annotations

import numpy as np
import pytest

from primum.core.check import InputError
from primum.judge.metrics import cuts, selective

SCORE = np.array([0.9, 0.8, 0.8, 0.7, 0.6, 0.6, 0.6, 0.5, 0.4, 0.3])
WRONG = np.array([0, 1, 0, 0, 1, 1, 0, 0, 1, 0], dtype=bool)


def test_risk_at_coverage_by_hand() -> None:
    assert cuts.risk_with_influence(WRONG, selective.rank(SCORE), 0.8)[0] == pytest.approx(3 / 8)
    assert cuts.risk_with_influence(WRONG, selective.rank(SCORE), 0.2)[0] == pytest.approx(1 / 3), (
        "the tie at 0.8 enters whole"
    )
    assert cuts.risk_with_influence(WRONG, selective.rank(SCORE), 0.5)[0] == pytest.approx(3 / 7)
    assert cuts.risk_with_influence(WRONG, selective.rank(SCORE), 1.0)[0] == pytest.approx(0.4)


def test_false_positives_by_hand() -> None:
    assert cuts.fpr_with_influence(WRONG, selective.rank(SCORE), 0.5)[0] == pytest.approx(1 / 4), (
        "three of six right, one of four wrong"
    )
    assert cuts.fpr_with_influence(WRONG, selective.rank(SCORE), 0.6)[0] == pytest.approx(3 / 4), (
        "the tie at 0.6 enters whole"
    )
    assert cuts.fpr_with_influence(WRONG, selective.rank(SCORE), 0.95)[0] == 1
    assert cuts.fpr_with_influence(WRONG, selective.rank(-WRONG.astype(float)))[0] == 0


def test_a_constant_score_accepts_everything() -> None:
    assert cuts.risk_with_influence(WRONG, selective.rank(np.ones(10)))[0] == pytest.approx(0.4)
    assert cuts.fpr_with_influence(WRONG, selective.rank(np.ones(10)))[0] == 1


@pytest.mark.parametrize("wrong", [np.zeros(5, bool), np.ones(5, bool)])
def test_a_false_positive_rate_needs_both(wrong: np.ndarray) -> None:
    with pytest.raises(InputError, match="right and wrong"):
        cuts.fpr_with_influence(wrong, selective.rank(np.arange(5)))[0]


@pytest.mark.parametrize("levels", [3, 30, 1000])
def test_influences_sum_to_nothing(levels: int) -> None:
    rng = np.random.default_rng(levels)
    score, wrong = rng.integers(0, levels, 600) / levels, rng.random(600) < 0.2
    ranking = selective.rank(score)
    for value, influence in (
        cuts.risk_with_influence(wrong, ranking),
        cuts.fpr_with_influence(wrong, ranking),
    ):
        assert 0 < value <= 1
        assert influence.sum() == pytest.approx(0, abs=1e-9)
