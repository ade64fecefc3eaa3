"""One answer out of several members': multinomial logistic regression on their log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from primum.core import check
from primum.core.arrays import Array, Floats, Integers
from primum.core.check import InputError
from primum.judge.metrics.calibration import FLOOR

FOLDS = 5
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2)  # scikit-learn's C: a small one holds the weights small


@dataclass(frozen=True, eq=False)
class Stacking:
    """Weights of a stacking fitted on the fit split, and what it said of rows it was not fitted on.

    Attributes:
        model: the fitted scikit-learn pipeline, standardisation and logistic regression.
        strength: C that was chosen.
        held_out: (N, K) probabilities of the fit rows, each from the folds it does not lie in, C included.
        cv_nll: mean negative log-likelihood of ``held_out``, natural logarithm.
    """

    model: Any
    strength: float
    held_out: Floats
    cv_nll: float

    def __call__(self, log_probs: ArrayLike) -> Floats:
        """(N, K) probabilities for the members' log-probabilities (M, N, K)."""
        return np.asarray(self.model.predict_proba(_features(log_probs)), dtype=np.float64)


def fit(log_probs: ArrayLike, labels: ArrayLike, fold: ArrayLike) -> Stacking:
    """Fit stacking (Wolpert 1992; with log-probabilities, a calibrated one, as it minimises their NLL).

    C is the one of least cross-validated NLL. The answers ``held_out`` are nested: for each fold C is chosen
    among the other folds, and the weights are fitted on them.

    Args:
        log_probs: (M, N, K) of M members, natural logarithm; below log(1e-12) counts as that.
        labels: (N,) class indices.
        fold: (N,) int, as :func:`folds` gives it.

    Raises:
        InputError: when a class lies in fewer than three folds, so that two may not be left out.
    """
    values, true, parts = _features(log_probs), check.array(labels), check.array(fold)
    names, k = np.unique(parts), check.array(log_probs).shape[2]
    spread = [len(np.unique(parts[true == label])) for label in range(k)]
    if len(names) < 3 or min(spread) < 3:
        raise InputError(
            f"stacking: every class needs fit rows in at least 3 folds, class number "
            f"{int(np.argmin(spread)) + 1} has them in {min(spread)}; combine by the mean instead"
        )
    losses = np.full((len(STRENGTHS), len(names), len(names)), np.nan)  # of the second fold, without both
    for at, strength in enumerate(STRENGTHS):
        for i, first in enumerate(names):
            for j, second in enumerate(names[:i]):
                inside = (parts != first) & (parts != second)
                model = _fitted(values[inside], true[inside], strength)
                for left, scored, out in ((i, j, second), (j, i, first)):
                    losses[at, left, scored] = _nll(model, values[parts == out], true[parts == out]).sum()
    held_out = np.empty((len(true), k))
    for i, name in enumerate(names):
        out = parts == name
        # nansum skips the diagonal: no fold is left out twice
        best = STRENGTHS[int(np.argmin(np.nansum(losses[:, i], axis=1)))]
        held_out[out] = _fitted(values[~out], true[~out], best).predict_proba(values[out])
    totals = np.zeros(len(STRENGTHS))
    for at, strength in enumerate(STRENGTHS):
        for name in names:
            out = parts == name
            totals[at] += _nll(_fitted(values[~out], true[~out], strength), values[out], true[out]).sum()
    strength = STRENGTHS[int(np.argmin(totals))]
    return Stacking(_fitted(values, true, strength), strength, held_out, float(nll(held_out, true).mean()))


def folds(labels: ArrayLike, classes: Sequence[str], clusters: Array | None, seed: int = 0) -> Integers:
    """(N,) number of the fold, 0 to 4: patients (N,) kept together, classes spread evenly.

    Raises:
        InputError: when a class has fewer than five patients, or cases where none are known.
    """
    true = check.array(labels)
    units = np.arange(len(true)) if clusters is None else clusters
    of = "cases" if clusters is None else "patients"
    counts = [len(np.unique(units[true == label])) for label in range(len(classes))]
    if min(counts) < FOLDS:
        raise InputError(
            f"stacking: at least {FOLDS} {of} of every class are needed among the fit rows, "
            f"{classes[int(np.argmin(counts))]} has {min(counts)}; combine by the mean instead"
        )
    fold = np.empty(len(true), dtype=np.int64)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for at, (_, rows) in enumerate(splitter.split(true, true, units)):
        fold[rows] = at
    return fold


def nll(probs: ArrayLike, labels: ArrayLike) -> Floats:
    """(N,) negative log-likelihood of probabilities (N, K), floored at 1e-12.

    >>> nll([[1.0, 0.0]], [0]).tolist()
    [-0.0]
    """
    p, true = check.array(probs), check.array(labels)
    return np.asarray(-np.log(np.maximum(p[np.arange(len(true)), true], FLOOR)), dtype=np.float64)


def _features(log_probs: ArrayLike) -> Floats:
    """(N, M·K), member by member."""
    values = np.maximum(check.array(log_probs).astype(np.float64), np.log(FLOOR))
    return values.transpose(1, 0, 2).reshape(values.shape[1], -1)


def _fitted(values: Floats, labels: Integers, strength: float) -> Any:
    regression = LogisticRegression(C=strength, max_iter=1000)
    return make_pipeline(StandardScaler(), regression).fit(values, labels)


def _nll(model: Any, values: Floats, labels: Integers) -> Floats:
    return nll(model.predict_proba(values), labels)
