"""How sure a share is: exact intervals, on as many independent cases as the patients are worth."""

from __future__ import annotations

import numpy as np
from scipy.stats import beta, t

from primum.core.arrays import Array
from primum.judge.statistics.interval import LEVEL, Estimate


def proportion(hits: float, n: float, note: str = "") -> Estimate:
    """Exact (Clopper–Pearson) interval of hits / n; neither need be whole. Never of zero width.

    >>> round(proportion(0, 10).high, 3)
    0.308
    """
    share, misses, alpha = hits / n, n - hits, 1 - LEVEL
    low = float(beta.ppf(alpha / 2, hits, misses + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(1 - alpha / 2, hits + 1, misses)) if misses > 0 else 1.0

    def tails(limit: float) -> tuple[float, float]:
        not_below = 2 * float(beta.sf(limit, hits + 1, misses)) if misses > 0 else 1.0
        not_above = 2 * float(beta.cdf(limit, hits, misses + 1)) if hits > 0 else 1.0
        return min(not_below, 1.0), min(not_above, 1.0)

    return Estimate(share, low, high=high, n=round(n), tails=tails, note=note)


def at_most(hits: int, n: int, sure: float = LEVEL) -> float:
    """What a share stays at or below, one-sided and exact (Clopper & Pearson, Biometrika 1934); n above 0.

    >>> round(at_most(0, 59), 3), at_most(3, 3)
    (0.05, 1.0)
    """
    return float(beta.ppf(sure, hits + 1, n - hits)) if hits < n else 1.0


def share(hits: Array, clusters: Array | None) -> Estimate:
    """Interval of the mean of hits, whose cases are alike within a patient.

    Exact on ``n / design effect`` cases, times ``(t_{n−1} / t_{m−1})²`` for a design effect read off m
    patients (Korn and Graubard, Survey Methodology 1998), and never tighter than the exact bound after no
    hit, or only hits, in m patients: one or two hits cannot show how alike the cases of a patient are.

    Args:
        hits: (n,) in [0, 1], 0 or 1 for a count. clusters: (n,) int, the patient of each case, or None.
    """
    values = hits.astype(np.float64)
    n, mean = len(values), float(values.mean())
    if clusters is None:
        return proportion(float(values.sum()), n)
    patients = len(np.unique(clusters))
    effect = design_effect(values, clusters)
    size = n / effect
    if (
        patients > 1 and n > patients and 0 < mean < 1
    ):  # else the effect cannot be read off and is taken at its worst
        widening = float(t.ppf((1 + LEVEL) / 2, n - 1) / t.ppf((1 + LEVEL) / 2, patients - 1))
        size = max(size * widening**2, min(size, 1.0))
    inner, none = proportion(mean * size, size), proportion(0.0, float(patients))
    # never tighter than if each patient were one case of which none, or all, was a hit
    low, high = min(inner.low, 1 - none.high), max(inner.high, none.high)

    def tails(limit: float) -> tuple[float, float]:
        below, above = inner.tails(limit)
        return max(below, none.tails(limit)[0]), max(above, none.tails(1 - limit)[0])

    note = f"exact interval on {n} / {n / size:.2f} cases of {patients} patients, which are alike"
    return Estimate(mean, low, high=high, n=n, tails=tails, note=note if n > patients else "")


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """The same estimate times a positive factor: a share as a count."""

    def tails(limit: float) -> tuple[float, float]:
        return estimate.tails(limit / factor)

    values = (estimate.value * factor, estimate.low * factor, estimate.high * factor)
    return Estimate(*values, estimate.n, tails, estimate.note)


def design_effect(hits: Array, clusters: Array | None) -> float:
    """Variance of a share among clustered cases over that among independent ones, at least 1.

    With no hit or only hits the variance cannot be seen: then cases per cluster (a patient counts once).

    Args:
        hits: (n,) bool or 0/1.
        clusters: (n,) int, the patient of each case, or None.
    """
    if clusters is None:
        return 1.0
    # variance of the sum over clusters of their residuals, against n times that of one independent case
    values = hits.astype(np.float64)
    n, mean = len(values), float(values.mean())
    _, index = np.unique(clusters, return_inverse=True)
    count = int(index.max()) + 1
    if mean in (0.0, 1.0) or count < 2:
        return n / count
    residuals = np.bincount(index, weights=values - mean, minlength=count)
    variance = count / (count - 1) * float(residuals @ residuals)
    return max(1.0, variance / (n * mean * (1 - mean)))


def unmoved(
    value: float, n: int, bounds: tuple[float, float], patients: int | None = None, noun: str = "cases"
) -> Estimate:
    """Interval of a metric that no resampling moves, since nothing (or everything) went wrong.

    As wide as the exact upper bound on a share never seen allows, times the range of the metric.

    Args:
        value: the metric. n: cases it stands on. bounds: range of the metric.
        patients: independent units among these cases, default n. noun: what they are called.
    """
    units = max(n if patients is None else patients, 1)
    half = proportion(0.0, units).high * (bounds[1] - bounds[0])
    low, high = max(value - half, bounds[0]), min(value + half, bounds[1])

    def tails(limit: float) -> tuple[float, float]:
        return (1 - LEVEL if limit > high else 1.0), (1 - LEVEL if limit < low else 1.0)

    note = (
        f"nothing of the kind was seen in {units} {noun}: the interval is the exact bound on what could be "
        "missed"
    )
    return Estimate(value, low, high=high, n=n, tails=tails, note=note)
