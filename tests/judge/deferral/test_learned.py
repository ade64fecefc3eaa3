"""A learned score against scikit-learn's own pipeline, and the halves it is learned on."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from primum.core.check import InputError
from primum.judge.deferral.learned import halves, learn
from primum.judge.metrics.accuracy import binary_auroc


def drawn(n: int, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = {"a": rng.normal(3, 2, n), "b": rng.normal(size=n), "same": np.ones(n)}
    return scores, rng.random(n) < 1 / (1 + np.exp(0.4 * scores["a"] + scores["b"]))


def test_it_is_logistic_regression_on_standardised_scores() -> None:
    scores, bad = drawn(500)
    rule = learn(scores, ["a", "b", "same"], bad)
    columns = np.stack(list(scores.values()), axis=1)
    library = make_pipeline(StandardScaler(), LogisticRegression(C=1.0)).fit(columns, ~bad)
    assert rule(scores) == pytest.approx(library.decision_function(columns), abs=1e-3)


def test_it_ranks_new_cases_better_than_either_score() -> None:
    scores, bad = drawn(2000)
    rule = learn(scores, ["a", "b"], bad)
    new, wrong = drawn(5000, seed=1)
    areas = {name: binary_auroc(~wrong, new[name]) for name in ("a", "b")}
    assert binary_auroc(~wrong, rule(new)) > max(areas.values()) + 0.03


def test_too_few_errors_to_learn_from_are_refused() -> None:
    scores, _ = drawn(100)
    with pytest.raises(
        InputError, match="at least 5 wrong and 5 right answers to learn from, 4 and 96 arrived"
    ):
        learn(scores, ["a"], np.arange(100) < 4)


def test_halves_keep_patients_together_and_ignore_row_order() -> None:
    units = np.random.default_rng(0).integers(0, 60, 300)
    half = halves(units, 1)
    assert len(set(units[half]) & set(units[~half])) == 0
    assert len(set(units[half].tolist())) == len(set(units.tolist())) // 2
    order = np.random.default_rng(1).permutation(300)
    assert (halves(units[order], 1) == half[order]).all()
