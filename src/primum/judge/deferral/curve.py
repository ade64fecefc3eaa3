"""Threshold, share deferred and failure cost: one sort, ties as one group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check, ties
from primum.core.arrays import Floats, Integers
from primum.judge.metrics import selective


@dataclass(frozen=True, eq=False)
class DeferralCurve:
    """Every threshold that tells cases apart, from deferring all cases to deferring none.

    Attributes:
        threshold: (G + 1,) falling; accept at or above it. The first is infinite, each other a score seen.
        deferred: (G + 1,) share of cases below the threshold, from 1 to 0.
        cost: (G + 1,) failure cost per case: cost of the accepted cases and of the deferred ones, over N.
    """

    threshold: Floats
    deferred: Floats
    cost: Floats


def curve(confidence: ArrayLike, accepting: ArrayLike, deferring: ArrayLike) -> DeferralCurve:
    """Failure cost at every threshold.

    Args:
        confidence: (N,) higher = more trustworthy. accepting, deferring: (N,) cost of each of the two.

    >>> curve([0.9, 0.6], accepting=[0, 10], deferring=[1, 1]).cost.tolist()
    [1.0, 0.5, 5.0]
    """
    score, ranking = check.array(confidence), selective.rank(confidence)
    n, order = len(ranking.order), ranking.order
    saved = np.cumsum((check.array(accepting) - check.array(deferring))[order])[ranking.ends - 1]
    everything = float(np.sum(deferring))
    return DeferralCurve(
        np.r_[np.inf, score[order[ranking.ends - 1]]],
        1 - np.r_[0, ranking.ends] / n,
        np.r_[everything, everything + saved] / n,
    )


def at(curve: DeferralCurve, thresholds: ArrayLike) -> Integers:
    """(T,) points of a curve that thresholds (T,), also of other rows, come to: the same cases accepted."""
    # thresholds fall and searchsorted wants them rising, hence both signs
    floors = -ties.lowest(check.array(thresholds), curve.threshold[1:])
    return np.asarray(np.searchsorted(-curve.threshold, floors, side="right") - 1, dtype=np.int64)
