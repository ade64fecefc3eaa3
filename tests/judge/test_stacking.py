"""Stacking, against scikit-learn's own objective minimised by SciPy, and what no fold may know."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from primum.judge import stacking


def members(n=240, k=3, seed=0, skill=(2.0, 1.0)):
    """Log-probabilities (2, n, k) of a good and a worse member that are both overconfident, and labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    logits = np.stack([rng.normal(size=(n, k)) + level * np.eye(k)[labels] for level in skill]) * 3
    return log_softmax(logits, axis=2), labels


def of_three(labels, seed=0):
    patients = np.arange(len(labels)) // 2
    return stacking.folds(labels, ["a", "b", "c"], patients, seed), patients


def test_folds_keep_patients_together_and_hold_every_class():
    _, labels = members()
    fold, patients = of_three(labels)
    assert sorted(np.unique(fold)) == list(range(5))
    assert all(len(np.unique(fold[patients == patient])) == 1 for patient in np.unique(patients))
    counts = np.array([np.bincount(labels[fold == at], minlength=3) for at in range(5)])
    assert counts.min() > 8


def test_weights_minimise_the_regularised_likelihood():
    log_probs, labels = members(n=120)
    found = stacking.fit(log_probs, labels, of_three(labels)[0])
    x = log_probs.transpose(1, 0, 2).reshape(120, 6)
    x = (x - x.mean(axis=0)) / x.std(axis=0)

    def objective(parameters):
        weight, bias = parameters[:18].reshape(3, 6), parameters[18:]
        log_p = log_softmax(x @ weight.T + bias, axis=1)
        return -found.strength * log_p[np.arange(120), labels].sum() + (weight**2).sum() / 2

    best = minimize(objective, np.zeros(21), method="BFGS", options={"gtol": 1e-4}).x
    expected = softmax(x @ best[:18].reshape(3, 6).T + best[18:], axis=1)
    np.testing.assert_allclose(found(log_probs), expected, atol=2e-3)


def test_a_held_out_answer_knows_nothing_of_its_own_fold(monkeypatch):
    monkeypatch.setattr(stacking, "STRENGTHS", (0.01, 0.1, 1.0))
    log_probs, labels = members()
    fold, _ = of_three(labels)
    before = stacking.fit(log_probs, labels, fold)
    mine = fold == 2
    changed = np.where(mine, (labels + 1) % 3, labels)
    after = stacking.fit(log_probs, changed, fold)
    np.testing.assert_array_equal(before.held_out[mine], after.held_out[mine])
    assert not np.allclose(before.held_out[~mine], after.held_out[~mine])


def test_it_calibrates_and_beats_the_mean_of_overconfident_members():
    log_probs, labels = members(n=900)
    found = stacking.fit(log_probs, labels, of_three(labels)[0])
    of_mean = stacking.nll(np.exp(log_probs).mean(axis=0), labels).mean()
    assert found.cv_nll < of_mean - 0.05
    assert found.cv_nll == pytest.approx(-np.log(found.held_out[np.arange(900), labels]).mean())
    new, true = members(n=5000, seed=9)
    assert stacking.nll(found(new), true).mean() == pytest.approx(found.cv_nll, abs=0.05)
    np.testing.assert_allclose(found(new).sum(axis=1), 1)


def test_noise_is_held_small_and_zero_probabilities_are_finite():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 200)
    noise = log_softmax(rng.normal(size=(2, 200, 2)), axis=2)
    noise[0, :5] = [0.0, -np.inf]
    found = stacking.fit(noise, labels, stacking.folds(labels, ["a", "b"], None))
    assert found.strength <= 0.01
    assert found.cv_nll == pytest.approx(np.log(2), abs=0.02)


def test_too_few_of_a_class_is_refused(refused):
    log_probs, labels = members()
    few = labels.copy()
    few[np.flatnonzero(few == 2)[4:]] = 0
    refused(lambda: of_three(few), "at least 5 patients of every class", "c has", "by the mean")
    refused(lambda: stacking.folds(labels, ["a", "b", "c", "d"], None), "at least 5 cases", "d has 0")
    refused(lambda: stacking.fit(log_probs, labels, np.where(labels == 0, 0, np.arange(240) % 5)), "3 folds")
