"""Several confidence scores as one: each standardised, weighted, and added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from primum.core import ties
from primum.core.arrays import Floats


@dataclass(frozen=True)
class Weighted:
    """Log-odds of a good answer, ``intercept + Σ weight (score − mean) / scale``.

    Attributes:
        scores: the S names. mean, scale, weight: of each. intercept: of all.
    """

    scores: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    intercept: float

    def __call__(self, confidence: Mapping[str, Floats]) -> Floats:
        """(N,) from score name → (N,), higher = more trustworthy."""
        standard = (stacked(confidence, self.scores) - np.array(self.mean)) / np.array(self.scale)
        return np.asarray(self.intercept + standard @ np.array(self.weight), dtype=np.float64)


def stacked(confidence: Mapping[str, Floats], scores: Sequence[str]) -> Floats:
    """(N, S) from score name → (N,), settled: weights would widen what rounding left."""
    return np.stack([ties.settled(confidence[name]) for name in scores], axis=1)


def standardised(columns: Floats) -> tuple[Floats, Floats, Floats]:
    """Standardise (N, S) columns, a constant one only centred; with their (S,) means and scales.

    >>> standardised(np.array([[1.0], [3.0]]))[0].ravel().tolist()
    [-1.0, 1.0]
    """
    mean, scale = columns.mean(axis=0), columns.std(axis=0)
    # a constant score has no scale: centred it is 0 everywhere, and its weight says nothing
    scale = np.where(scale > 0, scale, 1.0)
    return (columns - mean) / scale, mean, scale
