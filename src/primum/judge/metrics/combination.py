"""One metric of several models on the same cases: their mean, and the difference of two means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

import numpy as np

from primum.core.arrays import Floats
from primum.core.check import InputError
from primum.judge.answers import View
from primum.judge.metrics.measured import (
    STILL,
    Evidence,
    Influence,
    Measured,
    NotApplicable,
    Replicates,
    Share,
    unmeasured,
)
from primum.judge.statistics import interval, shares
from primum.judge.statistics.interval import Estimate


def mean(measured: Sequence[Measured], view: View) -> Measured:
    """Mean of one metric over models, such as the seeds of one method; see :func:`combine`."""
    return combine(measured, [1 / max(len(measured), 1)] * len(measured), view)


def difference(first: Sequence[Measured], second: Sequence[Measured], view: View) -> Measured:
    """Mean of the second models minus mean of the first, paired by case; see :func:`combine`.

    The numbers of models may differ. ``difference(…).estimate(view)`` is the interval, and
    ``significance.p_value`` of that the test of no difference.
    """
    weights = [-1 / max(len(first), 1)] * len(first) + [1 / max(len(second), 1)] * len(second)
    return combine([*first, *second], weights, view)


def combine(measured: Sequence[Measured], weights: Sequence[float], view: View) -> Measured:
    """Weighted sum of one metric measured on several models, with what its interval needs.

    Every part must come from ``measure`` on the **same rows in the same order, with the same patients, seed
    and number of replicates**: influences add up case by case and replicates draw by draw, and that pairs the
    models. Only cases (or patients) are drawn anew. The models are taken as they are: the interval speaks of
    these networks, not of training them again.

    A mean (weights above 0 that sum to 1) keeps the law of its metric. A mean of shares of the same cases has
    the exact interval of a share to which every case adds its mean: it is rather too wide than too narrow.
    Any other sum is Student's t for influences, a percentile bootstrap for shares and all else, and for
    plug-in calibration errors the spread of their paired replicates around the difference itself: with the
    bias of the replicates taken off, equal models would differ three times as often as they should.

    Args:
        measured: the parts, of one code; the reason why one could not be computed is kept.
        weights: one number other than 0 for each part.
        view: any view of the rows; its patients and its resampler are read.

    Raises:
        InputError: for no parts, parts of several codes or kinds, or of other rows than those of ``view``.
    """
    _check_same(measured, weights, view)
    first = measured[0]
    for i, part in enumerate(measured):
        if part.why_not:
            model = "" if len(measured) == 1 else f"model {i + 1} of {len(measured)}: "
            return unmeasured(first.code, first.basis, first.n, model + part.why_not)
    if len(measured) == 1 and weights[0] == 1:
        return first
    is_mean = min(weights) > 0 and abs(sum(weights) - 1) < STILL
    evidence = _sum_of([part.evidence for part in measured], weights, view, is_mean)
    return Measured(first.code, evidence, first.basis)


def _sum_of(parts: Sequence[Evidence], weights: Sequence[float], view: View, is_mean: bool) -> Evidence:
    first = parts[0]
    if is_mean and isinstance(first, Share):
        shares_of_the_same = [part for part in parts if _counts_among(part, first)]
        if len(shares_of_the_same) == len(parts):
            hits = _weighted(weights, [part.hits.astype(np.float64) for part in shares_of_the_same])
            return Share(hits, first.among, first.count)
    value = sum(weight * part.value for weight, part in zip(weights, parts, strict=True))
    bounds = _bounds(parts, weights)
    weakest = min(_weakest(part, view) for part in parts)
    if isinstance(first, Influence):
        influence = _weighted(weights, [part.influence for part in parts if isinstance(part, Influence)])
        still = interval.influence_error(influence, view.clusters) <= STILL
        ready = _unmoved(parts, weights, value, weakest, view) if still and not is_mean else None
        return Influence(
            value,
            influence,
            scale=first.scale if is_mean else "plain",
            bounds=bounds,
            weakest=weakest,
            interval=ready,
        )
    draws = _weighted(weights, [replicates(part, view) for part in parts])
    kind = first.kind if isinstance(first, Replicates) else "percentile"
    still = bool(np.ptp(draws) <= STILL)
    return Replicates(
        value,
        min(part.n for part in parts),
        draws=draws,
        # with the bias of the replicates taken off, equal models would differ too often
        kind="spread" if kind == "basic" and not is_mean else kind,
        bounds=bounds,
        weakest=weakest,
        free=_freedom(parts, weights, view),
        interval=_unmoved(parts, weights, value, weakest, view) if still and not is_mean else None,
    )


def _counts_among(part: Evidence, first: Share) -> TypeGuard[Share]:
    """Whether a part is a share of the same cases."""
    return isinstance(part, Share) and bool(np.array_equal(part.among, first.among))


def _weakest(part: Evidence, view: View) -> int:
    """Patients, else cases, of the smallest group a metric needs."""
    if isinstance(part, Share):
        return interval.carriers(part.among, view.clusters)
    return 0 if isinstance(part, NotApplicable) else part.weakest


def _freedom(parts: Sequence[Evidence], weights: Sequence[float], view: View) -> float:
    """Degrees of freedom of a sum of shares, of which few patients may carry most; 0 for anything else."""
    influence = np.zeros(len(view.labels))
    for weight, part in zip(weights, parts, strict=True):
        if not isinstance(part, Share):
            return 0.0
        residual = part.hits - np.mean(part.hits[part.among])
        influence += weight * residual * part.among * (len(influence) / max(part.n, 1))
    return interval.freedom(influence, view.clusters)


def _weighted(weights: Sequence[float], arrays: Sequence[Floats]) -> Floats:
    """Weighted sum of arrays of one length."""
    total = np.zeros(len(arrays[0]))
    for weight, array in zip(weights, arrays, strict=True):
        total += weight * array
    return total


def replicates(evidence: Evidence, view: View) -> Floats:
    """(B,) bootstrap values of a metric that has replicates of its own, or is a share or a count.

    Raises:
        InputError: for any other.
    """
    if isinstance(evidence, Replicates):
        return evidence.draws
    if not isinstance(evidence, Share):
        raise InputError("a metric with replicates, or a share, was expected")
    bins = np.zeros(len(evidence.hits), dtype=np.int64)
    hits = view.resampler.sums(bins, 1, evidence.hits * evidence.among.astype(np.float64))[:, 0]
    cases = view.resampler.sums(bins, 1, evidence.among.astype(np.float64))[:, 0]
    share = hits / np.maximum(cases, 1)
    return share * evidence.n if evidence.count else share


def _check_same(measured: Sequence[Measured], weights: Sequence[float], view: View) -> None:
    if not measured or len(measured) != len(weights):
        raise InputError(
            f"one weight for each of one or more metrics was expected, {len(measured)} metrics and "
            f"{len(weights)} weights arrived"
        )
    codes = sorted({part.code for part in measured})
    if len(codes) > 1:
        raise InputError(f"metrics of one code can be combined, {codes[0]} and {codes[1]} arrived")
    computed = [part.evidence for part in measured if not part.why_not]
    if len({type(part) for part in computed}) > 1:
        raise InputError(f"{codes[0]}: metrics measured in one way can be combined, two ways arrived")
    for part in computed:
        rows = len(part.hits) if isinstance(part, Share) else None
        rows = len(part.influence) if isinstance(part, Influence) else rows
        if rows not in (None, len(view.labels)):
            raise InputError(
                f"{codes[0]}: metrics of the same {len(view.labels)} rows were expected, one of "
                f"{rows} arrived; measure every model on the same rows"
            )
    lengths = {len(part.draws) for part in computed if isinstance(part, Replicates)} - {view.replicates}
    if lengths:
        raise InputError(
            f"{codes[0]}: {view.replicates} replicates were expected, {min(lengths)} "
            "arrived; measure every model with the same number of replicates and the same seed"
        )


def _range(part: Evidence) -> tuple[float, float]:
    return (0.0, 0.0) if isinstance(part, NotApplicable) else part.bounds


def _bounds(parts: Sequence[Evidence], weights: Sequence[float]) -> tuple[float, float]:
    """Least and largest value the sum can have."""
    ends = [sorted(weight * end for end in _range(part)) for part, weight in zip(parts, weights, strict=True)]
    return float(sum(low for low, _ in ends)), float(sum(high for _, high in ends))


def _unmoved(
    parts: Sequence[Evidence], weights: Sequence[float], value: float, weakest: int, view: View
) -> Estimate:
    """Where the models did the same in every case: the exact bound on a share of cases never seen.

    In such cases the sum could move by the range of the metric, in either direction.
    """
    spans = [high - low for low, high in map(_range, parts)]
    ahead = sum(weight * span for weight, span in zip(weights, spans, strict=True) if weight > 0)
    half = ahead / 2 if np.isfinite(ahead) else 0.5
    n = min(part.n for part in parts)
    return shares.unmoved(value, n, (value - half, value + half), weakest, view.noun)
