"""Linear maps of log-probabilities, held near the identity: what Dirichlet and structured scaling share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

from primum.core.arrays import Floats, Integers
from primum.judge.recalibration.recalibrators import parts, to_shares

Steps = Callable[[Floats], Floats]  # (K, K + 1) weights to steps (K · (K + 1)), or slopes likewise


def fit_map(
    values: Floats,
    true: Integers,
    pull: Floats,
    first: Floats,
    *,
    to_weight: Steps,
    to_slope: Steps,
    most: int,
) -> Floats:
    """(K, K + 1) weights of least mean NLL + ``Σ pull · (weight − identity)²``, by L-BFGS with its gradient.

    Args:
        values: (K + 1, N) log-probabilities and a row of ones. true: (N,) class indices.
        pull: (K, K + 1) strength of the penalty on each weight. first: (K, K + 1), where to start.
        to_weight: steps (K · (K + 1),) → change of the weights (K, K + 1), linear; the better it fits the
            curvature, the fewer steps are needed. to_slope: its transpose, slope by weight → slope by step.
        most: steps.
    """
    k, n = len(values) - 1, values.shape[1]
    same = np.eye(k, k + 1)
    together = np.stack([np.bincount(true, row, k) for row in values], axis=1)

    def loss(steps: Floats) -> tuple[float, Floats]:
        weight = first + to_weight(steps)
        total, slope = 0.0, np.zeros((k, k + 1))
        for part in parts(values):
            scores = weight @ part
            total += to_shares(scores)
            slope += scores @ part.T
        value = (total - (weight * together).sum()) / n + (pull * (weight - same) ** 2).sum()
        return float(value), to_slope((slope - together) / n + 2 * pull * (weight - same))

    solution = minimize(loss, np.zeros(k * (k + 1)), jac=True, method="L-BFGS-B", options={"maxiter": most})
    return np.asarray(first + to_weight(solution.x), dtype=np.float64)
