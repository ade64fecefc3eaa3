"""Analytic and block intervals against the plain bootstrap of cases at N = 10⁴."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from primum.judge import confidence
from primum.judge.metrics import accuracy, calibration, cuts, excess, functions, harm, selective
from primum.judge.metrics.confusion import count_pairs
from primum.judge.statistics import interval, shares
from primum.judge.statistics.interval import Resampler
from tests.judge.every_metric import cost

N, K, DRAWS = 10_000, 4, 250


def cases(clustered: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities and patients; with ``clustered`` five alike cases per patient."""
    rng = np.random.default_rng(7)
    patients = np.arange(N) // 5 if clustered else np.arange(N)
    labels = rng.integers(0, K, N)[patients]
    noise = rng.normal(size=(N, K))[patients] + 0.4 * rng.normal(size=(N, K))
    logits = noise * 1.5
    logits[np.arange(N), labels] += 1.5
    return labels, softmax(logits, axis=1), patients


def plain_bootstrap(metric: Callable[[np.ndarray], float], patients: np.ndarray) -> float:
    """Standard deviation of a metric over ordinary resamples of whole patients."""
    rng = np.random.default_rng(0)
    rows = np.split(np.argsort(patients, kind="stable"), np.cumsum(np.bincount(patients))[:-1])
    draws = [
        metric(np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])) for _ in range(DRAWS)
    ]
    return float(np.std(draws))


def influences(labels: np.ndarray, probs: np.ndarray) -> dict[str, tuple[Any, Callable[[np.ndarray], float]]]:
    decisions = probs.argmax(axis=1)
    wrong = decisions != labels
    score, spent = confidence.msr(probs), cost(K)[labels, decisions]
    ranking = selective.rank(score)
    found = {}
    for prefix, residual in (("", wrong.astype(float)), ("cost_", spent)):
        curve = selective.risk_coverage(residual, ranking)
        aurc, augrc = selective.influence(curve, residual, ranking)
        found[f"{prefix}aurc"] = (
            aurc,
            lambda rows, r=residual: selective.risk_coverage(r[rows], selective.rank(score[rows])).aurc,
        )
        found[f"{prefix}augrc"] = (
            augrc,
            lambda rows, r=residual: selective.risk_coverage(r[rows], selective.rank(score[rows])).augrc,
        )
        if not prefix:
            above = excess.influences(aurc, augrc, wrong)
            found["e_aurc"] = (
                above[0],
                lambda rows: functions.e_aurc(labels[rows], decisions[rows], score[rows]),
            )
            found["e_augrc"] = (
                above[1],
                lambda rows: functions.e_augrc(labels[rows], decisions[rows], score[rows]),
            )
    for name, at in (("", score), ("tied_", np.round(score, 1))):
        ranked = selective.rank(at)
        found[f"{name}risk_at_80_coverage"] = (
            cuts.risk_with_influence(wrong, ranked)[1],
            lambda rows, at=at: cuts.risk_with_influence(wrong[rows], selective.rank(at[rows]))[0],
        )
        found[f"{name}fpr_at_95_tpr"] = (
            cuts.fpr_with_influence(wrong, ranked)[1],
            lambda rows, at=at: cuts.fpr_with_influence(wrong[rows], selective.rank(at[rows]))[0],
        )
    found["expected_cost"] = (
        harm.expected_cost_influence(labels, decisions, cost(K)),
        lambda rows: harm.expected_cost(labels[rows], decisions[rows], cost(K)),
    )
    priors = np.array([0.5, 0.3, 0.15, 0.05])
    found["normalized_expected_cost"] = (
        harm.normalized_expected_cost_influence(labels, decisions, cost(K), priors),
        lambda rows: harm.normalized_expected_cost(labels[rows], decisions[rows], cost(K), priors),
    )
    losses = calibration.brier_losses(labels, probs)
    found["brier"] = (losses - losses.mean(), lambda rows: losses[rows].mean())
    nll = calibration.nll_losses(labels, probs)[0]
    found["nll"] = (nll - nll.mean(), lambda rows: nll[rows].mean())
    found["auroc"] = (
        accuracy.auroc_with_influence(labels, probs)[1],
        lambda rows: functions.auroc(labels[rows], probs[rows]),
    )
    found["failure_auroc"] = (
        accuracy.auroc_of_ranking(~wrong, selective.rank(score))[1],
        lambda rows: roc_auc_score(~wrong[rows], score[rows]),
    )
    return found


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "expected_cost",
        "normalized_expected_cost",
        "aurc",
        "augrc",
        "cost_aurc",
        "cost_augrc",
        "e_aurc",
        "e_augrc",
        "risk_at_80_coverage",
        "fpr_at_95_tpr",
        "tied_risk_at_80_coverage",
        "tied_fpr_at_95_tpr",
        "brier",
        "nll",
        "auroc",
        "failure_auroc",
    ],
)
def test_influence_equals_the_bootstrap(name: str, clustered: bool) -> None:
    labels, probs, patients = cases(clustered)
    influence, metric = influences(labels, probs)[name]
    assert influence.sum() == pytest.approx(0, abs=1e-6 * N)
    analytic = interval.influence_error(influence, patients if clustered else None)
    # the standard deviation of 250 draws is itself known to about 4.5 %
    assert analytic == pytest.approx(plain_bootstrap(metric, patients), rel=0.15)


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1", "expected_cost", "ece"])
def test_blocks_equal_the_bootstrap(name: str, clustered: bool) -> None:
    labels, probs, patients = cases(clustered)
    decisions = probs.argmax(axis=1)
    resampler = Resampler(patients, 1000, 0)
    metrics: dict[str, Callable[[np.ndarray], float]] = {
        "balanced_accuracy": lambda rows: functions.balanced_accuracy(labels[rows], decisions[rows]),
        "macro_f1": lambda rows: functions.macro_f1(labels[rows], decisions[rows]),
        "expected_cost": lambda rows: harm.expected_cost(labels[rows], decisions[rows], cost(K)),
        "ece": lambda rows: calibration.ece(labels[rows], probs[rows]),
    }
    if name == "ece":
        draws = calibration.calibration_errors(labels, probs, resampler, 0).replicates["ece"]
    else:
        counts = count_pairs(labels, decisions, K, resampler)
        assert counts.totals.sum(axis=1).mean() == pytest.approx(N, rel=0.005)
        draws = {
            "balanced_accuracy": accuracy.balanced_accuracy_of,
            "macro_f1": accuracy.macro_f1_of,
            "expected_cost": lambda c: harm.expected_cost_of(c, cost(K)),
        }[name](counts)
    assert np.std(draws) == pytest.approx(plain_bootstrap(metrics[name], patients), rel=0.15)


