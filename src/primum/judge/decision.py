"""From probabilities to an answer, see ``docs/methods.md#decisions``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check, ties
from primum.core.arrays import Bools, Floats, Integers
from primum.core.check import InputError
from primum.judge.metrics.harm import critical_classes


def argmax(probs: ArrayLike) -> Integers:
    """(N,) most probable class of probabilities or logits (N, K); the first of those equal up to rounding.

    >>> argmax([[0.2, 0.8], [0.5, 0.5]]).tolist()
    [1, 0]
    """
    return ties.first_largest(probs)


def bayes(probs: ArrayLike, cost: ArrayLike) -> Integers:
    """(N,) decision of least expected cost, ``argmin_d Σ_i p_i c[i, d]``; the first where several tie.

    Args:
        probs: (N, K) *calibrated* probabilities.
        cost: (K, D), rows true; a column beyond K is a further decision, such as deferring.

    >>> bayes([[0.8, 0.2]], [[0, 1], [10, 0]]).tolist()
    [1]
    """
    costs = check.array(cost)
    # in units of the largest cost, so that what counts as a tie does not depend on the unit of the matrix
    return ties.first_largest(-(check.array(probs) @ costs) / (np.abs(costs).max() or 1.0))


def critical_mass(probs: ArrayLike, critical: ArrayLike) -> Floats:
    """(N,) probability that a critical class is the true one: sum of probs (N, K) over the critical classes.

    ``critical`` (K, K) bool; a class is critical when its row has a cell. Raises InputError when no class is
    critical or every class is: then there is no mass to weigh.

    >>> critical_mass([[0.75, 0.25]], [[False, False], [True, False]]).tolist()
    [0.25]
    """
    fatal = _fatal(critical)
    return np.asarray(check.array(probs)[:, fatal].sum(axis=1), dtype=np.float64)


def by_critical_mass(probs: ArrayLike, critical: ArrayLike, threshold: float) -> Integers:
    """(N,) decisions: a critical class where the critical mass is at or above ``threshold``, else a negative.

    Within the critical classes, and within the negatives, the most probable one is answered (the first where
    several tie). So at a threshold t of two classes this is "critical where p ≥ t".
    """
    p, fatal = check.array(probs), _fatal(critical)
    called = ties.at_least(critical_mass(p, critical), threshold)
    inside, outside = np.flatnonzero(fatal), np.flatnonzero(~fatal)
    answers = np.where(called, inside[argmax(p[:, fatal])], outside[argmax(p[:, ~fatal])])
    return np.asarray(answers, dtype=np.int64)


def _fatal(critical: ArrayLike) -> Bools:
    fatal = critical_classes(check.array(critical))
    if fatal.all() or not fatal.any():
        raise InputError(
            f"critical: at least one critical class and one negative are needed, {int(fatal.sum())} of "
            f"{len(fatal)} classes are critical"
        )
    return fatal


def reprior(probs: ArrayLike, priors: ArrayLike, new_priors: ArrayLike) -> Floats:
    """Probabilities (N, K) moved from one prevalence to another: ``p'_i ∝ p_i P'_i / P_i``.

    A class of old prior 0 keeps probability 0.

    >>> reprior([[0.5, 0.5]], [0.5, 0.5], [0.9, 0.1]).tolist()
    [[0.9, 0.1]]
    """
    old, new = check.array(priors), check.array(new_priors)
    factor = np.divide(new, old, out=np.zeros(len(old)), where=old > 0)
    moved = check.array(probs) * factor
    return np.asarray(moved / np.maximum(moved.sum(axis=1, keepdims=True), 1e-300), dtype=np.float64)
