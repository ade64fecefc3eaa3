"""Isotonic calibration: a rising step function per class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.isotonic import isotonic_regression

from primum.core import check, ties
from primum.core.arrays import Bools, Floats, Integers
from primum.judge.recalibration.recalibrators import bounded


@dataclass(frozen=True, eq=False)
class Isotonic:
    """One rising step function per class, one-vs-rest, rows divided by their sum.

    A class without a fit row keeps its probability as it came, since nothing was learnt about it. A row in
    which every class is sent to 0 keeps all its probabilities as they came. Source: Zadrozny and Elkan, KDD
    2002.

    Attributes:
        steps: for each class the (M,) probabilities and (M,) shares between which lines are drawn, or None
            for a class without a fit row.
    """

    steps: tuple[tuple[Floats, Floats] | None, ...]

    def __call__(self, logits: ArrayLike) -> Floats:
        probs = softmax(bounded(logits), axis=1)
        columns = [
            probs[:, k] if step is None else np.interp(probs[:, k], *step)
            for k, step in enumerate(self.steps)
        ]
        raised = np.stack(columns, axis=1)
        total = raised.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 0, raised / np.where(total > 0, total, 1), probs))


def fit_isotonic(
    logits: ArrayLike, labels: ArrayLike, fit_on: Bools | None = None, order: Integers | None = None
) -> Isotonic:
    """Least squares among rising functions of each class's probability.

    Args:
        logits: (N, K) logits or log-probabilities.
        labels: (N,) class indices.
        fit_on: (N,) rows to fit on, default all.
        order: (N, K) :func:`ranks` of the logits, where they are known.
    """
    probs, true = softmax(bounded(logits), axis=1), check.array(labels)
    order = ranks(logits) if order is None else order
    present = np.bincount(true if fit_on is None else true[fit_on], minlength=probs.shape[1]) > 0
    steps: list[tuple[Floats, Floats] | None] = []
    for k, occurs in enumerate(present):
        rows = order[:, k] if fit_on is None else order[fit_on[order[:, k]], k]
        steps.append(_step(probs[rows, k], true[rows] == k) if occurs else None)
    return Isotonic(tuple(steps))


def ranks(logits: ArrayLike) -> Integers:
    """(N, K) rows in rising order of each class's probability.

    >>> ranks([[0.0, 1.0], [1.0, 0.0]])[:, 0].tolist()
    [0, 1]
    """
    return np.argsort(softmax(bounded(logits), axis=1), axis=0)


def _step(values: Floats, hits: Bools) -> tuple[Floats, Floats]:
    """Rising function of ascending ``values`` (N,) nearest to ``hits`` (N,), as the points where it bends."""
    first = ties.starts(values)
    count = np.diff(np.r_[first, len(values)])
    mean = np.add.reduceat(hits.astype(np.float64), first) / count
    share = isotonic_regression(mean, sample_weight=count, y_min=0, y_max=1)
    # of a flat stretch the two ends are enough, and np.interp is then fast however many rows were fitted
    rises = np.diff(share) != 0
    bends = np.r_[True, rises] | np.r_[rises, True]
    return values[first][bends], np.asarray(share)[bends]
