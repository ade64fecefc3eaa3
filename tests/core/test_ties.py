"""Scores that differ by rounding alone are one score: for ranks, thresholds, cuts, bins and decisions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

import primum
from primum import tables
from primum.auditing.guards import tied_answers
from primum.auditing.policy.application import apply
from primum.auditing.policy.fit import fit
from primum.core import ties
from primum.judge import decision
from primum.judge.confidence import confidences
from primum.judge.confidence.evidence import Evidence
from primum.judge.confidence.uncertainty import collected
from primum.judge.deferral.certify import certify
from primum.judge.deferral.curve import at, curve
from primum.judge.deferral.thresholds import by_capacity, by_cost
from primum.judge.deferral.units import gathered
from primum.judge.metrics import calibration, cuts, functions, operating, selective
from primum.judge.metrics.accuracy import binary_auroc
from primum.judge.recalibration.isotonic import fit_isotonic
from primum.judge.statistics import ranks
from primum.predictions import Predictions

UP = np.nextafter(0.6, 1)
NOISY = np.array([0.6, UP, 0.6, np.nextafter(0.6, 0), np.nextafter(UP, 1), 0.6, UP, 0.6, 0.6, UP])
WRONG = np.array([0, 1, 0, 1, 1, 0, 1, 0, 0, 0], dtype=bool)  # 4 of 10


def test_values_that_rounding_tells_apart_are_settled_to_the_last_bit() -> None:
    assert len(set(ties.settled(NOISY))) == 1
    assert ties.settled(np.array([0.6, 0.6 + 1e-13])).tolist() == [0.6, 0.6 + 1e-13]
    assert ties.settled(np.array([3e-20, 5e-20])).tolist() == [3e-20, 5e-20]  # a small scale is a scale
    assert len(set(ties.settled(np.array([-1e-17, -3e-16, -0.5])))) == 2  # entropies: sums of terms near 1
    assert ties.settled(np.array([-np.inf, -np.inf, np.inf])).tolist() == [-np.inf, -np.inf, np.inf]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_run_of_near_neighbours_is_no_single_group(sign: int) -> None:
    steps = np.sort(sign * (0.5 + np.arange(1000) * 3e-15))[::-1]
    first = ties.starts(steps)
    widths = np.abs(steps[first] - steps[np.r_[first[1:], len(steps)] - 1])
    assert 300 <= len(first) <= 1000
    assert widths.max() <= ties.RELATIVE


def test_a_threshold_holds_for_what_equals_it_and_one_above_it_does_not() -> None:
    assert ties.at_least(NOISY, UP).all()
    assert ties.at_least(NOISY, 0.6).all()
    assert not ties.at_least(NOISY, ties.above(0.6)).any()
    assert ties.at_least(0.6 + 1e-12, ties.above(0.6))
    assert ties.at_least(np.array([1.0, -np.inf]), -np.inf).all()
    assert not ties.at_least(np.array([1.0]), np.inf).any()


def test_infinite_scores_say_nothing_of_the_size_of_the_others() -> None:
    tiny = np.array([1e-20, 2e-20, 3e-20])
    assert ties.above(2e-20, np.r_[tiny, -np.inf]) == ties.above(2e-20, tiny) < 3e-20


def test_the_first_of_the_largest_is_the_answer_and_is_counted() -> None:
    rows = np.array([[0.3, UP, 0.6], [0.6, UP, 0.1], [0.1, 0.2, 0.7]])
    assert ties.first_largest(rows).tolist() == [1, 0, 2]
    assert ties.tied(rows).tolist() == [True, True, False]
    assert decision.argmax(rows).tolist() == [1, 0, 2]
    table = Predictions.from_probs(
        ["a", "b", "c"], ("x", "y", "z"), [0, 1, 2], rows / rows.sum(axis=1, keepdims=True)
    )
    assert table.predicted.tolist() == [1, 0, 2]
    (found,) = tied_answers(table)
    assert (found.code, found.value, found.verdict) == ("tied_answers", 2, "warning")


def test_decisions_of_equal_expected_cost_go_to_the_first_class() -> None:
    cost = np.array([[0.0, 1.0, 1.0], [3.0, 0.0, 3.0], [3.0, 3.0, 0.0]])
    probs = np.array([[0.0, 0.1 + 0.2, 0.7], [0.0, 0.5, 0.5]])
    for unit in (1.0, 1e-9, 1e9):
        assert decision.bayes(probs, cost * unit).tolist() == [2, 1]


def test_ranks_and_cuts_see_one_group() -> None:
    assert selective.rank(NOISY).sizes.tolist() == [10]
    assert selective.risk_coverage(WRONG, selective.rank(NOISY)).aurc == pytest.approx(0.4)
    assert selective.risk_coverage(WRONG, selective.rank(NOISY)).augrc == pytest.approx(0.2)
    assert binary_auroc(~WRONG, NOISY) == 0.5
    assert cuts.risk_with_influence(WRONG, selective.rank(NOISY), 0.5)[0] == pytest.approx(0.4)
    assert cuts.fpr_with_influence(WRONG, selective.rank(NOISY))[0] == 1
    assert ties.at_least(NOISY, selective.threshold_at_coverage(NOISY, 0.3)).all()
    assert ranks.ranks([0.2, np.nextafter(0.2, 1), 0.1], np.zeros((3, 1))).rank.tolist() == [2.5, 2.5, 1]


def test_thresholds_of_deferral_keep_the_group_together() -> None:
    assert ties.at_least(NOISY, by_capacity(NOISY, 0.5)).all()
    assert by_cost(NOISY, WRONG * 1.0, np.full(10, 0.1)) == np.inf
    assert len(curve(NOISY, WRONG, np.zeros(10)).cost) == 2
    assert at(curve(np.sort(NOISY)[:5], WRONG[:5], np.zeros(5)), [UP]).tolist() == [1]
    units = gathered(np.r_[np.full(200, 0.9), np.tile(NOISY, 20)], np.zeros(400), None, True)
    promise = certify(units, 0.02, 0.05, "accepted", coverages=(0.5, 0.7))
    assert promise.n == 200  # 0.7 falls into the group, which cannot be cut: only what lies above it counts
    assert not ties.at_least(NOISY, promise.threshold).any()


def test_operating_points_call_equal_masses_alike() -> None:
    fatal = np.array([False] * 5 + [True] * 5)
    assert operating.threshold_at_specificity(NOISY, fatal, 0.5) == np.inf
    assert ties.at_least(NOISY, operating.threshold_at_sensitivity(NOISY, fatal, 0.2)).all()
    critical = np.array([[False, False], [True, False]])
    probs = np.column_stack([1 - NOISY, NOISY])
    assert decision.by_critical_mass(probs, critical, UP).all()
    silent = functions.silent_critical_rate(np.ones(10, int), np.zeros(10, int), NOISY, critical, UP)
    assert silent == 1


def test_bins_put_a_value_on_an_edge_whatever_its_last_digit() -> None:
    edges = np.arange(1, 15) / 15
    for value in (edges, np.nextafter(edges, 1), np.nextafter(edges, 0)):
        assert calibration.equal_width(value).tolist() == list(range(14))
    assert len(set(calibration.equal_mass(NOISY))) == 1
    probs = np.column_stack([NOISY, 1 - NOISY])
    assert calibration.ece(WRONG.astype(int), probs) == pytest.approx(0, abs=1e-15)
    assert calibration.ece_equal_mass(WRONG.astype(int), probs) == pytest.approx(0, abs=1e-15)


def test_isotonic_calibration_has_one_step_there() -> None:
    logits = np.log(np.column_stack([NOISY, 1 - NOISY]))
    calibrated = fit_isotonic(logits, WRONG.astype(int))(logits)
    assert calibrated[:, 0] == pytest.approx(0.6)


def test_members_and_passes_that_tie_vote_for_the_first_class() -> None:
    passes = np.array([[[0.5, 0.5]], [[np.nextafter(0.5, 0), 0.5]]])
    assert collected(passes).scores()["disagreement"].tolist() == [0]


def tables_of(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities with many ties, whose last digits depend on the order of the classes."""
    rng = np.random.default_rng(seed)
    k, n = 4, 80
    if kind == "tenths":
        cut = np.sort(rng.integers(0, 11, (n, k - 1)), axis=1)
        probs = np.diff(np.c_[np.zeros(n), cut, np.full(n, 10)], axis=1) / 10
    elif kind == "softmax":
        probs = softmax(rng.integers(-2, 3, (n, k)).astype(float), axis=1)
    else:
        probs = softmax(rng.integers(-2, 3, (5, n, k)) / 3, axis=2).mean(axis=0)
    return np.r_[np.arange(k), rng.integers(0, k, n - k)], probs


