"""What instability adds to confidence: against scikit-learn, and by simulation under null and alternative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import kstest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from primum.judge.answers import Answers, View
from primum.judge.explanation import beyond
from primum.judge.explanation.beyond import Beyond
from primum.judge.statistics import spline
from primum.judge.statistics.interval import Resampler


def cases(n: int, effect: float, seed: int, per_patient: int = 1) -> tuple[Any, ...]:
    """Errors whose chance is 1 − confidence, moved by ``effect`` per unit of instability; instability goes
    with confidence, so the null is not independence."""
    rng = np.random.default_rng(seed)
    patients = np.arange(n) // per_patient
    share = 0.7 if per_patient > 1 else 0.0
    own, common = rng.normal(size=n), rng.normal(size=n)[patients]
    sure = 1.0 + 1.2 * rng.normal(size=n)[patients]
    shaky = -0.5 * sure + np.sqrt(1 - share) * own + np.sqrt(share) * common
    noise = 1.5 * rng.normal(size=n)[patients] if per_patient > 1 else 0.0
    wrong = rng.random(n) < expit(-sure + effect * shaky + noise)
    return wrong, expit(sure), shaky, patients


def compare(n: int, effect: float, seed: int, per_patient: int = 1, replicates: int = 2) -> Beyond:
    wrong, confidence, shaky, patients = cases(n, effect, seed, per_patient)
    clusters = patients if per_patient > 1 else None
    found = beyond.beyond(wrong, confidence, shaky, Resampler(patients, replicates, seed), clusters, seed)
    assert isinstance(found, Beyond), found
    return found


def test_models_and_p_are_those_of_scikit_learn() -> None:
    wrong, confidence, shaky, patients = cases(600, 0.4, 1)
    found = beyond.beyond(wrong, confidence, shaky, Resampler(patients, 2, 0))
    assert isinstance(found, Beyond)
    sure = logit(confidence)
    bends = spline.natural(sure, spline.knots(sure))
    columns = np.column_stack([bends / bends.std(axis=0), (shaky - shaky.mean()) / shaky.std()])
    losses = []
    for width in (4, 5):
        peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(columns[:, :width], wrong)
        losses.append(log_loss(wrong, peer.predict_proba(columns[:, :width]), normalize=False))
    from scipy.stats import chi2

    assert found.p == pytest.approx(chi2.sf(2 * (losses[0] - losses[1]), 1), rel=1e-4)
    assert found.odds_ratio == pytest.approx(np.exp(peer.coef_[0, -1]), rel=1e-4)
    assert found.errors == wrong.sum()
    assert found.design_effect == 1


def test_p_is_uniform_where_instability_adds_nothing() -> None:
    p = [compare(300, 0.0, seed).p for seed in range(150)]
    assert kstest(p, "uniform").pvalue > 0.01


def test_errors_that_no_confidence_rules_out_are_no_news_in_instability() -> None:
    rng, below = np.random.default_rng(0), 0
    for seed in range(60):
        depth = np.abs(rng.normal(0, 4, 600))
        shaky = np.exp(-depth / 2) + 0.2 * rng.normal(size=600)
        wrong = rng.random(600) < np.maximum(0.12, 0.5 * np.exp(-depth))
        found = beyond.beyond(wrong, expit(depth), shaky, Resampler(np.arange(600), 2, seed))
        assert isinstance(found, Beyond)
        below += found.p < 0.05
    # a straight line of logit confidence rejects 30 of 60
    assert below <= 8


def test_p_of_alike_patients_is_not_too_small() -> None:
    found = [compare(400, 0.0, seed, per_patient=4) for seed in range(150)]
    assert np.mean([one.design_effect for one in found]) > 1.5
    assert np.mean([one.p < 0.05 for one in found]) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)


def test_a_real_effect_is_found_and_its_gain_is_above_zero() -> None:
    found = compare(1500, 1.0, 3, replicates=300)
    assert found.p < 1e-6
    assert found.odds_ratio > 1.5
    assert np.quantile(found.replicates, 0.025) > 0
    assert found.gain == pytest.approx(found.auroc[1] - found.auroc[0])


def test_the_gain_of_nothing_is_not_flattered() -> None:
    gains = [compare(200, 0.0, seed).gain for seed in range(60)]
    assert np.mean(gains) < 3 * np.std(gains) / np.sqrt(60)


def test_replicates_are_aurocs_of_resampled_cases() -> None:
    rng = np.random.default_rng(0)
    wrong, score = rng.random(80) < 0.4, np.round(rng.normal(size=80), 1)  # with ties
    resampler = Resampler(np.arange(80), 20, 0)
    weights = resampler.weights[:, resampler.block]
    expected = [roc_auc_score(wrong, score, sample_weight=weight) for weight in weights]
    np.testing.assert_allclose(beyond._weighted_auroc(wrong, score, resampler), expected, atol=1e-12)


def test_what_cannot_be_said_is_said_in_a_sentence() -> None:
    rng = np.random.default_rng(0)
    confidence, shaky, units = rng.random(100), rng.random(100), Resampler(np.arange(100), 2, 0)

    def why(wrong: Any, sure: Any, unstable: Any) -> str:
        found = beyond.beyond(wrong, sure, unstable, units)
        assert isinstance(found, str)
        return found

    assert "9 errors" in why(np.arange(100) < 9, confidence, shaky)
    assert "4 right answers" in why(np.arange(100) < 96, confidence, shaky)
    assert "instability is the same" in why(confidence < 0.5, confidence, np.ones(100))
    assert "confidence is the same" in why(shaky < 0.5, np.ones(100), shaky)
    assert "confidence alone separates" in why(confidence < 0.5, confidence, shaky)
    assert "together separate" in why(shaky > 0.5, confidence, shaky)
    noisy = rng.random(100) < 0.5
    assert "curve of the logit" in why(noisy, confidence, -2 * logit(confidence))
    sure = (logit(confidence) - logit(confidence).mean()) / logit(confidence).std()
    bent = spline.natural(sure, spline.knots(sure)) @ np.array([1.0, 2.0, -1.0, 3.0])
    assert "curve of the logit" in why(noisy, confidence, bent)


def test_every_stability_score_is_measured_with_its_reason() -> None:
    wrong, confidence, shaky, _ = cases(300, 1.0, 5)
    labels = np.zeros(300, dtype=np.int64)
    probs = np.column_stack([confidence, 1 - confidence])
    scores = {"msr": confidence, "stability_spearman": -shaky, "stability_ssim": np.ones(300)}
    answers = Answers("argmax", wrong.astype(np.int64), "none", scores, {})
    view = View(labels, {"none": probs}, {}, None, np.arange(300), None, None, None, 50, 0)
    first, second = beyond.measure(view, answers)
    assert (first.code, first.basis.score, first.n) == ("instability_auroc_gain", "stability_spearman", 300)
    assert "likelihood-ratio p = " in first.why
    assert "Holm" in first.why
    assert first.estimate(view).low <= first.value <= first.estimate(view).high
    assert second.why_not == "the instability is the same for every case"
