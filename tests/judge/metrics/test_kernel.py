"""The kernel calibration error against a double loop over pairs, and its p-value where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import kstest

from primum.core.check import InputError
from primum.judge.metrics import kernel
from primum.judge.statistics import redrawing
from primum.judge.statistics.interval import influence_error


def cases(n: int, k: int, seed: int, sharpness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels that follow softmax(z), and softmax(sharpness · z)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k)) * 1.5
    return (logits + rng.gumbel(size=(n, k))).argmax(axis=1), softmax(logits * sharpness, axis=1)


def plain(labels: np.ndarray, probs: np.ndarray, clusters: np.ndarray | None = None) -> tuple[float, float]:
    """SKCE and ν by a loop over pairs."""
    residual = np.eye(probs.shape[1])[labels] - probs
    apart, product = [], []
    for i in range(len(labels)):
        for j in range(i):
            if clusters is None or clusters[i] != clusters[j]:
                apart.append(np.linalg.norm(probs[i] - probs[j]))
                product.append(residual[i] @ residual[j])
    width = float(np.median(apart))
    return float(np.mean(np.exp(-np.array(apart) / width) * product)), width


@pytest.mark.parametrize(("n", "k"), [(40, 2), (41, 5), (30, 40)])
@pytest.mark.parametrize("patients", [False, True])
def test_it_equals_a_double_loop(n: int, k: int, patients: bool) -> None:
    labels, probs = cases(n, k, k, 2.0)
    clusters = np.random.default_rng(0).integers(0, 15, n) if patients else None
    found = kernel.kernel_error(labels, probs, clusters, draws=0)
    value, width = plain(labels, probs, clusters)
    assert found.value == pytest.approx(value, abs=1e-8)
    assert found.width == pytest.approx(width, rel=1e-6)
    assert found.influence.mean() == pytest.approx(0, abs=1e-9)
    assert kernel.kernel_error(labels, probs, clusters, draws=0).value == found.value


def test_two_cases_by_hand() -> None:
    probs = np.array([[0.8, 0.2], [0.4, 0.6]])
    # residuals (0.2, −0.2) and (0.6, −0.6); one pair, so ν is its distance
    assert kernel.kernel_error(np.array([0, 0]), probs, draws=0).value == pytest.approx(np.exp(-1) * 0.24)


@pytest.mark.parametrize("clusters", [None, np.zeros(1, dtype=int)])
def test_no_pair_is_said(clusters: np.ndarray | None) -> None:
    with pytest.raises(InputError, match="needs two cases of two patients"):
        kernel.kernel_error(np.array([0]), np.array([[0.5, 0.5]]), clusters, draws=0)


def test_blocks_are_unbiased_and_hold_every_case() -> None:
    labels, probs = cases(300, 3, 1, 2.5)
    whole = kernel.kernel_error(labels, probs, draws=0)
    parts = [kernel.kernel_error(labels, probs, draws=0, most_paired=95, seed=seed) for seed in range(150)]
    assert {part.block for part in parts} == {95 * 95 // 300}
    assert all(np.count_nonzero(part.influence) == 300 for part in parts)
    values = [part.value for part in parts]
    # ν of the pairs in blocks scatters around that of all pairs, which leaves a little of second order
    assert np.mean(values) == pytest.approx(whole.value, abs=4 * np.std(values) / np.sqrt(150))
    assert whole.block == 300


@pytest.mark.parametrize("most", [5_000, 40])
def test_row_order_does_not_matter(most: int) -> None:
    labels, probs = cases(150, 3, 2, 1.5)
    patients = np.arange(150) // 2
    order = np.random.default_rng(0).permutation(150)
    first = kernel.kernel_error(labels, probs, patients, units=patients, most_paired=most)
    moved = kernel.kernel_error(
        labels[order], probs[order], patients[order], units=patients[order], most_paired=most
    )
    assert moved.value == pytest.approx(first.value, abs=1e-12)
    assert moved.p_value == first.p_value
    np.testing.assert_allclose(moved.influence, first.influence[order], atol=1e-9)


@pytest.mark.parametrize("most", [5_000, 60])
def test_both_ways_of_summing_draws_agree(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, probs = cases(200, 4, 3, 1.3)
    product = kernel.kernel_error(labels, probs, most_paired=most)
    monkeypatch.setattr(redrawing, "FEW_CLASSES", 1)
    compared = kernel.kernel_error(labels, probs, most_paired=most)
    assert compared.p_value == product.p_value


@pytest.mark.parametrize("patients", [False, True])
def test_the_p_value_of_a_calibrated_model_is_uniform(patients: bool) -> None:
    rng = np.random.default_rng(4)
    found = []
    for _ in range(200):
        owner = rng.integers(0, 60, 120) if patients else np.arange(120)
        logits = rng.normal(size=(120, 3)) + (rng.normal(size=(120, 3)) * 1.5)[owner]
        labels = (logits + rng.gumbel(size=(120, 3))[owner]).argmax(axis=1)
        clusters = owner if patients else None
        found.append(kernel.kernel_error(labels, softmax(logits, axis=1), clusters, draws=60).p_value)
    assert kstest(found, "uniform").pvalue > 0.01


def test_the_p_value_of_a_sure_and_wrong_model_is_the_least_there_is() -> None:
    labels, probs = cases(300, 3, 5, 4.0)
    assert kernel.kernel_error(labels, probs).p_value == pytest.approx(1 / 201)


def test_draws_follow_p_and_stay_together_within_a_patient() -> None:
    probs = np.tile([[0.5, 0.0, 0.2, 0.3]], (20_000, 1)).astype(np.float32)
    rng = np.random.default_rng(0)
    alone = redrawing.redrawn(probs.T, np.arange(20_000), 20_000, rng)
    np.testing.assert_allclose(np.bincount(alone, minlength=4) / 20_000, probs[0], atol=0.015)
    together = redrawing.redrawn(probs.T, np.arange(20_000) // 2, 10_000, rng)
    assert (together[::2] == together[1::2]).all()


@pytest.mark.parametrize("probs", [np.full((30, 3), 1 / 3), np.eye(3)[np.arange(30) % 3]])
def test_ties_everywhere_give_a_number(probs: np.ndarray) -> None:
    labels = np.arange(30) % 3
    found = kernel.kernel_error(labels, probs)
    assert np.isfinite([found.value, found.width, found.p_value]).all()
    assert found.width > 0
    if probs.max() == 1:
        assert found.value == 0
        assert found.p_value == 1


@pytest.mark.parametrize("patients", [False, True])
def test_the_influence_equals_the_bootstrap_with_copies_dropped(patients: bool) -> None:
    labels, probs = cases(360, 3, 6, 3.0)
    owner = np.arange(360) // 2 if patients else np.arange(360)
    found = kernel.kernel_error(labels, probs, owner if patients else None, draws=0)
    rng = np.random.default_rng(0)
    rows = [np.flatnonzero(owner == c) for c in range(owner.max() + 1)]
    draws = []
    for _ in range(100):
        taken = np.concatenate([rows[c] for c in rng.integers(0, len(rows), len(rows))])
        draws.append(kernel.kernel_error(labels[taken], probs[taken], owner[taken], draws=0).value)
    error = influence_error(found.influence, owner if patients else None)
    assert error == pytest.approx(np.std(draws), rel=0.3)


def test_the_interval_holds_the_value_and_says_how_far_a_limit_is() -> None:
    labels, probs = cases(500, 3, 7, 2.0)
    found = kernel.kernel_error(labels, probs, draws=0)
    estimate = kernel.interval(found, None)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.tails(estimate.low)[1] == pytest.approx(0.05, abs=1e-6)
    assert estimate.tails(estimate.high)[0] == pytest.approx(0.05, abs=1e-6)
    right = kernel.kernel_error(np.arange(30) % 3, np.eye(3)[np.arange(30) % 3], draws=0)
    assert kernel.interval(right, None).high > 0