@pytest.mark.parametrize("kind", ["tenths", "softmax", "passes"])
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_classes_moves_no_figure_of_any_score(kind: str, seed: int) -> None:
    labels, probs = tables_of(kind, seed)
    order = np.random.default_rng(seed).permutation(4)
    moved = probs[:, order] / probs[:, order].sum(axis=1, keepdims=True)
    wrong = labels != decision.argmax(probs)  # who is right where two classes tie is another question
    wrong[ties.tied(probs)] = True
    here, there = confidences(Evidence(probs))[0], confidences(Evidence(moved))[0]
    for name, score in here.items():
        right = np.zeros(len(wrong), dtype=int)
        for figure in (functions.aurc, functions.augrc, functions.risk_at_coverage):
            expected = figure(right, wrong, score)
            assert figure(right, wrong, there[name]) == pytest.approx(expected, abs=1e-12), name
        first, second = selective.rank(score), selective.rank(there[name])
        assert first.ends.tolist() == second.ends.tolist(), name
        for share in (0.2, 0.5, 0.8):
            kept = ties.at_least(score, by_capacity(score, share))
            np.testing.assert_array_equal(
                kept, ties.at_least(there[name], by_capacity(there[name], share)), err_msg=name
            )


@pytest.fixture
def renormalised() -> pl.DataFrame:
    """One hundred cases of confidence 0.6, sixty of them right, whose rows round in another way."""
    labels = ["a", "b", "a", "c", "a", "b", "a", "a", "b", "a"] * 10
    # 0.6 + 0.3 + 0.1 is less than 1 by the last digit of a float, in one order of the columns
    rows = [(0.6, 0.3, 0.1) if label == "a" else (0.6, 0.2, 0.2) for label in labels]
    frame = pl.DataFrame({"id": [f"c{i:03d}" for i in range(100)], "label": labels})
    return frame.with_columns(
        pl.Series(f"prob_{name}", [row[k] for row in rows]) for k, name in enumerate("abc")
    )


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_an_audit_of_one_confidence_cannot_rank(renormalised: pl.DataFrame, order: str) -> None:
    found = primum.audit(renormalised.select("id", "label", *(f"prob_{name}" for name in order)))
    assert found.finding("aurc", score="msr", decision="argmax").value == pytest.approx(0.4)
    assert found.finding("failure_auroc", score="msr", decision="argmax").value == 0.5
    assert found.finding("ece", calibrated="none").value == pytest.approx(0, abs=1e-12)
    assert not [one for one in found.findings if one.code == "tied_answers"]


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_capacity_defers_all_or_none_of_one_confidence(renormalised: pl.DataFrame, order: str) -> None:
    table = renormalised.select("id", "label", *(f"prob_{name}" for name in order))
    policy = fit(table, capacity=0.5)
    other = renormalised.with_columns(id="n" + pl.col("id"))
    assert policy.fit.deferred_share == 0
    assert apply(policy, other).decided.accepted.all()