def test_up_to_5000_patients_the_blocks_are_the_patients() -> None:
    resampler = Resampler(np.repeat(np.arange(40), 3), 500, 0)
    assert resampler.blocks == 40
    assert (resampler.weights.sum(axis=1) == 40).all()
    sums = resampler.sums(np.zeros(120, dtype=np.int64), 1)
    assert (sums == 120).all()


def test_sparse_and_dense_sums_agree() -> None:
    rng = np.random.default_rng(0)
    resampler = Resampler(np.arange(5000), 100, 0)
    bins, values = rng.integers(0, 2000, 5000), rng.random(5000)
    sparse = resampler.sums(bins, 2000, values)
    some = np.unique(bins)[:5]
    for b in some:
        dense = resampler.sums((bins == b).astype(np.int64), 2, values)[:, 1]
        np.testing.assert_allclose(sparse[:, b], dense, rtol=1e-4, atol=1e-5)


def test_design_effect_by_hand() -> None:
    # two patients of two cases: residual sums 2·(1 − .5) and −1, variance 2/1·(1 + 1), against 4·.25
    assert shares.design_effect(np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1])) == pytest.approx(4.0)
    assert shares.design_effect(np.zeros(6), np.repeat([0, 1, 2], 2)) == 2
    assert shares.design_effect(np.array([1, 0, 1, 0]), None) == 1
    assert shares.design_effect(np.array([1, 0, 1, 0]), np.array([0, 0, 1, 1])) == 1


def test_one_error_is_never_a_tighter_bound_than_none() -> None:
    patients = np.repeat(np.arange(100), 10)
    bounds = []
    for errors in range(4):
        hits = np.zeros(1000, dtype=bool)
        hits[np.arange(errors) * 10] = True  # of different patients, which share so little
        found = shares.share(hits, patients)
        bounds.append(found.high)
        mirrored = shares.share(~hits, patients)
        assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low))
        assert found.tails(found.high * 1.001)[0] < 0.05 < found.tails(found.high * 0.999)[0]
    # after no error in 100 patients at least 1 − 0.025^(1/100) = 3.6 %, whatever the number of their images
    assert bounds[0] == pytest.approx(1 - 0.025 ** (1 / 100))
    assert bounds == sorted(bounds)


