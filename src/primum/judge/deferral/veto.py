"""Has such a case been seen? A conformal test of novelty, asked before confidence is (docs/methods.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import beta as beta_law

from primum.core import check, ties
from primum.core.arrays import Array, Bools, Floats, Integers

RATE = 0.05
SURE = 0.95  # how sure the bound of the false-veto rate is
ROUNDING = 1e-9


@dataclass(frozen=True)
class Gate:
    """A novelty score's lowest value that passes, and how often a known-like unit falls below it.

    Attributes:
        threshold: a case passes at or above it. rate: false vetoes asked for, at most, on average.
        k: rank of the threshold among the minima of the units, from the lowest. units: n of them.
        bound: 95 % bound of the false-veto rate, whose law these units being what they are is
            Beta(k, n + 1 − k).
    """

    threshold: float
    rate: float
    k: int
    units: int
    bound: float

    def passes(self, novelty: ArrayLike) -> Bools:
        """(N,) whether each score (N,), higher = more like what was seen, is at or above the threshold."""
        return ties.at_least(novelty, self.threshold)


def minima(novelty: ArrayLike, clusters: Array | None) -> Floats:
    """(U,) lowest score of each unit: of each patient, or every score (N,) where ``clusters`` is None.

    >>> minima([0.3, 0.1, 0.9], np.array([7, 7, 8])).tolist()
    [0.1, 0.9]
    """
    scores = check.array(novelty).astype(np.float64)
    if clusters is None:
        return scores
    _, unit = np.unique(clusters, return_inverse=True)
    lowest = np.full(int(unit.max(initial=-1)) + 1, np.inf)
    np.minimum.at(lowest, unit, scores)
    return lowest


def rank(rate: float, units: int) -> int:
    """k = ⌊rate · (units + 1)⌋; 0 where the units are too few to veto at that rate.

    >>> rank(0.05, 19), rank(0.05, 18)
    (1, 0)
    """
    return int(np.floor(rate * (units + 1) + ROUNDING))


def fewest(rate: float) -> int:
    """Smallest number of units that allows a veto at a rate: 19 at 5 %."""
    return int(np.ceil(1 / rate - 1 - ROUNDING))


def gate(lowest: ArrayLike, rate: float = RATE) -> Gate:
    """The gate of units none of which shaped the score, with minima (U,), at least :func:`fewest` of them.

    A unit that is exchangeable with them falls below the threshold, the k-th smallest minimum, with a chance
    of at most ``rate``: its conformal p-value is at most ``rate`` (Bates, Candès, Lei, Romano & Sesia, Annals
    of Statistics 2023).

    >>> gate(np.arange(100.0)).threshold, round(gate(np.arange(150.0)).bound, 3)
    (4.0, 0.077)
    """
    ordered = np.sort(ties.settled(lowest))
    k, n = rank(rate, len(ordered)), len(ordered)
    return Gate(float(ordered[k - 1]), rate, k, n, bound(k, n))


def bound(k: int, units: int) -> float:
    """What the false-veto rate stays at or below, 95 % sure: a quantile of Beta(k, units + 1 − k)."""
    return float(beta_law.ppf(SURE, k, units + 1 - k))


def p_values(novelty: ArrayLike, lowest: ArrayLike) -> Floats:
    """(N,) chance that a known-like unit looks as new: ``(1 + #{minima ≤ score}) / (U + 1)``.

    >>> p_values([0.5, 9.0], [0.0, 1.0, 2.0]).tolist()
    [0.5, 1.0]
    """
    ordered = np.sort(check.array(lowest).astype(np.float64))
    below: Integers = np.searchsorted(ordered, check.array(novelty), side="right")
    return np.asarray((1 + below) / (len(ordered) + 1), dtype=np.float64)
