"""Thresholds on a confidence score, read from fit rows: by capacity and by cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from primum.core import ties
from primum.judge.deferral.curve import curve

ROUNDING = 1e-9


def by_capacity(confidence: Any, capacity: float) -> float:
    """Highest score at which at most ``capacity`` of the cases lie below it.

    Cases of one score are deferred together or not at all, so ties never exceed the capacity.

    Args:
        confidence: (N,) higher = more trustworthy. capacity: share of cases a reader can take, 0 to 1.
    """
    score = np.sort(ties.settled(confidence))
    most = int(np.floor(capacity * len(score) + ROUNDING))
    return float(score[min(most, len(score) - 1)])


def by_cost(confidence: Any, accepting: Any, deferring: Any) -> float:
    """Threshold of least failure cost on these cases; among equals the one that defers fewest.

    Infinite where deferring every case costs least, minus infinite where deferring none does.

    Args:
        confidence: (N,) higher = more trustworthy. accepting, deferring: (N,) cost of each of the two.
    """
    found = curve(confidence, accepting, deferring)
    least = found.cost.min()
    near = found.cost <= least + ROUNDING * max(1.0, abs(float(least)))
    best = int(np.flatnonzero(near)[-1])
    return -np.inf if best == len(near) - 1 else float(found.threshold[best])
