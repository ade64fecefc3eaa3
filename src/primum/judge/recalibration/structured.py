"""Structured matrix scaling: a linear map after a temperature, its parts held by what each of them costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax

from primum.core import check
from primum.core.arrays import Floats
from primum.judge.recalibration.maps import fit_map
from primum.judge.recalibration.recalibrators import Temperature, bounded_columns, fit_temperature, to_shares

STEP_CASES = 2_000  # cases read for the curvature of a fit, which only measures its steps


@dataclass(frozen=True, eq=False)
class Structured:
    """``softmax((I + Δ) u + b)``, ``u = log((1 − ε) softmax(z / T) + ε / K)`` (Berta et al., AISTATS 2026).

    Attributes:
        temperature: T. uniform: ε, share of the uniform distribution mixed in, so that no u is far out.
        weight: (K, K + 1), I + Δ and b side by side; row k makes the new score of class k.
    """

    temperature: float
    uniform: float
    weight: Floats

    def __call__(self, logits: ArrayLike) -> Floats:
        return np.asarray(softmax(_columns(logits, self.temperature, self.uniform).T @ self.weight.T, axis=1))


def fit_structured(
    logits: ArrayLike,
    labels: ArrayLike,
    even: Temperature | None = None,
    start: Structured | None = None,
    curvature: Floats | None = None,
) -> Structured:
    """Minimise mean NLL + ``K/n (‖b‖² + ‖diag Δ‖²) + K(K − 1)/n ‖off-diagonal Δ‖²``, nothing to tune.

    The temperature is fitted first, without a penalty, and then stays; ε is 1 / (N + 1), as in the package of
    its authors, ``probmetrics``. The fewer the rows, the nearer the map stays to the temperature.

    Args:
        logits: (N, K) logits or log-probabilities. labels: (N,) class indices.
        even: the temperature of these rows, default fitted here.
        start: a fit on nearly the same rows, to start from; default no departure from the temperature.
        curvature: :func:`curvature_at` of nearly the same rows, default of these.
    """
    true = check.array(labels)
    even = fit_temperature(logits, labels) if even is None else even
    uniform = 1 / (len(true) + 1)
    values = _columns(logits, even.temperature, uniform)
    k, n = len(values) - 1, values.shape[1]
    pull = penalty(k, n)
    inverse = _roots(curvature_at(logits, even) if curvature is None else curvature, pull)
    weight = fit_map(
        values,
        true,
        pull,
        np.eye(k, k + 1) if start is None else start.weight,
        to_weight=lambda steps: np.einsum("kij,ki->kj", inverse, steps.reshape(k, k + 1)),
        to_slope=lambda slope: np.einsum("kij,kj->ki", inverse, slope).ravel(),
        most=500,
    )
    return Structured(even.temperature, uniform, weight)


def penalty(classes: int, rows: int) -> Floats:
    """(K, K + 1) strength on each weight: the number of weights of its kind, over the rows.

    >>> penalty(3, 6).tolist()
    [[0.5, 1.0, 1.0, 0.5], [1.0, 0.5, 1.0, 0.5], [1.0, 1.0, 0.5, 0.5]]
    """
    strength = np.full((classes, classes + 1), classes * (classes - 1) / rows)
    strength[:, classes] = classes / rows
    np.fill_diagonal(strength, classes / rows)
    return strength


def curvature_at(logits: ArrayLike, even: Temperature) -> Floats:
    """(K, K + 1, K + 1) second derivative of the mean NLL in the weights of each class, at the temperature.

    What ties two classes' weights together is left out: the correlation of log-probabilities lies within a
    class, and with 100 classes the whole would hold 10⁸ numbers. Read from every m-th case.
    """
    rows = check.array(logits)
    values = _columns(rows[:: max(1, len(rows) // STEP_CASES)], even.temperature, 1 / (len(rows) + 1))
    shares = np.exp(values[:-1])
    spread = shares * (1 - shares)
    blocks = [(values * each) @ values.T for each in spread]
    return np.asarray(np.stack(blocks) / values.shape[1], dtype=np.float64)


def _roots(curvature: Floats, pull: Floats) -> Floats:
    """(K, K + 1, K + 1) inverse Cholesky factors of each class's curvature with its penalty."""
    steep = curvature.copy()
    diagonal = np.einsum("kii->ki", steep)  # a view
    # the rounding of a class that never occurs would leave Cholesky without a positive number
    diagonal += 2 * pull + 1e-9 * diagonal.mean(axis=1, keepdims=True)
    return np.asarray(np.linalg.inv(np.linalg.cholesky(steep)), dtype=np.float64)


def _columns(logits: ArrayLike, temperature: float, uniform: float) -> Floats:
    """(K + 1, N) of u, and a row of ones for the intercept."""
    shares = bounded_columns(logits) / temperature
    to_shares(shares)
    logs = np.log((1 - uniform) * shares + uniform / len(shares))
    return np.concatenate([logs, np.ones((1, logs.shape[1]))])
