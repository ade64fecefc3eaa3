"""Calibration errors on hand-worked cases and against known bugs of others."""

from __future__ import annotations

import numpy as np
import pytest

from primum.judge.metrics import calibration, functions
from primum.judge.statistics.interval import Resampler


def test_bins_are_open_below_and_closed_above_and_hold_0_and_1() -> None:
    values = np.array([0.0, 1e-9, 0.2, 0.2000001, 0.8, 1.0])
    assert calibration.equal_width(values, 5).tolist() == [0, 0, 0, 1, 3, 4]


def test_equal_values_share_an_equal_mass_bin() -> None:
    values = np.r_[np.full(50, 0.5), np.linspace(0.6, 0.9, 50)]
    index = calibration.equal_mass(values, 10)
    assert len(set(index[:50].tolist())) == 1
    assert (np.diff(index[np.argsort(values)]) >= 0).all()


def test_ece_by_hand() -> None:
    # confidences .9 .9 .6 .6 with 1 of 2 and 2 of 2 right: (2·|.9 − .5| + 2·|.6 − 1|) / 4
    probs = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.6, 0.4]])
    labels = np.array([0, 1, 1, 0])
    assert calibration.ece(labels, probs) == pytest.approx(0.4)
    assert calibration.ece_equal_mass(labels, probs, 2) == pytest.approx(0.4)


def test_classwise_ece_reads_every_column() -> None:
    # class 2 is always given 0.5 and never right; a reader of column 1 alone would see perfection
    probs = np.tile([0.3, 0.2, 0.5], (10, 1))
    labels = np.array([0] * 8 + [1] * 2)
    expected = (abs(0.3 - 0.8) + abs(0.2 - 0.2) + abs(0.5 - 0.0)) / 3
    assert calibration.classwise_ece(labels, probs) == pytest.approx(expected)


def test_probabilities_of_zero_and_one_are_counted() -> None:
    probs = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert calibration.ece(np.array([1, 0]), probs) == 1
    assert calibration.classwise_ece(np.array([1, 0]), probs) == 1


def test_nll_is_floored_and_says_so() -> None:
    losses, floored = calibration.nll_losses(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert floored == 1
    assert losses.tolist() == pytest.approx([0, -np.log(1e-12)])


def test_chance_level_is_that_of_redrawn_labels() -> None:
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), 400)
    labels = (rng.random((400, 1)) > probs.cumsum(axis=1)).sum(axis=1)
    errors = calibration.calibration_errors(labels, probs, Resampler(np.arange(400), 200, 0), 0)
    for name, metric in (
        ("ece", calibration.ece),
        ("ece_equal_mass", calibration.ece_equal_mass),
        ("classwise_ece", calibration.classwise_ece),
    ):
        assert errors.value[name] == pytest.approx(metric(labels, probs))
        plain = [metric((rng.random((400, 1)) > probs.cumsum(axis=1)).sum(axis=1), probs) for _ in range(150)]
        assert errors.chance[name].mean() == pytest.approx(np.mean(plain), abs=4 * np.std(plain) / 9)


def test_interval_of_a_calibrated_model_reaches_zero_and_of_a_bad_one_does_not() -> None:
    rng = np.random.default_rng(2)
    probs = rng.dirichlet(np.ones(3), 800)
    labels = (rng.random((800, 1)) > probs.cumsum(axis=1)).sum(axis=1)
    sharp = probs**3 / (probs**3).sum(axis=1, keepdims=True)
    for p, reaches in ((probs, True), (sharp, False)):
        errors = calibration.calibration_errors(labels, p, Resampler(np.arange(800), 400, 0), 0)
        found = calibration.interval(errors, "ece", 800)
        assert (found.low == 0) == reaches
        assert found.low <= found.value <= found.high


def test_reliability_counts_every_case_once() -> None:
    rng = np.random.default_rng(1)
    probs = rng.dirichlet(np.ones(4), 300)
    labels = rng.integers(0, 4, 300)
    rows = calibration.reliability(labels, probs)
    assert sum(cases for _, cases, _, _ in rows) == 300
    assert sum(hits for *_, hits in rows) == (probs.argmax(axis=1) == labels).sum()


def test_root_brier_is_the_root() -> None:
    probs = np.array([[0.6, 0.4], [0.2, 0.8]])
    assert functions.root_brier(np.array([0, 0]), probs) == pytest.approx(((0.32 + 1.28) / 2) ** 0.5)
