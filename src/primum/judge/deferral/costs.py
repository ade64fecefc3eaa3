"""What a deferred case costs: the reader's time, and the reader's own mistakes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from primum.core.arrays import Floats, Integers

ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Reader:
    """Who answers the deferred cases.

    Attributes:
        cost: of one deferral, 0 or more, in units of the severity matrix.
        error: (K,) share of the cases of each true class that the reader answers wrongly, or None for never.
    """

    cost: float = 0.0
    error: Floats | None = None

    def by_class(self, severity: Floats) -> Floats:
        """(K,) expected cost of deferring a case of each true class.

        ``cost + error_y · mean of c[y, d] over d ≠ y``: a reader's mistakes are taken to spread evenly over
        the other classes (an assumption of ours; no source tells where readers err).

        >>> Reader(1.0, np.array([0.5, 0.0])).by_class(np.array([[0.0, 4.0], [2.0, 0.0]])).tolist()
        [3.0, 1.0]
        """
        k = len(severity)
        wrong = severity.sum(axis=1) / (k - 1)
        return np.asarray(self.cost + (0.0 if self.error is None else self.error) * wrong + np.zeros(k))


def spent(labels: Integers, decisions: Integers, severity: Floats, reader: Reader) -> tuple[Floats, Floats]:
    """Cost of accepting and of deferring each case, both (N,), from labels, decisions and severity (K, K)."""
    return severity[labels, decisions].astype(np.float64), reader.by_class(severity)[labels]


def never_useful(severity: Floats, reader: Reader, bayes: bool) -> bool:
    """Whether no case can gain from being deferred, whatever the model says of it.

    With Bayes decisions: ``max_p min_d Σ_i p_i (c[i, d] − g_i) ≤ 0``, a linear programme over p, where g_i is
    the cost of deferring a case of class i. With any other rule: no cell costs more than deferring its row.

    Args:
        severity: (K, K). reader: who answers instead. bayes: whether answers minimise the expected cost.
    """
    deferring = reader.by_class(severity)
    if not bayes:
        return bool((severity <= deferring[:, None] * (1 + ROUNDING)).all())
    k = len(severity)
    # variables p and t: t is at most the expected cost of every answer, and t − Σ p_i g_i is maximised
    solution = linprog(
        c=np.r_[deferring, -1.0],
        A_ub=np.c_[-severity.T, np.ones(k)],
        b_ub=np.zeros(k),
        A_eq=np.r_[np.ones(k), 0.0][None, :],
        b_eq=[1.0],
        bounds=[(0, 1)] * k + [(None, None)],
    )
    return float(-solution.fun) <= ROUNDING * max(1.0, float(severity.max()))
