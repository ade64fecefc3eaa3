"""Is 87 % confidence 87 % accuracy? See ``docs/methods.md#calibration``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from primum.core import check, ties
from primum.core.arrays import Array, Bools, Floats, Integers
from primum.judge import decision
from primum.judge.statistics.interval import LEVEL, Estimate, Resampler, quantile
from primum.judge.statistics.shares import unmoved

BINS = 15
FLOOR = 1e-12
REDRAWS = 100


def equal_width(values: Array, bins: int = BINS) -> Integers:
    """Bin in [0, bins) of each value in [0, 1]; bins are (l, u], and 0 falls in the first.

    A value that differs from an edge by rounding alone lies on it.
    """
    # ceil gives 1 to bins for (l, u]; the slack takes what lies on an edge but for rounding to the bin below
    index = np.ceil(values * bins - bins * ties.RELATIVE).astype(np.int64) - 1
    return np.asarray(np.clip(index, 0, bins - 1))


def equal_mass(values: Array, bins: int = BINS) -> Integers:
    """Bin in [0, bins) of each value so that bins hold about equally many; equal values share a bin."""
    settled = ties.settled(values)
    edges = np.quantile(settled, np.arange(1, bins) / bins, method="lower")
    return np.asarray(np.searchsorted(edges, settled, side="left"), dtype=np.int64)


def ece(labels: ArrayLike, probs: ArrayLike, bins: int = BINS) -> float:
    """Top-label expected calibration error, equal-width bins (l, u], 0 to 1 (Guo et al., ICML 2017).

    Args:
        labels: (N,) class indices.
        probs: (N, K) probabilities.

    >>> round(ece([0, 1], [[0.8, 0.2], [0.8, 0.2]]), 6)
    0.3
    """
    confidence, right = top_label(labels, probs)
    return _gap(equal_width(confidence, bins), confidence - right, bins)


def ece_equal_mass(labels: ArrayLike, probs: ArrayLike, bins: int = BINS) -> float:
    """Top-label expected calibration error, bins of equal mass, 0 to 1 (Nguyen & O'Connor, EMNLP 2015)."""
    confidence, right = top_label(labels, probs)
    return _gap(equal_mass(confidence, bins), confidence - right, bins)


def classwise_ece(labels: ArrayLike, probs: ArrayLike, bins: int = BINS) -> float:
    """Mean over the K classes of the equal-width ECE of each probability, 0 to 1 (Kull et al. 2019)."""
    true, p = check.array(labels), check.array(probs)
    gaps = [_gap(equal_width(p[:, k], bins), p[:, k] - (true == k), bins) for k in range(p.shape[1])]
    return float(np.mean(gaps))


def top_label(labels: ArrayLike, probs: ArrayLike) -> tuple[Floats, Bools]:
    """(N,) confidence of the most probable class, and (N,) whether it is the label."""
    p = check.array(probs)
    top = decision.argmax(p)
    return np.asarray(p[np.arange(len(p)), top], dtype=np.float64), top == check.array(labels)


def _gap(index: Integers, difference: Floats, bins: int) -> float:
    return float(np.abs(np.bincount(index, difference, bins)).sum() / len(index))


def brier_losses(labels: ArrayLike, probs: ArrayLike) -> Floats:
    """(N,) ``Σ_k (p_k − y_k)²`` of each case."""
    p = check.array(probs)
    true = p[np.arange(len(p)), check.array(labels)]
    # Σ (p_k − y_k)² = Σ p_k² − 2 p_y + 1, without an array of labels (N, K)
    return np.asarray(np.einsum("ij,ij->i", p, p) - 2 * true + 1, dtype=np.float64)


def nll_losses(labels: ArrayLike, probs: ArrayLike) -> tuple[Floats, int]:
    """(N,) ``−log p_y`` of each case, and how many were floored at p = 1e-12."""
    p = check.array(probs)
    true = p[np.arange(len(p)), check.array(labels)].astype(np.float64)
    return -np.log(np.maximum(true, FLOOR)), int((true < FLOOR).sum())


@dataclass(frozen=True, eq=False)
class CalibrationErrors:
    """The three plug-in calibration errors of one table, what they would be by chance, and their replicates.

    Attributes:
        value: error name → its value.
        chance: error name → (100,) values with the labels redrawn from p: perfect calibration.
        replicates: error name → (B,) bootstrap values.
    """

    value: dict[str, float]
    chance: dict[str, Floats]
    replicates: dict[str, Floats]


def calibration_errors(
    labels: Integers, probs: Floats, resampler: Resampler, seed: int, bins: int = BINS
) -> CalibrationErrors:
    """Equal-width, equal-mass and class-wise ECE with everything their intervals need.

    Bins stay those of the whole table in every replicate. Labels (N,), probabilities (N, K).
    """
    n, k = probs.shape
    confidence, right = top_label(labels, probs)
    top = decision.argmax(probs)
    index = {"ece": equal_width(confidence, bins), "ece_equal_mass": equal_mass(confidence, bins)}
    value = {
        "ece": ece(labels, probs, bins),
        "ece_equal_mass": ece_equal_mass(labels, probs, bins),
        "classwise_ece": classwise_ece(labels, probs, bins),
    }
    replicates: dict[str, Floats] = {}
    gap = confidence - right
    for name, binned in index.items():
        replicates[name] = np.abs(resampler.sums(binned, bins, gap)).sum(axis=1) / _cases(resampler, n)
    # bins are those of the table in every replicate and every redraw: only counts in them move
    by_class = np.stack([equal_width(probs[:, c], bins) for c in range(k)])
    mass = np.stack([np.bincount(by_class[c], probs[:, c], bins) for c in range(k)])
    total: Floats = np.zeros(len(resampler.weights))
    for c in range(k):
        total += np.abs(resampler.sums(by_class[c], bins, probs[:, c] - (labels == c))).sum(axis=1)
    replicates["classwise_ece"] = total / k / _cases(resampler, n)

    redrawn: dict[str, list[float]] = {name: [] for name in value}
    expected = {name: np.bincount(binned, confidence, bins) for name, binned in index.items()}
    rng, rows = np.random.default_rng(seed), np.arange(n)
    # one uniform number a case against cumulative probabilities, a class at a time: an inverse of the law
    # without an array (N, K) of draws
    cumulative = np.ascontiguousarray(np.cumsum(probs[:, :-1], axis=1, dtype=np.float32).T)
    for _ in range(REDRAWS):
        level, redraw = rng.random(n, dtype=np.float32), np.zeros(n, dtype=np.int64)
        for bound in cumulative:
            redraw += level > bound
        hit = (redraw == top).astype(np.float64)
        for name, binned in index.items():
            redrawn[name].append(float(np.abs(expected[name] - np.bincount(binned, hit, bins)).sum()) / n)
        cells = redraw * bins + by_class[redraw, rows]
        observed = np.bincount(cells, minlength=k * bins).reshape(k, bins)
        redrawn["classwise_ece"].append(float(np.abs(mass - observed).sum()) / (n * k))
    chance = {name: np.array(draws) for name, draws in redrawn.items()}
    return CalibrationErrors(value, chance, replicates)


def _cases(resampler: Resampler, n: int) -> Floats:
    """(B,) cases in each replicate; with patients of several cases this varies."""
    counts = np.bincount(resampler.block, minlength=resampler.blocks).astype(np.float32)
    return np.asarray(resampler.weights @ counts, dtype=np.float64) if n else np.ones(len(resampler.weights))


def interval(
    errors: CalibrationErrors, name: str, n: int, units: int | None = None, noun: str = "cases"
) -> Estimate:
    """Bias-corrected bootstrap interval of a plug-in error, 0 to 1.

    A plug-in error is biased upwards by noise in every bin: by nothing when the model is far from calibrated,
    by the chance level when it is perfect. The lower end subtracts the whole chance level, the upper end
    nothing, each with the spread of the replicates around their own mean; a percentile interval would never
    cover 0. Spreads are widened for few units as in :func:`interval.from_replicates`. Where no replicate
    moves it, the exact bound on a share never seen.

    Args:
        errors: of the table. name: of one of them. n: cases.
        units: patients that were drawn, default n. noun: what they are called.
    """
    value, chance, draws = errors.value[name], float(errors.chance[name].mean()), errors.replicates[name]
    if np.ptp(draws) <= 1e-12:
        return unmoved(value, n, (0.0, 1.0), units, noun)
    count = n if units is None else units
    wider = np.sqrt(count / max(count - 1, 1)) * quantile(count - 1) / norm.ppf((1 + LEVEL) / 2)
    spread = (draws - draws.mean()) * float(wider)
    above, below = value - spread, value - chance - spread
    low = float(np.quantile(below, (1 - LEVEL) / 2))
    high = float(np.quantile(above, (1 + LEVEL) / 2))

    def tails(limit: float) -> tuple[float, float]:
        # one more in both, so that no p-value is 0; doubled, as one side of two
        total = len(draws) + 1
        not_below = 2 * (1 + float((above >= limit).sum())) / total
        not_above = 2 * (1 + float((below <= limit).sum())) / total if limit > 0 else 0.0
        return min(1.0, not_below), min(1.0, not_above)

    note = f"a perfectly calibrated model would show {chance:.4f} on these cases (labels redrawn from p)"
    return Estimate(
        value, float(np.clip(low, 0, value)), high=float(np.clip(high, value, 1)), n=n, tails=tails, note=note
    )


def reliability(labels: ArrayLike, probs: ArrayLike, bins: int = BINS) -> list[tuple[int, int, float, int]]:
    """Reliability of the top label: (bin, cases, mean confidence, right answers) of each filled bin."""
    confidence, right = top_label(labels, probs)
    index = equal_width(confidence, bins)
    cases = np.bincount(index, minlength=bins)
    mean = np.bincount(index, confidence, bins) / np.maximum(cases, 1)
    hits = np.bincount(index, right, bins)
    return [(b, int(cases[b]), float(mean[b]), int(hits[b])) for b in np.flatnonzero(cases).tolist()]
