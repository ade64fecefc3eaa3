"""Thresholds and matched specificity against scikit-learn, by hand, and against the plain bootstrap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from primum.auditing.preparation import operating_of
from primum.core.check import InputError
from primum.judge import decision
from primum.judge.answers import Operating, View
from primum.judge.metrics import functions, operating
from primum.judge.metrics.measure_operating import measure_operating_points
from primum.judge.statistics.interval import Resampler
from tests.judge.every_metric import cost, critical
from tests.judge.test_properties import cases

SCORE = np.array([0.9, 0.8, 0.8, 0.7, 0.6, 0.6, 0.4, 0.3, 0.2, 0.1])
FATAL = np.array([1, 1, 0, 1, 0, 0, 1, 0, 0, 0], dtype=bool)  # negatives .8 .6 .6 .3 .2 .1


@pytest.mark.parametrize(
    ("wanted", "threshold", "reached"),
    [
        (1 / 6, 0.2, 1 / 6),
        (0.5, 0.4, 3 / 6),
        (0.51, 0.7, 5 / 6),
        (0.8, 0.7, 5 / 6),
        (0.9, 0.9, 1.0),
        (1.0, 0.9, 1.0),
    ],
)
def test_threshold_at_specificity_by_hand(wanted: float, threshold: float, reached: float) -> None:
    found = operating.threshold_at_specificity(SCORE, FATAL, wanted)
    assert found == threshold
    assert (SCORE[~FATAL] < found).mean() == pytest.approx(reached)


@pytest.mark.parametrize(
    ("wanted", "threshold"), [(0.25, 0.9), (0.26, 0.8), (0.75, 0.7), (0.8, 0.4), (1.0, 0.4)]
)
def test_threshold_at_sensitivity_by_hand(wanted: float, threshold: float) -> None:
    assert operating.threshold_at_sensitivity(SCORE, FATAL, wanted) == threshold


def test_equal_scores_reach_a_specificity_only_by_calling_nothing_critical() -> None:
    assert operating.threshold_at_specificity(np.ones(6), np.arange(6) < 2, 0.1) == np.inf
    assert operating.threshold_at_sensitivity(np.ones(6), np.arange(6) < 2, 0.1) == 1


@given(seed=st.integers(0, 10_000), wanted=st.floats(0.01, 1), digits=st.integers(0, 3))
def test_a_threshold_reaches_what_is_wanted_and_the_next_one_does_not(
    seed: int, wanted: float, digits: int
) -> None:
    rng = np.random.default_rng(seed)
    score, fatal = np.round(rng.random(40), digits), np.arange(40) < 12
    at = operating.threshold_at_specificity(score, fatal, wanted)
    assert (score[~fatal] < at).mean() >= wanted - 1e-9
    lower = score[score < at]
    assert len(lower) == 0 or (score[~fatal] < lower.max()).mean() < wanted
    at = operating.threshold_at_sensitivity(score, fatal, wanted)
    assert (score[fatal] >= at).mean() >= wanted - 1e-9
    higher = score[score > at]
    assert len(higher) == 0 or (score[fatal] >= higher.min()).mean() < wanted


def test_missed_at_specificity_by_hand() -> None:
    # one alarm of six is allowed at 5/6: found .9 and half of the tie at .8 up to it, then .8 and .7 in full
    missed = operating.missed_at_specificity(SCORE, FATAL, (5 / 6, 1.0, 11 / 12))
    np.testing.assert_allclose(missed, [1 / 4, 3 / 4, 1 - (1 + 0.5) / 4])
    # a score that knows nothing misses what it must let through
    np.testing.assert_allclose(operating.missed_at_specificity(np.ones(10), FATAL, (0.8,)), [0.8])


@pytest.mark.parametrize("digits", [12, 1, 0])
@pytest.mark.parametrize("n", [30, 2_000])
def test_missed_at_specificity_is_scikit_learns_roc_curve(n: int, digits: int) -> None:
    rng = np.random.default_rng(n + digits)
    fatal = rng.random(n) < 0.3
    score = np.round(rng.normal(size=n) + fatal, digits)
    false_alarms, sensitivity, _ = roc_curve(fatal, score, drop_intermediate=False)
    for specificity in (0.6, 0.7, 0.8, 0.9, 0.95, 1.0):
        expected = 1 - np.interp(1 - specificity + 1e-12, false_alarms, sensitivity)
        assert operating.missed_at_specificity(score, fatal, (specificity,))[0] == pytest.approx(
            expected, abs=1e-6
        )


@pytest.mark.parametrize("kind", ["distinct", "ties", "half of them equal"])
@pytest.mark.parametrize(("n", "patients"), [(60, 60), (700, 175), (4_000, 4_000)])
def test_replicates_are_the_roc_curves_of_the_weighted_cases(n: int, patients: int, kind: str) -> None:
    rng = np.random.default_rng(n)
    fatal = rng.random(n) < 0.3
    score = rng.normal(size=n) + fatal
    score = {"distinct": score, "ties": np.round(score), "half of them equal": np.maximum(score, 0)}[kind]
    resampler = Resampler(np.arange(n) % patients, 40, 0)
    draws = operating.replicated_missed_at_specificity(score, fatal, (0.7, 0.9), resampler)
    for weights, draw in zip(resampler.weights[:, resampler.block], draws, strict=True):
        curve = roc_curve(fatal, score, sample_weight=weights, drop_intermediate=False)
        expected = [1 - np.interp(alarms + 1e-9, *curve[:2]) for alarms in (0.3, 0.1)]
        np.testing.assert_allclose(draw, expected, atol=1e-6)


def test_the_share_of_critical_cases_in_the_table_does_not_matter() -> None:
    labels, probs = cases(400, 4, 2)
    keep = (labels < 2) | (np.arange(400) % 2 == 0)
    more = np.r_[np.flatnonzero(keep), np.flatnonzero(keep & (labels < 2))]
    for specificity in operating.SPECIFICITIES:
        first, second = (
            functions.cer_at_specificity(labels[rows], probs[rows], critical(4), specificity)
            for rows in (keep, more)
        )
        assert first == pytest.approx(second)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: operating.threshold_at_specificity(SCORE, FATAL, 0), "above 0 and up to 1"),
        (lambda: operating.threshold_at_sensitivity(SCORE, FATAL, 1.2), "above 0 and up to 1"),
        (lambda: operating.threshold_at_specificity(SCORE, np.ones(10), 0.8), "not critical"),
        (lambda: operating.threshold_at_sensitivity(SCORE, np.zeros(10), 0.8), "critical class"),
        (lambda: operating.missed_at_specificity(SCORE, np.ones(10), (0.8,)), "10 of 10"),
        (lambda: operating.missed_at_specificity(SCORE, FATAL[:4], (0.8,)), "one shape"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(call: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        call()  # type: ignore[operator]


def view(labels: np.ndarray, probs: np.ndarray, operating: Operating | None) -> View:
    n, k = probs.shape
    return View(
        labels, {"none": probs}, {}, None, np.arange(n), cost(k), critical(k), None, 200, 0, operating
    )  # fmt: skip


def test_the_fitted_threshold_is_applied_to_other_rows() -> None:
    labels, probs = cases(900, 4, 1)
    fitted = operating_of(labels[:400], probs[:400], "none", critical(4))
    assert list(fitted.threshold) == [0.7, 0.8, 0.9]
    judged = view(labels[400:], probs[400:], fitted)
    found = {m.key: m for m in measure_operating_points(judged)}
    for percent, threshold in (
        (70, fitted.threshold[0.7]),
        (80, fitted.threshold[0.8]),
        (90, fitted.threshold[0.9]),
    ):
        answered = decision.by_critical_mass(probs[400:], critical(4), threshold)
        for code, metric in (
            ("cer_at_specificity", functions.critical_error_rate),
            ("specificity_reached", functions.specificity),
        ):
            measured = found[(f"{code}_{percent}", "operating", None, "none")]
            assert measured.value == pytest.approx(metric(labels[400:], answered, critical(4)))
            assert measured.estimate(judged).low < measured.value < measured.estimate(judged).high
        reached = found[(f"specificity_reached_{percent}", "operating", None, "none")]
        assert reached.value == pytest.approx(percent / 100, abs=0.08)
        said = found[(f"cer_at_specificity_{percent}", "operating", None, "none")].why
        assert f"{reached.value:.1%}" in said
        read = found[(f"cer_at_specificity_{percent}", None, None, "none")]
        assert read.value == functions.cer_at_specificity(
            labels[400:], probs[400:], critical(4), percent / 100
        )


def test_on_the_rows_it_was_fitted_on_it_reaches_the_least_specificity_that_is_enough() -> None:
    labels, probs = cases(500, 4, 3)
    judged = view(labels, probs, operating_of(labels, probs, "none", critical(4)))
    found = {(m.code, m.basis.decision): m.value for m in measure_operating_points(judged)}
    for percent in (70, 80, 90):
        reached = found[(f"specificity_reached_{percent}", "operating")]
        assert percent / 100 <= reached < percent / 100 + 1 / (labels < 2).sum()
        # between two thresholds the straight line lies at most one negative away
        assert found[(f"cer_at_specificity_{percent}", "operating")] == pytest.approx(
            found[(f"cer_at_specificity_{percent}", None)], abs=0.02
        )


@pytest.mark.parametrize(
    ("change", "which", "said"),
    [
        ({"critical": None}, "both", "no critical cells"),
        ({"operating": None}, "operating", "no rows to fit"),
        ({"operating": Operating("none", {})}, "operating", "only calling no case critical"),
        ({"operating": Operating("none", {}, "no fit row is")}, "operating", "no fit row is"),
        ({"labels": np.zeros(60, dtype=int)}, "both", "no case is of a critical class"),
        ({"labels": np.full(60, 3)}, "both", "every case is of a critical class"),
        ({"critical": ~np.eye(4, dtype=bool)}, "both", "every class is critical"),
    ],
)
def test_what_cannot_be_measured_says_why(change: dict[str, object], which: str, said: str) -> None:
    labels, probs = cases(60, 4, 0)
    judged = view(labels, probs, operating_of(labels, probs, "none", critical(4)))
    found = list(measure_operating_points(replace(judged, **change)))  # type: ignore[arg-type]
    assert len(found) == 9
    for measured in found:
        if which == "both" or measured.basis.decision == which:
            assert said in measured.why_not
        else:
            assert not measured.why_not


def test_fit_rows_without_negatives_are_told() -> None:
    assert (
        "not critical" in operating_of(np.array([2, 3]), np.full((2, 4), 0.25), "none", critical(4)).why_not
    )
    assert "critical cells" in operating_of(np.array([2, 3]), np.full((2, 4), 0.25), "none", None).why_not
