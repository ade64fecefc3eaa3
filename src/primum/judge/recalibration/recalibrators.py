"""Temperature and vector scaling, and what every way of making probabilities mean what they say shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize, minimize_scalar
from scipy.special import softmax

from primum.core import check
from primum.core.arrays import Floats
from primum.judge.metrics.calibration import FLOOR

CELLS = 40_000  # numbers worked on at once: they stay in the processor's cache


def bounded(logits: ArrayLike) -> Floats:
    """Logits (N, K) as float64, each row's largest at 0 and none below log(1e-12)."""
    return np.ascontiguousarray(bounded_columns(logits).T)


def bounded_columns(logits: ArrayLike) -> Floats:
    """The same as (K, N): with few classes, running over cases last is several times faster."""
    values = np.ascontiguousarray(check.array(logits).T, dtype=np.float64)
    return np.asarray(np.maximum(values - values.max(axis=0), np.log(FLOOR)))


def unchanged(logits: ArrayLike) -> Floats:
    """``softmax(z)``: the recalibrator named ``none``."""
    return np.asarray(softmax(check.array(logits).astype(np.float64), axis=1))


@dataclass(frozen=True)
class Temperature:
    """``softmax(z / T)`` (Guo et al., ICML 2017).

    >>> Temperature(1.0)([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """

    temperature: float

    def __call__(self, logits: ArrayLike) -> Floats:
        return np.asarray(softmax(bounded(logits) / self.temperature, axis=1))


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> Temperature:
    """Minimise NLL over log T in [-4, 4]; logits (N, K), labels (N,) class indices."""
    values, true = bounded_columns(logits), check.array(labels)
    chosen = values[true, np.arange(len(true))].mean()

    def loss(log_t: float) -> float:
        total = np.exp(values / np.exp(log_t)).sum(axis=0)  # at least 1, as each case's largest is 0
        return float(np.log(total).mean() - chosen / np.exp(log_t))

    solution = minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded", options={"xatol": 1e-4})
    return Temperature(float(np.exp(solution.x)))


@dataclass(frozen=True, eq=False)
class Vector:
    """``softmax(w ∘ z + b)``, w and b (K,) (Guo et al., ICML 2017); z with each row's largest at 0."""

    weight: Floats
    bias: Floats

    def __call__(self, logits: ArrayLike) -> Floats:
        return np.asarray(softmax(bounded(logits) * self.weight + self.bias, axis=1))


def fit_vector(logits: ArrayLike, labels: ArrayLike, start: Vector | None = None) -> Vector:
    """Minimise NLL plus a ridge of 1e-3 / N towards w = 1, b = 0, by L-BFGS with its gradient."""
    values, true = bounded_columns(logits), check.array(labels)
    k, n = values.shape
    counts = np.bincount(true, minlength=k)
    true_sum = np.bincount(true, values[true, np.arange(n)], k)
    ridge = 1e-3 / n

    def loss(parameters: Floats) -> tuple[float, Floats]:
        weight, bias = parameters[:k], parameters[k:]
        total, by_weight, by_bias = (
            0.0,
            2 * ridge * n * (weight - 1) - true_sum,
            2 * ridge * n * bias - counts,
        )
        for part in parts(values):
            scores = part * weight[:, None] + bias[:, None]
            total += to_shares(scores)
            by_weight += np.einsum("ij,ij->i", scores, part)
            by_bias += scores.sum(axis=1)
        pull = ridge * (((weight - 1) ** 2).sum() + (bias**2).sum())
        return float((total - weight @ true_sum - bias @ counts) / n + pull), np.r_[by_weight, by_bias] / n

    first = np.r_[np.ones(k), np.zeros(k)] if start is None else np.r_[start.weight, start.bias]
    solution = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return Vector(solution.x[:k], solution.x[k:])


def parts(values: Floats) -> Iterator[Floats]:
    """The columns of ``values`` in parts that stay in the processor's cache."""
    size = max(1, CELLS // len(values))
    return (values[:, start : start + size] for start in range(0, values.shape[1], size))


def to_shares(scores: Floats) -> float:
    """Turn the columns of scores (K, n) into their softmax, in place; returns the sum of their logsumexp."""
    top = scores.max(axis=0)
    scores -= top
    np.exp(scores, out=scores)
    total = scores.sum(axis=0)
    scores /= total
    return float(top.sum() + np.log(total).sum())
