"""Make probabilities mean what they say, fitted on a split that is neither train nor test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, softmax

from primum import check
from primum.judge.calibration import FLOOR
from primum.judge.interval import Floats

FOLDS = 5
ROWS_PER_CLASS = 10  # below, the 2K numbers of vector scaling fit noise, and with many classes for minutes
Recalibrator = Callable[[Any], Floats]
Fit = Callable[[Any, Any], Recalibrator]


def bounded(logits: Any) -> Floats:
    """Logits (N, K) as float64, each row's largest at 0 and none below log(1e-12)."""
    values = check.array(logits).astype(np.float64)
    return np.asarray(np.maximum(values - values.max(axis=1, keepdims=True), np.log(FLOOR)))


@dataclass(frozen=True)
class Temperature:
    """``softmax(z / T)`` (Guo et al., ICML 2017)."""

    temperature: float

    def __call__(self, logits: Any) -> Floats:
        return np.asarray(softmax(bounded(logits) / self.temperature, axis=1))


@dataclass(frozen=True, eq=False)
class Vector:
    """``softmax(w ∘ z + b)``, w and b (K,) (Guo et al., ICML 2017); z with each row's largest at 0."""

    weight: Floats
    bias: Floats

    def __call__(self, logits: Any) -> Floats:
        return np.asarray(softmax(bounded(logits) * self.weight + self.bias, axis=1))


def fit_temperature(logits: Any, labels: Any) -> Temperature:
    """Minimise NLL over log T in [-4, 4]; logits (N, K), labels (N,) class indices."""
    values, true = bounded(logits), check.array(labels)

    def loss(log_t: float) -> float:
        return -float(log_softmax(values / np.exp(log_t), axis=1)[np.arange(len(true)), true].mean())

    found = minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded", options={"xatol": 1e-4})
    return Temperature(float(np.exp(found.x)))


def fit_vector(logits: Any, labels: Any, start: Vector | None = None) -> Vector:
    """Minimise NLL plus a ridge of 1e-3 / N towards w = 1, b = 0, by L-BFGS with its gradient."""
    values, true = bounded(logits), check.array(labels)
    n, k = values.shape
    ridge, rows = 1e-3 / n, np.arange(n)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        weight, bias = parameters[:k], parameters[k:]
        residual = (
            values * weight
        )  # in place from here on: with many classes this is the audit's longest loop
        residual += bias
        residual -= residual.max(axis=1, keepdims=True)
        chosen = residual[rows, true]
        np.exp(residual, out=residual)
        total = residual.sum(axis=1)
        value = (np.log(total) - chosen).mean() + ridge * (((weight - 1) ** 2).sum() + (bias**2).sum())
        residual /= total[:, None]
        residual[rows, true] -= 1
        slope_weight = np.einsum("ij,ij->j", residual, values) / n + 2 * ridge * (weight - 1)
        return float(value), np.r_[slope_weight, residual.mean(axis=0) + 2 * ridge * bias]

    first = np.r_[np.ones(k), np.zeros(k)] if start is None else np.r_[start.weight, start.bias]
    found = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return Vector(found.x[:k], found.x[k:])


def unchanged(logits: Any) -> Floats:
    """``softmax(z)``: the recalibrator named ``none``."""
    return np.asarray(softmax(check.array(logits).astype(np.float64), axis=1))


@dataclass(frozen=True, eq=False)
class Chosen:
    """Every recalibrator fitted on the fit split, and the best of them.

    Attributes:
        best: name of the one with the least cross-validated NLL.
        fitted: name → recalibrator, ``"none"`` among them.
        cv_nll: name → NLL on held-out fifths of the fit split.
    """

    best: str
    fitted: Mapping[str, Recalibrator]
    cv_nll: Mapping[str, float]


def choose(
    logits: Any, labels: Any, clusters: NDArray[Any] | None, seed: int, inversion: Recalibrator | None = None
) -> Chosen:
    """Fit every recalibrator on the fit split and name the best by 5-fold cross-validated NLL.

    Vector scaling is left out where the fit split holds fewer than ten rows per class, N < 10 K.

    Args:
        logits: (N, K) logits or log-probabilities.
        labels: (N,) class indices.
        clusters: (N,) patient of each case, kept in one fold, or None.
        seed: of the folds.
        inversion: of the loss the network was trained with, where it is known (:func:`inversion_for`).
    """
    values, true = check.array(logits), check.array(labels)
    fold = _folds(np.arange(len(true)) if clusters is None else clusters, seed)
    fixed: dict[str, Recalibrator] = {"none": unchanged}
    if inversion is not None:
        fixed["inversion"] = inversion
    fitted: dict[str, Recalibrator] = {**fixed, "temperature": fit_temperature(values, true)}
    fits: dict[str, Fit] = {"temperature": fit_temperature}
    if len(true) >= ROWS_PER_CLASS * values.shape[1]:
        full = fit_vector(values, true)
        fitted["vector"], fits["vector"] = full, partial(fit_vector, start=full)
    scores = {name: _log_loss(method(values), true).mean() for name, method in fixed.items()}
    for name, fit in fits.items():
        losses = np.empty(len(true))
        for part in np.unique(fold):
            held = fold == part
            losses[held] = _log_loss(fit(values[~held], true[~held])(values[held]), true[held])
        scores[name] = losses.mean()
    best = min(scores, key=lambda name: float(scores[name]))
    return Chosen(best, fitted, {name: float(scores[name]) for name in fitted})


def _folds(clusters: NDArray[Any], seed: int) -> NDArray[np.int64]:
    _, index = np.unique(clusters, return_inverse=True)
    groups = int(index.max()) + 1
    return np.random.default_rng(seed).permutation(np.arange(groups) % min(FOLDS, groups))[index]


def _log_loss(probs: Floats, labels: NDArray[np.int64]) -> Floats:
    return -np.log(np.maximum(probs[np.arange(len(labels)), labels], FLOOR))
