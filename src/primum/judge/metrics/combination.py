"""One metric of several models on the same cases: their mean, and the difference of two means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from primum.core.arrays import Floats
from primum.core.check import InputError
from primum.judge.answers import View
from primum.judge.metrics.measured import Measured
from primum.judge.statistics import interval, shares

STILL = 1e-12


def mean(measured: Sequence[Measured], view: View) -> Measured:
    """Mean of one metric over models, such as the seeds of one method; see :func:`combine`."""
    return combine(measured, [1 / max(len(measured), 1)] * len(measured), view)


def difference(first: Sequence[Measured], second: Sequence[Measured], view: View) -> Measured:
    """Mean of the second models minus mean of the first, paired by case; see :func:`combine`.

    The numbers of models may differ. ``difference(…).estimated(view)`` is the interval, and
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
    _same(measured, weights, view)
    first = measured[0]
    for i, part in enumerate(measured):
        if part.why_not:
            whose = "" if len(measured) == 1 else f"model {i + 1} of {len(measured)}: "
            return Measured(*first.key, n=first.n, why_not=whose + part.why_not)
    if len(measured) == 1 and weights[0] == 1:
        return first
    is_mean = min(weights) > 0 and abs(sum(weights) - 1) < STILL
    made = Measured(
        *first.key,
        value=sum(weight * part.value for weight, part in zip(weights, measured, strict=True)),
        n=min(part.n for part in measured),
        kind="spread" if first.kind == "basic" and not is_mean else first.kind,
        scale=first.scale if is_mean else "plain",
        bounds=_bounds(measured, weights),
        weakest=min(_weakest(part, view) for part in measured),
    )
    if is_mean and all(_shares_of_the_same(part, first) for part in measured):
        hits = _sum(weights, [np.asarray(part.hits, dtype=np.float64) for part in measured])
        return replace(made, hits=hits, among=first.among, count=first.count)
    if first.influence is not None:
        influence = _sum(weights, [part.influence for part in measured if part.influence is not None])
        made = replace(made, influence=influence)
        still = interval.influence_error(influence, view.clusters) <= STILL
    else:
        draws = _sum(weights, [replicates(part, view) for part in measured])
        made = replace(made, replicates=draws, free=_free(measured, weights, view))
        still = bool(np.ptp(draws) <= STILL)
    return _unmoved(made, measured, weights, view) if still and not is_mean else made


def _weakest(part: Measured, view: View) -> int:
    """Patients, else cases, of the smallest group a metric needs."""
    if part.hits is None:
        return part.weakest
    return interval.carriers(np.asarray(part.among), view.clusters)


def _free(measured: Sequence[Measured], weights: Sequence[float], view: View) -> float:
    """Degrees of freedom of a sum of shares, of which few patients may carry most; 0 for anything else."""
    influence = np.zeros(len(view.labels))
    for weight, part in zip(weights, measured, strict=True):
        if part.hits is None or part.among is None:
            return 0.0
        off = part.hits - np.mean(part.hits[part.among])
        influence += weight * off * part.among * (len(influence) / max(part.n, 1))
    return interval.freedom(influence, view.clusters)


def _sum(weights: Sequence[float], arrays: Sequence[Floats]) -> Floats:
    total = np.zeros(len(arrays[0]))
    for weight, array in zip(weights, arrays, strict=True):
        total += weight * array
    return total


def replicates(measured: Measured, view: View) -> Floats:
    """(B,) bootstrap values of a metric that has replicates of its own, or is a share or a count."""
    if measured.replicates is not None:
        return measured.replicates
    assert measured.hits is not None
    assert measured.among is not None
    bins = np.zeros(len(measured.hits), dtype=np.int64)
    hits = view.resampler.sums(bins, 1, measured.hits * measured.among.astype(np.float64))[:, 0]
    cases = view.resampler.sums(bins, 1, measured.among.astype(np.float64))[:, 0]
    share = hits / np.maximum(cases, 1)
    return share * measured.n if measured.count else share


def _same(measured: Sequence[Measured], weights: Sequence[float], view: View) -> None:
    if not measured or len(measured) != len(weights):
        raise InputError(
            f"one weight for each of one or more metrics was expected, {len(measured)} metrics and "
            f"{len(weights)} weights arrived"
        )
    codes = sorted({part.code for part in measured})
    if len(codes) > 1:
        raise InputError(f"metrics of one code can be combined, {codes[0]} and {codes[1]} arrived")
    computed = [part for part in measured if not part.why_not]
    kinds = {(part.influence is not None, part.hits is not None) for part in computed}
    if len(kinds) > 1:
        raise InputError(f"{codes[0]}: metrics measured in one way can be combined, two ways arrived")
    for part in computed:
        values = part.hits if part.hits is not None else part.influence
        if values is not None and len(values) != len(view.labels):
            raise InputError(
                f"{codes[0]}: metrics of the same {len(view.labels)} rows were expected, one of "
                f"{len(values)} arrived; measure every model on the same rows"
            )
    draws = {len(part.replicates) for part in computed if part.replicates is not None}
    if draws - {view.replicates}:
        raise InputError(
            f"{codes[0]}: {view.replicates} replicates were expected, {min(draws - {view.replicates})} "
            "arrived; measure every model with the same number of replicates and the same seed"
        )


def _shares_of_the_same(part: Measured, first: Measured) -> bool:
    """Whether both are shares of the same cases."""
    if part.hits is None or part.among is None or first.among is None:
        return False
    return bool(np.array_equal(part.among, first.among))


def _range(part: Measured) -> tuple[float, float]:
    if part.hits is not None:
        return 0.0, float(part.n) if part.count else 1.0
    return part.bounds


def _bounds(measured: Sequence[Measured], weights: Sequence[float]) -> tuple[float, float]:
    """Least and largest value the sum can have."""
    ends = [
        sorted(weight * end for end in _range(part)) for part, weight in zip(measured, weights, strict=True)
    ]
    return float(sum(low for low, _ in ends)), float(sum(high for _, high in ends))


def _unmoved(made: Measured, measured: Sequence[Measured], weights: Sequence[float], view: View) -> Measured:
    """Where the models did the same in every case: the exact bound on a share of cases never seen.

    In such cases the sum could move by the range of the metric, in either direction.
    """
    spans = [high - low for low, high in map(_range, measured)]
    ahead = sum(weight * span for weight, span in zip(weights, spans, strict=True) if weight > 0)
    half = ahead / 2 if np.isfinite(ahead) else 0.5
    bounds = (made.value - half, made.value + half)
    return replace(made, estimate=shares.unmoved(made.value, made.n, bounds, made.weakest, view.noun))
