"""Thresholds on a confidence score, read from fit rows: by capacity and by cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from primum.core import ties
from primum.judge.deferral.curve import curve

ROUNDING = 1e-9


def by_capacity(confidence: ArrayLike, capacity: float) -> float:
    """Highest score at which at most ``capacity`` of the cases lie below it.

    Cases of one score are deferred together or not at all, so ties never exceed the capacity.

    Args:
        confidence: (N,) higher = more trustworthy. capacity: share of cases a reader can take, 0 to 1.

    >>> by_capacity([0.9, 0.6, 0.8, 0.7], 0.25)  # one of four lies below
    0.7
    """
    score = np.sort(ties.settled(confidence))
    deferrable = int(np.floor(capacity * len(score) + ROUNDING))
    return float(score[min(deferrable, len(score) - 1)])


def by_cost(confidence: ArrayLike, accepting: ArrayLike, deferring: ArrayLike) -> float:
    """Threshold of least failure cost on these cases; among equals the one that defers fewest.

    Infinite where deferring every case costs least, minus infinite where deferring none does.

    Args:
        confidence: (N,) higher = more trustworthy. accepting, deferring: (N,) cost of each of the two.

    >>> by_cost([0.9, 0.8, 0.6], accepting=[0, 0, 10], deferring=[1, 1, 1])
    0.8
    """
    costs = curve(confidence, accepting, deferring)
    cheapest = costs.cost.min()
    near = costs.cost <= cheapest + ROUNDING * max(1.0, abs(float(cheapest)))
    best = int(np.flatnonzero(near)[-1])
    return -np.inf if best == len(near) - 1 else float(costs.threshold[best])
