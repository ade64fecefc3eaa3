"""Dirichlet calibration against a plain minimisation of its objective, and where its truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

from primum.judge.recalibration import dirichlet, recalibrators


def cases(n: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Overconfident logits and labels."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k)) * 1.5
    return logits * 2.5 + np.linspace(0, 1, k), (logits + rng.gumbel(size=(n, k))).argmax(axis=1)


def objective(parameters: np.ndarray, logs: np.ndarray, labels: np.ndarray, strength: float) -> float:
    """NLL with ODIR as written in the paper, both strengths equal, and the ridge on the diagonal."""
    n, k = logs.shape
    weight, bias = parameters[: k * k].reshape(k, k), parameters[k * k :]
    nll = -log_softmax(logs @ weight.T + bias, axis=1)[np.arange(n), labels].mean()
    beside = (weight**2).sum() - (np.diag(weight) ** 2).sum()
    ridge = 1e-3 / n * ((np.diag(weight) - 1) ** 2).sum()
    return float(nll + strength * (beside / (k * (k - 1)) + (bias**2).mean()) + ridge)


@pytest.mark.parametrize("strength", [0.01, 1.0, 100.0])
def test_it_finds_the_least_of_the_written_objective(strength: float) -> None:
    logits, labels = cases(300, 3, 0)
    logs = log_softmax(recalibrators.bounded(logits), axis=1)
    found = dirichlet.fit_dirichlet(logits, labels, strength)
    start = np.r_[np.eye(3).ravel(), np.zeros(3)]
    plain = minimize(objective, start, (logs, labels, strength), method="BFGS", options={"gtol": 1e-7})
    ours = np.r_[found.weight[:, :3].ravel(), found.weight[:, 3]]
    assert objective(ours, logs, labels, strength) == pytest.approx(plain.fun, abs=1e-7)
    np.testing.assert_allclose(ours, plain.x, atol=5e-3)


def test_start_and_curvature_only_shorten_the_way() -> None:
    logits, labels = cases(400, 4, 1)
    far = dirichlet.Dirichlet(np.eye(4, 5) * 0.3, 1.0)
    straight = dirichlet.fit_dirichlet(logits, labels, 0.1)
    led = dirichlet.fit_dirichlet(logits, labels, 0.1, far, dirichlet.curvature_at(logits, far))
    np.testing.assert_allclose(led(logits), straight(logits), atol=2e-3)


def test_the_truth_is_recovered() -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(30_000, 3)) * 2
    logs = log_softmax(recalibrators.bounded(logits), axis=1)
    truth = logs @ np.array([[0.9, 0.2, 0.0], [0.0, 0.7, 0.1], [0.3, 0.0, 1.1]]).T + [0.4, 0.0, -0.4]
    labels = (truth + rng.gumbel(size=truth.shape)).argmax(axis=1)
    found = dirichlet.fit_dirichlet(logits, labels, 1e-4)
    off = np.abs(found(logits) - np.exp(log_softmax(truth, axis=1)))
    assert off.mean() < 0.01
    assert off.max() < 0.1


def test_an_endless_penalty_leaves_the_diagonal_alone() -> None:
    logits, labels = cases(500, 3, 3)
    found = dirichlet.fit_dirichlet(logits, labels, 1e6)
    assert np.abs(found.weight - np.diag(np.diag(found.weight[:, :3])) @ np.eye(3, 4)).max() < 1e-4
    assert (np.diag(found.weight) < 0.8).all()  # it was overconfident


def test_a_temperature_is_a_dirichlet_map() -> None:
    logits, labels = cases(200, 4, 4)
    even = recalibrators.fit_temperature(logits, labels)
    np.testing.assert_allclose(dirichlet.scaled(even, 4)(logits), even(logits), atol=1e-12)


def test_the_curvature_is_the_second_derivative() -> None:
    logits, labels = cases(150, 3, 5)
    at = dirichlet.Dirichlet(np.eye(3, 4) * 0.5, 1.0)
    values = np.c_[log_softmax(recalibrators.bounded(logits), axis=1), np.ones(150)]

    def nll(flat: np.ndarray) -> float:
        scores = values @ flat.reshape(3, 4).T
        return float(-log_softmax(scores, axis=1)[np.arange(150), labels].mean())

    flat, step, steps = at.weight.ravel(), 1e-3, np.eye(12) * 1e-3
    numeric = [
        [
            (nll(flat + a + b) - nll(flat + a - b) - nll(flat - a + b) + nll(flat - a - b)) / (4 * step**2)
            for b in steps
        ]
        for a in steps
    ]
    np.testing.assert_allclose(dirichlet.curvature_at(logits, at), numeric, atol=1e-4)
