"""Structured matrix scaling against a plain minimisation of its objective, and where its truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from primum.judge.recalibration import recalibrators, structured
from primum.judge.recalibration.recalibrators import Temperature
from primum.judge.recalibration.structured import Structured, fit_structured


def cases(n: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Overconfident logits whose classes are mixed into each other, and labels."""
    rng = np.random.default_rng(seed)
    mixing = np.eye(k) + 0.5 * np.random.default_rng(k).normal(size=(k, k)) / np.sqrt(k)
    logits = rng.normal(size=(n, k)) * 1.5
    return logits * 2, (logits @ mixing + rng.gumbel(size=(n, k))).argmax(axis=1)


def prepared(logits: np.ndarray, temperature: float, n: int) -> np.ndarray:
    """Logarithm of the probabilities after the temperature, one case of uniform ones added to n."""
    return np.asarray(
        np.log(n / (n + 1) * softmax(logits / temperature, axis=1) + 1 / (n + 1) / logits.shape[1])
    )


def objective(parameters: np.ndarray, u: np.ndarray, labels: np.ndarray) -> float:
    """Mean NLL and penalty as published: delta K × K, then b."""
    n, k = u.shape
    delta, bias = parameters[: k * k].reshape(k, k), parameters[k * k :]
    nll = -log_softmax(u + u @ delta.T + bias, axis=1)[np.arange(n), labels].mean()
    diagonal = (np.diag(delta) ** 2).sum()
    beside = (delta**2).sum() - diagonal
    return float(nll + k / n * ((bias**2).sum() + diagonal) + k * (k - 1) / n * beside)


@pytest.mark.parametrize(("n", "k"), [(80, 2), (60, 3), (2000, 3), (1000, 5)])
def test_it_finds_the_least_of_the_published_objective(n: int, k: int) -> None:
    logits, labels = cases(n, k, 0)
    found = fit_structured(logits, labels)
    assert found.temperature == recalibrators.fit_temperature(logits, labels).temperature
    u = prepared(logits, found.temperature, n)
    plain = minimize(objective, np.zeros(k * (k + 1)), (u, labels), method="BFGS", options={"gtol": 1e-6})
    ours = np.r_[(found.weight[:, :k] - np.eye(k)).ravel(), found.weight[:, k]]
    assert objective(ours, u, labels) == pytest.approx(plain.fun, abs=1e-7)
    np.testing.assert_allclose(ours, plain.x, atol=2e-3)
    # and what it answers is what the formula says
    map_, bias = np.eye(k) + plain.x[: k * k].reshape(k, k), plain.x[k * k :]
    np.testing.assert_allclose(found(logits), softmax(u @ map_.T + bias, axis=1), atol=1e-3)


def test_by_hand() -> None:
    # z / T = log(4, 1) is (4/5, 1/5); the map doubles the first log-probability, b adds log 5 to it
    known = Structured(2.0, 0.0, np.array([[2.0, 0.0, np.log(5)], [0.0, 1.0, 0.0]]))
    shares = np.array([16 / 25 * 5, 1 / 5])
    np.testing.assert_allclose(known(2 * np.log([[4.0, 1.0]]))[0], shares / shares.sum())


def test_the_truth_is_recovered() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(40_000, 3)) * 4
    truth = softmax(logits / 2 + [1.0, 0.0, -1.0], axis=1)
    labels = (rng.random((40_000, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    even = recalibrators.fit_temperature(logits, labels)
    apart = np.abs(even(logits) - truth).mean()
    assert np.abs(fit_structured(logits, labels)(logits) - truth).mean() < 0.1 * apart


def test_the_same_evidence_from_fewer_rows_stays_nearer_to_the_temperature() -> None:
    logits, labels = cases(12, 3, 1)
    even = recalibrators.fit_temperature(logits, labels)
    apart = []
    for times in (1, 10, 100):
        found = fit_structured(np.tile(logits, (times, 1)), np.tile(labels, times), even)
        apart.append(np.linalg.norm(found.weight - np.eye(3, 4)))
    assert apart[0] < 0.5 * apart[1] < 0.5 * apart[2]


def test_start_and_curvature_only_shorten_the_way() -> None:
    logits, labels = cases(600, 4, 2)
    even = recalibrators.fit_temperature(logits, labels)
    straight = fit_structured(logits, labels)
    far = Structured(1.0, 0.1, np.eye(4, 5) * 0.3)
    other = structured.curvature_at(cases(300, 4, 3)[0], Temperature(3.0))
    np.testing.assert_allclose(
        fit_structured(logits, labels, even, far, other)(logits), straight(logits), atol=2e-3
    )


def test_the_curvature_is_the_second_derivative_within_a_class() -> None:
    logits, labels = cases(150, 3, 5)
    u = np.c_[prepared(logits, 2.0, 150), np.ones(150)]

    def nll(flat: np.ndarray) -> float:
        return float(-log_softmax(u @ flat.reshape(3, 4).T, axis=1)[np.arange(150), labels].mean())

    flat, steps = np.eye(3, 4).ravel(), np.eye(12) * 1e-3
    numeric = np.array(
        [
            [
                (nll(flat + a + b) - nll(flat + a - b) - nll(flat - a + b) + nll(flat - a - b)) / 4e-6
                for b in steps
            ]
            for a in steps
        ]
    ).reshape(3, 4, 3, 4)
    blocks = structured.curvature_at(logits, Temperature(2.0))
    for c in range(3):
        np.testing.assert_allclose(blocks[c], numeric[c, :, c], atol=1e-4)


def test_probabilities_of_exactly_zero_are_ordinary() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    for rows in (np.eye(3)[rng.integers(0, 3, 200)], np.eye(3)[labels]):  # half right, and every one right
        with np.errstate(divide="ignore"):
            logs = np.log(rows)
        probs = fit_structured(logs, labels)(logs)
        assert np.isfinite(probs).all()
        np.testing.assert_allclose(probs.sum(axis=1), 1)


def test_a_hundred_classes_are_better_than_a_temperature() -> None:
    logits, labels = cases(10_000, 100, 6)
    found, even = fit_structured(logits, labels), recalibrators.fit_temperature(logits, labels)
    new, again = cases(4_000, 100, 7)

    def nll(probs: np.ndarray) -> float:
        return float(-np.log(probs[np.arange(4_000), again]).mean())

    assert nll(found(new)) < nll(even(new)) - 0.004
