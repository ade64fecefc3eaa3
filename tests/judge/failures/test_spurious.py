"""The test of a column, against tables written out, against simulation, and where it must keep quiet."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from primum.judge.failures.spurious import as_text, dependence, off_lesion, pulled, pulls


def mantel_haenszel(labels: np.ndarray, carried: np.ndarray, answered: np.ndarray) -> float:
    """Two-sided p-value from the 2 × 2 tables, as the textbook writes it, without continuity correction."""
    difference = variance = 0.0
    for k in np.unique(labels):
        rows = labels == k
        a = (carried & answered)[rows].sum()
        n, n1, m1 = rows.sum(), carried[rows].sum(), answered[rows].sum()
        difference += a - n1 * m1 / n
        variance += n1 * (n - n1) * m1 * (n - m1) / (n**2 * (n - 1))
    return float(chi2.sf(difference**2 / variance, 1))


def test_dependence_is_cochran_mantel_haenszel() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        labels, carried = rng.integers(0, 3, 90), rng.random(90) < 0.4
        answered = rng.random(90) < 0.2 + 0.2 * carried
        _, p = dependence(labels, carried, answered)
        assert p == pytest.approx(mantel_haenszel(labels, carried, answered), rel=1e-9)


def test_copies_of_a_patient_do_not_make_it_surer() -> None:
    rng = np.random.default_rng(1)
    labels, carried = rng.integers(0, 2, 60), rng.random(60) < 0.5
    answered = rng.random(60) < 0.3 + 0.3 * carried
    once = dependence(labels, carried, answered, np.arange(60))[1]
    five = dependence(*(np.repeat(part, 5) for part in (labels, carried, answered, np.arange(60))))[1]
    blind = dependence(*(np.repeat(part, 5) for part in (labels, carried, answered)))[1]
    assert blind < once / 10
    assert five == pytest.approx(once, rel=0.25)


def test_a_column_tied_to_the_class_alone_is_left_in_peace() -> None:
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(100):
        labels = rng.integers(0, 3, 300)
        column = rng.random(300) < np.array([0.1, 0.5, 0.8])[labels]
        predicted = np.where(rng.random(300) < 0.25, rng.integers(0, 3, 300), labels)
        alarms += bool(pulls(labels, predicted, {"tied": column.tolist()}, 3)[0])
    assert alarms <= 5  # 0.01 expected each


def test_a_pull_is_found_with_its_direction_and_size() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 2000)
    marker = rng.random(2000) < 0.5
    predicted = np.where(marker & (rng.random(2000) < 0.2), 1, labels)
    found, left = pulls(labels, predicted, {"marker": np.where(marker, "yes", "no").tolist()}, 2)
    assert not left
    yes = next(pull for pull in found if pull.value == "yes")
    assert yes.towards == 1
    assert {(pull.value, pull.towards) for pull in found} == {("yes", 1), ("no", 0)}
    p = np.array([[0.6, 0.4], [0.4, 0.6]])
    probs = np.clip(p[predicted] + 0.01 * rng.normal(size=(2000, 1)) * [1, -1], 0.05, 0.95)
    score, which = pulled(labels, predicted, probs, {"marker": np.where(marker, "yes", "no").tolist()}, found)
    failures = np.flatnonzero(labels != predicted)
    assert marker[failures].all()
    assert (np.array([found[i].value for i in which]) == "yes").all()
    shift = np.log(0.6 / 0.4) * 2 * (predicted == 1)[(labels == 0) & marker].mean()
    expected = 1 / (1 + np.exp(np.log(0.6 / 0.4) - shift))
    assert np.median(score) == pytest.approx(expected, abs=0.02)


def test_columns_become_text_and_long_ones_are_cut_or_left_out() -> None:
    assert as_text([True, None, float("nan"), "x"], "c", 4)[0].tolist() == [
        "True",
        "(missing)",
        "(missing)",
        "x",
    ]
    cut, why = as_text([*range(100), None], "age", 101)
    assert not why
    assert [(cut == name).sum() for name in ("0 to 24.75", "24.75 to 49.5", "74.25 to 99")] == [25, 25, 25]
    assert cut[-1] == "(missing)"
    assert "30 values" in as_text([f"v{i}" for i in range(30)], "device", 30)[1]
    labels = np.tile([0, 1], 15)
    _, left = pulls(labels, labels, {"device": [f"v{i}" for i in range(30)], "rare": ["x"] + ["y"] * 29}, 2)
    assert set(left) == {"device", "rare"}


def test_off_lesion_counts_right_answers_with_more_energy_inside() -> None:
    energy = np.r_[np.arange(100) / 100, 0.5, 0.03, -1.0]
    labels, predicted = np.zeros(103, int), np.r_[np.zeros(100, int), [1, 1, 1]]
    assert off_lesion(labels, predicted, energy) == pytest.approx([0, (0.97 - 0.95) / 0.05, 1])
