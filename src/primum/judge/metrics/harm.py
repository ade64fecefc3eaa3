"""What the mistakes cost, and how many of them can be fatal : ``docs/methods.md#severity``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check, ties
from primum.core.arrays import Array, Bools, Floats, Integers
from primum.core.check import InputError
from primum.judge.metrics.confusion import Confusion, count_pairs, ratio


def critical_classes(critical: Array) -> Bools:
    """(K,) bool: classes with a critical cell in their row of (K, K); the others are the negatives."""
    return np.asarray(critical.any(axis=1), dtype=np.bool_)


def critical_misses(labels: Array, decisions: Array, critical: Bools) -> tuple[Bools, Bools]:
    """(N,) errors in critical cells, and (N,) cases of critical classes, which are counted among.

    Args:
        labels, decisions: (N,) class indices. critical: (K, K), rows true, columns decided.
    """
    return critical[labels, decisions], critical_classes(critical)[labels]


def spared_negatives(labels: Array, decisions: Array, critical: Bools) -> tuple[Bools, Bools]:
    """(N,) answers of a negative class, and (N,) cases of one, which are counted among; see above."""
    negative = ~critical_classes(critical)
    return negative[decisions], negative[labels]


def silent_misses(
    labels: Array, decisions: Array, confidence: Array, critical: Bools, threshold: float
) -> tuple[Bools, Bools]:
    """(N,) critical errors at or above the threshold of a confidence (N,), and (N,) cases to count among."""
    missed, among = critical_misses(labels, decisions, critical)
    return missed & ties.at_least(confidence, threshold), among


def expected_cost(
    labels: ArrayLike, decisions: ArrayLike, cost: ArrayLike, priors: ArrayLike | None = None
) -> float:
    """Expected cost of a decision, ``Σ_i P_i Σ_d c[i, d] R[i, d]``, in units of ``cost``.

    Args:
        labels, decisions: (N,) class indices.
        cost: (K, K), rows true, columns decided.
        priors: (K,) deployment priors P, default the shares among ``labels``.

    Raises:
        InputError: when a class with a prior above 0 has no case.

    >>> expected_cost([0, 1, 1, 1], [0, 1, 0, 1], [[0, 1], [10, 0]])
    2.5
    """
    matrix = check.array(cost)
    return float(expected_cost_of(count_pairs(labels, decisions, len(matrix)), matrix, _shares(priors)))


def normalized_expected_cost(
    labels: ArrayLike, decisions: ArrayLike, cost: ArrayLike, priors: ArrayLike | None = None
) -> float:
    """Expected cost / that of the best constant decision; above 1 is worse than ignoring the image.

    >>> normalized_expected_cost([0, 1, 1, 1], [0, 1, 0, 1], [[0, 1], [10, 0]])
    10.0
    """
    matrix = check.array(cost)
    counts = count_pairs(labels, decisions, len(matrix))
    return float(normalized_expected_cost_of(counts, matrix, _shares(priors)))


def _shares(priors: ArrayLike | None) -> Floats | None:
    return None if priors is None else check.array(priors)


def expected_cost_of(counts: Confusion, cost: Floats, priors: Floats | None = None) -> Floats:
    """Expected cost of each set of counts (...)."""
    spent = counts.counts * cost[counts.true, counts.decided]
    if priors is None:
        return np.asarray(spent.sum(axis=-1) / counts.totals.sum(axis=-1))
    if counts.counts.ndim == 1 and ((counts.totals == 0) & (priors > 0)).any():
        raise InputError("every class with a deployment prior above 0 needs at least one case")
    by_class = Confusion(counts.true, counts.decided, spent, counts.classes).totals
    return np.asarray(ratio(by_class, counts.totals) @ priors)


def normalized_expected_cost_of(counts: Confusion, cost: Floats, priors: Floats | None = None) -> Floats:
    """Normalised expected cost of each set of counts (...); 0 where a constant decision costs nothing."""
    shares = counts.totals / counts.totals.sum(axis=-1, keepdims=True) if priors is None else priors
    constant = np.min(shares @ cost, axis=-1)
    spent = expected_cost_of(counts, cost, priors)
    return ratio(spent, np.broadcast_to(constant, np.shape(spent)))


def expected_cost_influence(
    labels: Integers, decisions: Integers, cost: Floats, priors: Floats | None = None
) -> Floats:
    """(N,) influence of each case on the expected cost; with ``priors`` cases weigh by their class."""
    spent = cost[labels, decisions]
    if priors is None:
        return np.asarray(spent - spent.mean())
    counts = np.bincount(labels, minlength=len(cost)).astype(np.float64)
    mean = ratio(np.bincount(labels, spent, len(cost)), counts)
    return np.asarray((spent - mean[labels]) * (priors * len(labels) / np.maximum(counts, 1))[labels])


def normalized_expected_cost_influence(
    labels: Integers, decisions: Integers, cost: Floats, priors: Floats | None = None
) -> Floats:
    """(N,) influence of each case on the normalised expected cost, the best constant decision held fixed."""
    shares = np.bincount(labels, minlength=len(cost)) / len(labels) if priors is None else priors
    totals = shares @ cost
    best = int(np.argmin(totals))
    spent = expected_cost_influence(labels, decisions, cost, priors)
    constant = expected_cost_influence(labels, np.full(len(labels), best), cost, priors)
    value = normalized_expected_cost(labels, decisions, cost, priors)
    return np.asarray((spent - value * constant) / totals[best])


def predictive_values(
    sensitivity: Floats, specificity: Floats, prevalence: Floats | float
) -> tuple[Floats, Floats]:
    """PPV and NPV of a two-class decision at a stated prevalence (Bayes' rule), each 0 to 1."""
    true_positive, false_positive = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    true_negative, false_negative = (1 - prevalence) * specificity, prevalence * (1 - sensitivity)
    return (
        ratio(true_positive, true_positive + false_positive),
        ratio(true_negative, true_negative + false_negative),
    )


def net_benefit(
    sensitivity: Floats, specificity: Floats, prevalence: Floats | float, threshold: float
) -> Floats:
    """``TP/n − FP/n · t/(1 − t)`` of a two-class decision, at most the prevalence (Vickers & Elkin 2006).

    ``threshold`` t in (0, 1) is the probability at which a false alarm and a miss weigh the same.
    """
    return prevalence * sensitivity - (1 - prevalence) * (1 - specificity) * threshold / (1 - threshold)


def rates(counts: Confusion, positive: int) -> tuple[Floats, Floats, Floats]:
    """Sensitivity, specificity and prevalence (...) of two-class counts, ``positive`` 0 or 1."""
    negative, totals = 1 - positive, counts.totals
    return (
        ratio(counts.hits[..., positive], totals[..., positive]),
        ratio(counts.hits[..., negative], totals[..., negative]),
        totals[..., positive] / totals.sum(axis=-1),
    )
