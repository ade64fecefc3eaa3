"""The independent units of a promise: cases, one case per patient, or each patient's worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from primum.core import ties
from primum.core.arrays import Array, Floats, Integers


@dataclass(frozen=True, eq=False)
class Units:
    """Cases gathered into units that are independent of each other.

    A unit is accepted when one of its cases is, and its loss is the largest among its accepted cases.

    Attributes:
        top: (U,) highest score of each unit, rising.
        score: (N,) score of each case, rising. left: (N + 1,) loss that cases from here on add up to.
        binary: whether every loss is 0 or 1.
    """

    top: Floats
    score: Floats
    left: Floats
    binary: bool

    @property
    def count(self) -> int:
        """U."""
        return len(self.top)

    def cuts(self, coverages: Sequence[float]) -> Floats:
        """Scores above which each share of the units lies (less where scores tie), strictest first."""
        ranked = np.append(self.top[::-1], -np.inf)
        # 0.15 of 20 units is 2.9999… in floating point
        counts = np.floor(np.sort(np.asarray(coverages)) * self.count + 1e-9).astype(np.int64)
        return np.unique(ranked[counts])[::-1]

    def accepted(self, cuts: Floats) -> Integers:
        """(C,) units with a case above each cut."""
        return np.asarray(self.count - np.searchsorted(self.top, cuts, side="right"), dtype=np.int64)

    def loss(self, cuts: Floats) -> Floats:
        """(C,) sum over units of the largest loss among their cases above each cut."""
        return np.asarray(self.left[np.searchsorted(self.score, cuts, side="right")], dtype=np.float64)


def gathered(score: ArrayLike, value: ArrayLike, clusters: Array | None, binary: bool) -> Units:
    """Units of cases; every case is its own where ``clusters`` is None.

    Args:
        score: (N,) higher = more trustworthy. value: (N,) loss of each case when accepted, 0 to 1.
        clusters: (N,) int, patient of each case, or None.

    >>> units = gathered([0.9, 0.8, 0.7], [0, 1, 0], np.array([5, 5, 6]), binary=True)
    >>> units.count, units.loss(np.array([0.85, 0.0])).tolist()
    (2, [0.0, 1.0])
    """
    top, adds = ties.settled(score), np.asarray(value, dtype=np.float64)
    cases = top
    if clusters is not None and len(top):
        rows = np.lexsort((-top, clusters))  # unit by unit, the most confident case first
        unit = np.unique(np.asarray(clusters)[rows], return_inverse=True)[1]
        first = np.r_[True, unit[1:] != unit[:-1]]
        # losses lie in 0..1, so a step of 2 from unit to unit starts the running maximum anew in each of them
        cases, worst = top[rows], np.maximum.accumulate(adds[rows] + 2.0 * unit) - 2.0 * unit
        adds = worst - np.where(first, 0.0, np.r_[0.0, worst[:-1]])  # what each case adds to its unit's loss
        top = cases[first]
    order = np.argsort(cases)
    left = np.append(np.cumsum(adds[order][::-1])[::-1], 0.0)
    return Units(np.sort(top), cases[order], left, binary)


def sampled(clusters: Array, confidence: Floats, seed: int) -> Integers:
    """Rows of one case per patient, drawn without looking at labels or at the order of the rows.

    Args:
        clusters: (N,) int, patient of each case. confidence: (N,). seed: of the draw.
    """
    # by confidence within a patient, so that the draw does not follow the order of the rows
    order = np.lexsort((confidence, clusters))
    _, first, size = np.unique(clusters[order], return_index=True, return_counts=True)
    draw = (np.random.default_rng(seed).random(len(first)) * size).astype(np.int64)
    return np.asarray(order[first + draw], dtype=np.int64)
