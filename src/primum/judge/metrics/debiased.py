"""The squared calibration error of the top label, without the bias that chance gives a plug-in error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from primum.core.arrays import Array, Floats
from primum.core.check import InputError
from primum.judge.metrics.calibration import BINS, equal_mass, top_label


def debiased_with_influence(
    labels: ArrayLike, probs: ArrayLike, clusters: Array | None = None, bins: int = BINS
) -> tuple[float, Floats, float]:
    """``Σ_b n_b/N [(p̄_b − ȳ_b)² − Var_b(p − y)/n_b]`` over bins of equal mass; (N,) influences; and
    ``Σ_b n_b/N (p̄_b − ȳ_b)²``, the same with the bias, never below 0.

    Unbiased for the squared error of the binned confidence, 0 when calibrated, so it may be negative; at most
    1. With patients the same thing is done to pairs of cases: the bracket is the mean product of p − y over
    pairs in the bin, which without patients equals it, and pairs of one patient are dropped. A bin without
    two cases (of two patients) is skipped. Source: Kumar, Liang and Ma, NeurIPS 2019.

    Args:
        labels: (N,) class indices.
        probs: (N, K) probabilities.
        clusters: (N,) int, the patient of each case, or None.

    Raises:
        InputError: where every bin would be skipped.
    """
    confidence, right = top_label(labels, probs)
    n, gap, index = len(right), confidence - right, equal_mass(confidence, bins)
    sums, cases = np.bincount(index, gap, bins), np.bincount(index, np.ones(n), bins)
    if clusters is None:
        same, pairs = np.bincount(index, gap**2, bins), cases.copy()
    else:
        # one cell for each patient in each bin: the pairs to drop are those inside a cell
        cell = np.unique(clusters, return_inverse=True)[1] * bins + index
        _, at, sizes = np.unique(cell, return_inverse=True, return_counts=True)
        of = np.zeros(len(sizes), dtype=np.int64)
        of[at] = index
        same = np.bincount(of, np.bincount(at, gap) ** 2, bins)
        pairs = np.bincount(of, sizes.astype(np.float64) ** 2, bins)
    # (Σ gap)² is the sum over all ordered pairs, ``same`` its part of a case, or patient, with itself
    paired = cases**2 > pairs
    if not paired.any():
        owners = "" if clusters is None else " of two patients"
        raise InputError(
            f"the debiased calibration error needs two cases{owners} in a bin, {n} cases arrived"
        )
    squared = np.where(paired, (sums**2 - same) / np.where(paired, cases**2 - pairs, 1), 0.0)
    mean = np.where(paired, sums / np.maximum(cases, 1), 0.0)
    value = float((cases * squared).sum() / n)
    # a case moves the mean of its bin, whose square moves by twice the mean
    influence = squared[index] + 2 * mean[index] * (gap - mean[index]) - value
    return value, influence, float((cases * mean**2).sum() / n)
