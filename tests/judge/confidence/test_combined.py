"""The learned combination against scikit-learn, its calibration, and when it is not learned."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from primum.core.check import InputError
from primum.judge.confidence.combined import learn
from primum.judge.metrics import accuracy


def made(n: int, seed: int = 0, second: float = 0.8) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Scores of which msr and mahalanobis tell right from wrong, and knn does not."""
    rng = np.random.default_rng(seed)
    sure, near, noise = rng.normal(size=(3, n))
    right = rng.random(n) < expit(1.2 + sure + second * near)
    return {"msr": expit(1 + sure), "mahalanobis": -50 + 20 * near, "knn": noise}, right


def test_it_is_the_regression_of_scikit_learn() -> None:
    scores, right = made(2000)
    found = learn(scores, right)
    assert found.log_odds.scores == ("msr", "mahalanobis", "knn")
    columns = np.stack([logit(scores["msr"]), scores["mahalanobis"], scores["knn"]], axis=1)
    standard = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    used = standard[:, : 3 if found.log_odds.weight[2] else 2]
    theirs = LogisticRegression(C=1.0, tol=1e-9, max_iter=1000).fit(used, right)
    np.testing.assert_allclose(found.log_odds.weight[: used.shape[1]], theirs.coef_[0], rtol=1e-4)
    np.testing.assert_allclose(found(scores), theirs.predict_proba(used)[:, 1], atol=1e-5)


def test_no_weight_is_below_nothing() -> None:
    scores, right = made(2000, second=-0.8)
    found = learn(scores, right)
    assert found.log_odds.weight[1] == 0
    assert min(found.log_odds.weight) >= 0


def test_it_is_calibrated_and_better_on_rows_it_has_not_seen() -> None:
    found = learn(*made(4000))
    scores, right = made(20_000, seed=1)
    chance = found(scores)
    assert chance.mean() == pytest.approx(right.mean(), abs=0.02)
    for low in (0.3, 0.5, 0.7, 0.9):
        inside = (chance > low) & (chance < low + 0.1)
        assert right[inside].mean() == pytest.approx(chance[inside].mean(), abs=0.04)
    assert accuracy.binary_auroc(right, chance) > accuracy.binary_auroc(right, scores["msr"]) + 0.02


def test_few_errors_learn_from_few_scores() -> None:
    scores, _ = made(300)
    right = np.ones(300, bool)
    right[:12] = False
    assert learn(scores, right).log_odds.scores == ("msr", "mahalanobis")


@pytest.mark.parametrize(("n", "wrong"), [(49, 20), (200, 9), (200, 195)])
def test_too_little_to_learn_from(n: int, wrong: int) -> None:
    scores, _ = made(n)
    with pytest.raises(InputError, match="at least 50 fit rows with 10 wrong and 10 right"):
        learn(scores, np.arange(n) >= wrong)


def test_without_a_score_there_is_nothing_to_learn_from() -> None:
    with pytest.raises(InputError, match="is needed to learn from"):
        learn({"vendor": np.arange(100.0)}, np.arange(100) > 30)


def test_a_constant_score_has_no_say() -> None:
    scores, right = made(500)
    found = learn(scores | {"mahalanobis": np.ones(500)}, right)
    assert found.log_odds.weight[1] == 0
