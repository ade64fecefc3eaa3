"""Which recalibrator to use: fitted on a split that is neither train nor test, chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Array, Floats, Integers
from primum.judge.metrics.calibration import FLOOR
from primum.judge.recalibration.dirichlet import Dirichlet, curvature_at, fit_dirichlet, scaled
from primum.judge.recalibration.isotonic import fit_isotonic, ranks
from primum.judge.recalibration.recalibrators import fit_temperature, fit_vector, unchanged
from primum.judge.recalibration.structured import curvature_at as blocks_at
from primum.judge.recalibration.structured import fit_structured

FOLDS = 5
ROWS_PER_CLASS = 10  # below, all but the temperature fit noise, and with many classes for minutes
BY_CLASS = ("vector", "dirichlet", "structured", "isotonic")  # all that learn of each class
MOST_CLASSES = {  # beyond, it takes minutes
    "dirichlet": 30,  # K² numbers, at five strengths
    "structured": 100,  # K² numbers
    "isotonic": 30,  # K step functions
}
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # of the Dirichlet penalty, weakest first
MANY_ROWS = 100_000  # beyond, every strength but the weakest only holds the fit back
Recalibrator = Callable[[ArrayLike], Floats]
Fit = Callable[[int], Recalibrator]  # fold held out → fitted on the others


@dataclass(frozen=True, eq=False)
class Chosen:
    """Every recalibrator fitted on the fit split, and the best of them.

    Attributes:
        best: name of the one with the least cross-validated NLL.
        fitted: name → recalibrator, ``"none"`` among them.
        cv_nll: name → NLL on held-out fifths of the fit split.
        left_out: name → why it was not fitted.
    """

    best: str
    fitted: Mapping[str, Recalibrator]
    cv_nll: Mapping[str, float]
    left_out: Mapping[str, str] = field(default_factory=dict)


def choose(
    logits: ArrayLike,
    labels: ArrayLike,
    clusters: Array | None,
    seed: int,
    inversion: Recalibrator | None = None,
) -> Chosen:
    """Fit every recalibrator on the fit split and name the best by 5-fold cross-validated NLL.

    All but the temperature are left out where the fit split holds fewer than ten rows per class, N < 10 K, or
    none at all of some class, or more classes than :data:`MOST_CLASSES`, and everything fitted where all rows
    are of one patient. The strength of the Dirichlet penalty is the one of
    :data:`STRENGTHS` with the least held-out NLL; each held-out fifth is scored with the strength the other
    four prefer. Above 100,000 rows only the weakest is fitted.

    Args:
        logits: (N, K) logits or log-probabilities.
        labels: (N,) class indices.
        clusters: (N,) patient of each case, kept in one fold, or None.
        seed: of the folds.
        inversion: of the loss the network was trained with, where it is known (:func:`inversion_for`).
    """
    values, true = check.array(logits), check.array(labels)
    fold = _folds(np.arange(len(true)) if clusters is None else clusters, seed)
    fitted: dict[str, Recalibrator] = {"none": unchanged}
    if inversion is not None:
        fitted["inversion"] = inversion
    losses = {name: _log_loss(method(values), true) for name, method in fitted.items()}
    left_out = _left_out(np.bincount(true, minlength=values.shape[1]), len(np.unique(fold)))
    held_out = partial(_held_out, values=values, true=true, fold=fold)
    if "temperature" not in left_out:
        fitted["temperature"] = even = fit_temperature(values, true)
        evens = {
            int(part): fit_temperature(values[fold != part], true[fold != part]) for part in np.unique(fold)
        }
        losses["temperature"] = held_out(evens.__getitem__)
    if "vector" not in left_out:
        fitted["vector"] = full = fit_vector(values, true)
        losses["vector"] = held_out(lambda part: fit_vector(values[fold != part], true[fold != part], full))
    if "dirichlet" not in left_out:
        start = scaled(even, values.shape[1])
        fitted["dirichlet"], losses["dirichlet"] = _dirichlet(values, true, fold, start)
    if "structured" not in left_out:
        steep = blocks_at(values, even)
        fitted["structured"] = whole = fit_structured(values, true, even, curvature=steep)
        losses["structured"] = held_out(
            lambda part: fit_structured(values[fold != part], true[fold != part], evens[part], whole, steep)
        )
    if "isotonic" not in left_out:
        order = ranks(values)
        fitted["isotonic"] = fit_isotonic(values, true, order=order)
        losses["isotonic"] = held_out(lambda part: fit_isotonic(values, true, fold != part, order))
    scores = {name: float(loss.mean()) for name, loss in losses.items()}
    return Chosen(min(scores, key=scores.__getitem__), fitted, scores, left_out)


def _left_out(counts: Integers, folds: int) -> dict[str, str]:
    """Name → why it is not fitted on so many rows of each class (K,) that fall into so many folds."""
    n, k, absent = int(counts.sum()), len(counts), int((counts == 0).sum())
    if folds < 2:
        why = "all fit rows are of one patient, so that none can be held out to judge by"
        return dict.fromkeys(("temperature", *BY_CLASS), why)
    if n < ROWS_PER_CLASS * k:
        why = f"at least {ROWS_PER_CLASS} fit rows per class are needed, {n} arrived for {k} classes"
        return dict.fromkeys(BY_CLASS, why)
    if absent:  # what is fitted class by class would learn that it never occurs, and win by that
        why = f"every class needs a fit row, {absent} of {k} classes have none"
        return dict.fromkeys(BY_CLASS, why)
    return {
        name: f"it is fitted for at most {most} classes, {k} arrived"
        for name, most in MOST_CLASSES.items()
        if k > most
    }


def _dirichlet(values: Array, true: Integers, fold: Integers, full: Dirichlet) -> tuple[Recalibrator, Floats]:
    """The fit with the strength preferred by held-out NLL, and (N,) losses with that of the other folds."""
    strengths = STRENGTHS if len(true) <= MANY_ROWS else STRENGTHS[:1]
    steep = curvature_at(values, full)

    def fit(part: int, strength: float, start: Dirichlet) -> Dirichlet:
        return fit_dirichlet(values[fold != part], true[fold != part], strength, start, steep)

    fits, losses = {}, np.empty((len(strengths), len(true)))
    # strongest first: each fit starts from the one before it, which lies near, and so takes few steps
    for row, strength in zip(losses[::-1], strengths[::-1], strict=True):
        fits[strength] = full = fit_dirichlet(values, true, strength, full, steep)
        row[:] = _held_out(partial(fit, strength=strength, start=full), values, true, fold)
    scored = np.empty(len(true))
    for part in np.unique(fold):
        inside = fold == part
        scored[inside] = losses[losses[:, ~inside].mean(axis=1).argmin(), inside]
    return fits[strengths[losses.mean(axis=1).argmin()]], scored


def _held_out(fit: Fit, values: Array, true: Integers, fold: Integers) -> Floats:
    """(N,) NLL of each case by the recalibrator fitted on the other folds."""
    losses = np.empty(len(true))
    for part in np.unique(fold):
        inside = fold == part
        losses[inside] = _log_loss(fit(int(part))(values[inside]), true[inside])
    return losses


def _folds(clusters: Array, seed: int) -> Integers:
    _, index = np.unique(clusters, return_inverse=True)
    groups = int(index.max()) + 1
    return np.random.default_rng(seed).permutation(np.arange(groups) % min(FOLDS, groups))[index]


def _log_loss(probs: Floats, labels: Integers) -> Floats:
    return -np.log(np.maximum(probs[np.arange(len(labels)), labels], FLOOR))
