"""Dirichlet calibration: a linear map of log-probabilities, held near the diagonal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular
from scipy.special import log_softmax, softmax

from primum.core import check
from primum.core.arrays import Floats
from primum.judge.recalibration.maps import fit_map
from primum.judge.recalibration.recalibrators import Temperature, bounded_columns, fit_temperature

STEP_CASES, ROWS = 20_000, 1_000  # cases read for the curvature of a fit, and how many of them at once


@dataclass(frozen=True, eq=False)
class Dirichlet:
    """``softmax(W log p + b)`` (Kull et al., NeurIPS 2019), p floored near 1e-12.

    Attributes:
        weight: (K, K + 1), W and b side by side; row k makes the new score of class k.
        strength: of the penalty it was fitted with.
    """

    weight: Floats
    strength: float

    def __call__(self, logits: ArrayLike) -> Floats:
        return np.asarray(softmax(_columns(logits).T @ self.weight.T, axis=1))


def fit_dirichlet(
    logits: ArrayLike,
    labels: ArrayLike,
    strength: float,
    start: Dirichlet | None = None,
    curvature: Floats | None = None,
) -> Dirichlet:
    """Minimise NLL with off-diagonal and intercept regularisation (ODIR), by L-BFGS with its gradient.

    The penalty is ``strength · (mean of the squared off-diagonal weights + mean of the squared intercepts)``:
    that of the paper, with both of its strengths equal. A ridge of 1e-3 / N towards 1 keeps the diagonal
    finite where every answer is right. Steps are measured by the curvature at the start, without which the
    strong correlation of log-probabilities costs hundreds of them.

    Args:
        logits: (N, K) logits or log-probabilities.
        labels: (N,) class indices.
        strength: above 0.
        start: a fit on nearly the same rows, to start from; default the temperature.
        curvature: :func:`curvature_at` of nearly the same rows; default of these at the start.
    """
    values, true = _columns(logits), check.array(labels)
    k, n = len(values) - 1, values.shape[1]
    first = scaled(fit_temperature(logits, labels), k).weight if start is None else start.weight
    pull = np.where(np.eye(k, k + 1) > 0, 1e-3 / n, strength / max(k * (k - 1), 1))
    pull[:, k] = strength / k
    steep = _curvature(values, first) if curvature is None else curvature
    steep = steep + 2 * np.diag(pull.ravel())
    # a class that never occurs leaves directions without curvature, in which Cholesky would fail
    steep += 1e-9 * np.trace(steep) / len(steep) * np.eye(len(steep))
    root = np.linalg.cholesky(steep)
    weight = fit_map(
        values,
        true,
        pull,
        first,
        to_weight=lambda steps: solve_triangular(root, steps, trans=1, lower=True).reshape(k, k + 1),
        to_slope=lambda slope: solve_triangular(root, slope.ravel(), lower=True),
        most=200,
    )
    return Dirichlet(weight, strength)


def scaled(temperature: Temperature, classes: int) -> Dirichlet:
    """A temperature written as the Dirichlet map that it is, the limit of an ever stronger penalty."""
    return Dirichlet(np.eye(classes, classes + 1) / temperature.temperature, np.inf)


def curvature_at(logits: ArrayLike, at: Dirichlet) -> Floats:
    """(K(K+1), K(K+1)) second derivative of the mean NLL in the weights, row by row.

    Read from every m-th case where there are more than 20,000: it only measures steps, no fit depends on it.
    """
    return _curvature(_columns(logits), at.weight)


def _curvature(values: Floats, weight: Floats) -> Floats:
    k = len(weight)
    size = k * (k + 1)
    curvature = np.zeros((size, size))
    # strided, not the first ones: rows often stand class by class
    values = values[:, :: max(1, values.shape[1] // STEP_CASES)]
    n = values.shape[1]
    for start in range(0, n, ROWS):
        part = values[:, start : start + ROWS]
        probs = softmax(weight @ part, axis=0)
        spread = (probs[:, None, :] * part).reshape(size, -1)
        curvature -= spread @ spread.T
        blocks = curvature.reshape(k, k + 1, k, k + 1)
        for c in range(k):
            blocks[c, :, c, :] += (part * probs[c]) @ part.T
    return np.asarray(curvature / n)


def _columns(logits: ArrayLike) -> Floats:
    """(K + 1, N) log-probabilities, and a row of ones for the intercept."""
    logs = log_softmax(bounded_columns(logits), axis=0)
    return np.concatenate([logs, np.ones((1, logs.shape[1]))])