@pytest.mark.parametrize("single_first", [True, False])
def test_single_and_double_precision_decide_alike(tmp_path: Path, single_first: bool) -> None:
    confident = np.array([0.7, 0.7, 0.7, 0.9, 0.55, 0.61, 0.83, 0.7, 0.95, 0.7] * 6)
    frame = pl.DataFrame(
        {
            "id": [f"c{i}" for i in range(60)], "label": ["a", "b"] * 30,
            "prob_a": confident, "prob_b": 1 - confident,
        }
    )  # fmt: skip
    single = frame.with_columns(pl.col("prob_a", "prob_b").cast(pl.Float32))
    single.write_parquet(tmp_path / "single.parquet")
    frame.write_csv(tmp_path / "double.csv")
    paths: list[Any] = [tmp_path / "single.parquet", tmp_path / "double.csv"]
    np.testing.assert_array_equal(*(tables.read(path).predicted for path in paths))
    fitted_on, applied_to = paths if single_first else paths[::-1]
    policy = fit(fitted_on, capacity=0.3)
    renamed = tables.read(applied_to)
    renamed = Predictions(
        "n" + renamed.ids, renamed.classes, renamed.labels, renamed.logits, renamed.kind, name="new"
    )
    accepted = apply(policy, renamed).decided.accepted
    assert accepted.tolist() == (confident >= 0.7).tolist()


def test_rows_that_sum_to_1_are_kept_as_supplied(make: Callable[..., Any]) -> None:
    rows = np.array([[0.6, 0.3, 0.1], [0.6, 0.2, 0.2], [0.1, 0.6, 0.3]])
    for given_rows in (rows, rows.astype(np.float32)):
        table = Predictions.from_probs(["a", "b", "c"], ("x", "y", "z"), [0, 0, 1], given_rows)
        np.testing.assert_array_equal(table.logits, np.log(rows))