def test_few_patients_tell_a_design_effect_badly() -> None:
    # four patients of ten cases: 8, 6, 4 and 2 hits; n_eff = 40 / 1.84 and (t39 / t3)² = 0.404
    hits = (np.arange(10) < np.array([8, 6, 4, 2])[:, None]).ravel()
    patients = np.repeat(np.arange(4), 10)
    effect = 4 / 3 * (9 + 1 + 1 + 9) / (40 * 0.25)
    assert shares.design_effect(hits, patients) == pytest.approx(effect)
    size = 40 / effect * (2.0226909 / 3.1824463) ** 2
    found, exact = shares.share(hits, patients), shares.proportion(0.5 * size, size)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_an_interval_of_few_patients_is_students() -> None:
    influence = np.array([3.0, -1.0, -1.0, -1.0]) * 2
    error = interval.influence_error(influence, np.arange(4))
    assert error == pytest.approx(4 / 3 * np.sqrt(36 + 3 * 4) / 4)
    found = interval.normal(5.0, 1.0, 40, 3)
    assert (found.low, found.high) == pytest.approx((5 - 3.1824463, 5 + 3.1824463))
    assert interval.normal(5.0, 1.0, 40, 1).high == pytest.approx(5 + 12.7062047)
    assert interval.normal(0.1, 1.0, 40, 1, scale="log", bounds=(0, 2)).high == 2
    # sums 6, −2, −2, −2: (36 + 12)² / (1296 + 48) = 1.714 carry it evenly, half as many again 2.571
    assert interval.freedom(influence, np.arange(4)) == pytest.approx(1.5 * 48**2 / 1344)
    assert interval.freedom(np.array([1.0, -1.0] * 50), None) == 99
    assert interval.carriers(np.array([0, 1.0, 2.0, 0]), np.array([0, 1, 1, 2])) == 1
    draws = np.random.default_rng(0).normal(0.5, 0.01, 5_000)
    few, many = (interval.from_replicates(0.5, draws, 100, units, bounds=(0, 1)) for units in (4, 10_000))
    assert (few.high - 0.5) / (many.high - 0.5) == pytest.approx(3.1824463 * np.sqrt(4 / 3) / 1.96, rel=0.05)


def test_a_share_never_has_an_interval_of_no_width() -> None:
    for hits in (0, 12):
        found = shares.proportion(hits / 1.7, 12 / 1.7)
        assert found.low < found.high


@pytest.mark.parametrize("scale", ["plain", "log", "logit"])
def test_tails_agree_with_the_interval(scale: str) -> None:
    found = interval.normal(0.2, 0.03, 100, 99, scale=scale)
    for limit, side in ((found.high * 1.001, 0), (found.low * 0.999, 1)):
        assert found.tails(limit)[side] < 0.05
    for limit, side in ((found.high * 0.999, 0), (found.low * 1.001, 1)):
        assert found.tails(limit)[side] > 0.05


def test_tails_of_replicates_agree_with_the_interval() -> None:
    draws = np.random.default_rng(0).normal(1, 0.1, 4000)
    found = interval.from_replicates(1.0, draws, 100, 100)
    assert found.tails(found.high + 0.02)[0] < 0.05 < found.tails(found.high - 0.02)[0]
    assert found.tails(found.low - 0.02)[1] < 0.05 < found.tails(found.low + 0.02)[1]


def test_nothing_seen_is_not_nothing_there() -> None:
    found = shares.unmoved(0.0, 30, (0.0, 10.0))
    assert (found.low, found.high) == (0, pytest.approx(10 * shares.proportion(0, 30).high))
    assert "30 cases" in found.note
    # a cost of 0 in 1,000 images of 50 patients: 10 · (1 − 0.025^(1/50))
    of_patients = shares.unmoved(0.0, 1000, (0.0, 10.0), 50, "patients")
    assert of_patients.high == pytest.approx(0.711, abs=5e-4)
    assert "50 patients" in of_patients.note
