"""The debiased calibration error by hand, against its formula, and where nothing is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from primum.core.check import InputError
from primum.judge.metrics import calibration, debiased
from primum.judge.statistics.interval import influence_error


def test_the_debiased_error_by_hand() -> None:
    # one bin: gaps .9, −.1, .9, −.1, of mean .4 and variance 1/3: .16 − 1/12
    probs = np.array([[0.9, 0.1]] * 4)
    labels = np.array([1, 0, 1, 0])
    assert debiased.debiased_with_influence(labels, probs, bins=1)[0] == pytest.approx(0.16 - 1 / 12)
    # as pairs of two patients (0, 0) and (1, 1): (.9 − .1)² over the 4 pairs across them
    assert debiased.debiased_with_influence(labels, probs, np.array([0, 0, 1, 1]), 1)[0] == pytest.approx(
        0.16
    )


def test_the_debiased_error_equals_its_formula_bin_by_bin() -> None:
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), 200)
    labels = rng.integers(0, 3, 200)
    confidence, right = calibration.top_label(labels, probs)
    index, total = calibration.equal_mass(confidence), 0.0
    for b in range(calibration.BINS):
        gap = (confidence - right)[index == b]
        total += len(gap) / 200 * (gap.mean() ** 2 - gap.var(ddof=1) / len(gap))
    value, influence, _ = debiased.debiased_with_influence(labels, probs)
    assert value == pytest.approx(total)
    assert debiased.debiased_with_influence(labels, probs, np.arange(200))[0] == pytest.approx(total)
    assert influence.mean() == pytest.approx(0, abs=0.05)


def test_bins_of_one_case_are_skipped_and_nothing_but_them_is_refused() -> None:
    probs = np.array([[0.6, 0.4], [0.7, 0.3], [0.7, 0.3]])
    # the bin of the lone .6 is skipped; the other two products of −.3 are a third each of the table
    assert debiased.debiased_with_influence(np.array([0, 0, 0]), probs, bins=3)[0] == pytest.approx(
        2 / 3 * 0.09
    )
    with pytest.raises(InputError, match="needs two cases in a bin, 1 cases"):
        debiased.debiased_with_influence(np.array([0]), probs[:1])[0]
    with pytest.raises(InputError, match="of two patients in a bin"):
        debiased.debiased_with_influence(np.array([0, 0, 0]), probs, np.zeros(3))[0]


@pytest.mark.parametrize("patients", [False, True])
def test_the_debiased_error_of_a_calibrated_model_is_zero_on_average(patients: bool) -> None:
    rng = np.random.default_rng(1)
    values, plug_in = [], []
    for _ in range(400):
        owner = np.repeat(np.arange(60), 3) if patients else np.arange(180)
        logits = rng.normal(size=(180, 3)) + rng.normal(size=(180, 3))[owner]
        labels = (logits + rng.gumbel(size=(180, 3))[owner]).argmax(axis=1)
        probs = softmax(logits, axis=1)
        values.append(debiased.debiased_with_influence(labels, probs, owner if patients else None, 5)[0])
        plug_in.append(calibration.ece_equal_mass(labels, probs, 5) ** 2)
    assert np.mean(values) == pytest.approx(0, abs=4 * np.std(values) / 20)
    assert np.mean(plug_in) > 10 * abs(np.mean(values))


def test_the_influence_of_the_debiased_error_equals_the_bootstrap_with_copies_dropped() -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(10_000, 3))
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    probs = softmax(logits * 2, axis=1)
    _, influence, _ = debiased.debiased_with_influence(labels, probs)
    draws = []
    for _ in range(120):
        rows = rng.integers(0, 10_000, 10_000)
        draws.append(debiased.debiased_with_influence(labels[rows], probs[rows], rows)[0])
    assert influence_error(influence, None) == pytest.approx(np.std(draws), rel=0.2)
