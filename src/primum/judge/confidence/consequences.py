"""Confidence in an answer by what it would do if it were wrong: chance of a critical error, expected cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Floats


def critical_mass(probs: ArrayLike, decisions: ArrayLike, critical: ArrayLike) -> Floats:
    """(N,) one minus the probability of the classes for which the answer is a critical error, 0 to 1.

    An answer that cannot be a critical error has 1, so all such answers are one tie group.

    Args:
        probs: (N, K). decisions: (N,) class index. critical: (K, K) bool, rows true, columns decided.

    >>> critical_mass([[0.7, 0.3], [0.2, 0.8]], [0, 1], [[False, False], [True, False]]).tolist()
    [0.7, 1.0]
    """
    fatal = check.array(critical)[:, check.array(decisions)].T
    return np.asarray(1 - (check.array(probs) * fatal).sum(axis=1), dtype=np.float64)


def expected_cost(probs: ArrayLike, decisions: ArrayLike, cost: ArrayLike) -> Floats:
    """(N,) negated expected cost of the answer, ``-Σ_i p_i c[i, d]``, in units of ``cost`` (K, K).

    >>> expected_cost([[0.5, 0.5], [0.25, 0.75]], [0, 1], [[0, 2], [10, 0]]).tolist()
    [-5.0, -0.5]
    """
    paid = check.array(probs) * check.array(cost)[:, check.array(decisions)].T
    return np.asarray(-paid.sum(axis=1), dtype=np.float64)
