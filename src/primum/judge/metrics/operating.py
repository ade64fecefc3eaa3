"""Operating points: thresholds on a score that reach a specificity or a sensitivity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check, ties
from primum.core.arrays import Array, Bools, Floats, Integers
from primum.core.check import InputError
from primum.judge.metrics.confusion import ratio
from primum.judge.metrics.selective import Ranking, rank
from primum.judge.statistics.interval import Resampler

SPECIFICITIES = (0.7, 0.8, 0.9)
MOST_SLICES = 384
MOST_CELLS = 4_000_000


def threshold_at_specificity(score: ArrayLike, is_critical: ArrayLike, specificity: float) -> float:
    """Threshold on ``score`` whose specificity on these rows is the least that reaches ``specificity``.

    A case is called critical when its score is at or above the threshold, so equal scores are called alike.
    Of the thresholds of that specificity it is the smallest that is a score of these rows; ``inf`` where only
    calling no case critical reaches it.

    Args:
        score: (N,) higher = more likely critical, such as ``decision.critical_mass``.
        is_critical: (N,) bool.
        specificity: share of negatives below the threshold, above 0 and up to 1.

    Raises:
        InputError: without a negative case, or for a specificity outside (0, 1].

    >>> threshold_at_specificity([0.1, 0.2, 0.6, 0.9], [False, False, True, True], 1.0)
    0.6
    """
    values, fatal = _checked(score, is_critical, [specificity])
    negatives = np.sort(values[~fatal])
    if not len(negatives):
        raise InputError("specificity needs at least one case of a class that is not critical, none arrived")
    last = negatives[_needed(specificity, len(negatives)) - 1]
    above = values[values > last]
    return float(above.min()) if len(above) else float("inf")


def threshold_at_sensitivity(score: ArrayLike, is_critical: ArrayLike, sensitivity: float) -> float:
    """Threshold on ``score`` whose sensitivity on these rows is the least that reaches ``sensitivity``.

    As :func:`threshold_at_specificity`, for the share of critical cases at or above the threshold. It can
    always be reached; where many scores are equal, by a sensitivity well above it.

    Raises:
        InputError: without a critical case, or for a sensitivity outside (0, 1].

    >>> threshold_at_sensitivity([0.1, 0.2, 0.6, 0.9], [False, False, True, True], 0.5)
    0.9
    """
    values, fatal = _checked(score, is_critical, [sensitivity])
    criticals = np.sort(values[fatal])[::-1]
    if not len(criticals):
        raise InputError("sensitivity needs at least one case of a critical class, none arrived")
    return float(criticals[_needed(sensitivity, len(criticals)) - 1])


def missed_at_specificity(score: ArrayLike, is_critical: ArrayLike, specificities: Sequence[float]) -> Floats:
    """(S,) one minus the sensitivity of the ROC curve at each specificity.

    Between two thresholds the curve is a straight line, as it is for its area: what a random answer to cases
    of equal scores would reach. Where it rises at the specificity itself, the upper end is taken.

    Args:
        score: (N,) higher = more likely critical. is_critical: (N,) bool.
        specificities: each above 0 and up to 1.

    Raises:
        InputError: without a critical or without a negative case.
    """
    values, fatal = _checked(score, is_critical, specificities, both_kinds=True)
    ranking = rank(values)
    hits = np.cumsum(fatal[ranking.order])[ranking.ends - 1]
    # both begin with the threshold above all scores, which calls nobody critical
    detected = np.r_[0, hits].astype(np.float64)[None]
    alarms = np.r_[0, ranking.ends - hits].astype(np.float64)[None]
    return np.array(
        [float(1 - _read(alarms, detected, alarms[:, -1], s)[0] / hits[-1]) for s in specificities]
    )


def replicated_missed_at_specificity(
    score: ArrayLike, is_critical: ArrayLike, specificities: Sequence[float], resampler: Resampler
) -> Floats:
    """(B, S) bootstrap replicates of :func:`missed_at_specificity`, the threshold read anew in each.

    Sorted once. Sums over slices of the ranking tell in which slice the threshold of a replicate lies; only
    the cases of that slice are then counted one by one.
    """
    values, fatal = _checked(score, is_critical, specificities, both_kinds=True)
    ranking = rank(values)
    slice_of = _slices(ranking)
    # two bins a slice, negatives and critical cases, so that one sum over the replicates counts both
    bins = np.empty(len(values), dtype=np.int64)
    bins[ranking.order] = np.repeat(slice_of, ranking.sizes) * 2
    slices = int(slice_of[-1]) + 1
    counts = resampler.sums(bins + fatal, 2 * slices).reshape(-1, slices, 2).cumsum(axis=1)
    alarms, detected = (np.pad(counts[:, :, side], ((0, 0), (1, 0))) for side in (0, 1))
    columns = []
    for specificity in specificities:
        # replicates whose threshold lies in one slice need the weights of the cases of that slice alone
        at = np.minimum(_last(alarms, _allowed(alarms[:, -1], specificity)), slices - 1)
        hits = np.empty(len(at))
        for j in np.unique(at):
            replicates, groups = np.flatnonzero(at == j), np.flatnonzero(slice_of == j)
            ends = ranking.ends[groups]
            start = int(ends[0] - ranking.sizes[groups[0]])
            cases = ranking.order[start : ends[-1]]
            for rows in np.array_split(replicates, 1 + len(replicates) * len(cases) // MOST_CELLS):
                if len(groups) == 1:
                    alarms_in, detected_in = alarms[rows, j : j + 2], detected[rows, j : j + 2]
                else:
                    weight = resampler.weights[np.ix_(rows, resampler.block[cases])].astype(np.float64)
                    alarms_in = _onward(alarms[rows, j], weight * ~fatal[cases], ends - start)
                    detected_in = _onward(detected[rows, j], weight * fatal[cases], ends - start)
                hits[rows] = _read(alarms_in, detected_in, alarms[rows, -1], specificity)
        columns.append(1 - ratio(hits, detected[:, -1]))
    return np.stack(columns, axis=1)


def _slices(ranking: Ranking) -> Integers:
    """(G,) slice of each tie group: runs of about N / 384 cases, a larger group always alone in its own."""
    n = int(ranking.ends[-1])
    count = max(1, min(MOST_SLICES, n // 32))
    run, alone = (ranking.ends - 1) * count // n, ranking.sizes > n / count
    # in a slice of one tie group nothing is left to count one by one, so a large group takes one to itself
    new = np.r_[True, (run[1:] != run[:-1]) | alone[1:] | alone[:-1]]
    return np.asarray(np.cumsum(new) - 1, dtype=np.int64)


def _onward(before: Floats, counted: Floats, ends: Integers) -> Floats:
    """(B, G + 1) sums ``before`` (B,) and after each tie group, of what is counted (B, cases)."""
    sums = np.cumsum(counted, axis=1)
    sums = sums if len(ends) == counted.shape[1] else sums[:, ends - 1]
    return np.concatenate([before[:, None], before[:, None] + sums], axis=1)


def _read(alarms: Floats, detected: Floats, negatives: Floats, specificity: float) -> Floats:
    """(B,) critical cases detected where ``(1 − specificity) · negatives`` false alarms are allowed.

    ``alarms`` and ``detected`` (B, G + 1) grow along the ranking; between two columns the way is straight.
    """
    allowed = _allowed(negatives, specificity)
    rows, final = np.arange(len(alarms)), alarms.shape[1] - 1
    at = _last(alarms, allowed)
    after = np.minimum(at + 1, final)
    share = ratio(np.maximum(allowed - alarms[rows, at], 0), alarms[rows, after] - alarms[rows, at])
    return np.asarray(
        detected[rows, at] + share * (detected[rows, after] - detected[rows, at]), dtype=np.float64
    )


def _last(alarms: Floats, allowed: Floats) -> Integers:
    """(B,) last column of each row that is not above what is allowed."""
    return np.asarray((alarms <= allowed[:, None]).sum(axis=1) - 1, dtype=np.int64)


def _allowed(negatives: Floats, specificity: float) -> Floats:
    # a hair more, since (1 − 0.7) · 10 is a little below 3
    return np.asarray((1 - specificity) * negatives + 1e-9 * (1 + negatives), dtype=np.float64)


def _needed(share: float, n: int) -> int:
    """Cases of n that are a share of them, at least one; rounding asks for none beyond."""
    return max(1, int(np.ceil(share * n - 1e-9 * (1 + n))))


def _checked(
    score: ArrayLike, is_critical: ArrayLike, shares: Sequence[float], both_kinds: bool = False
) -> tuple[Array, Bools]:
    """Score, settled, and bool of one length; with ``both_kinds`` there must be critical cases and others."""
    values, fatal = check.array(score), check.array(is_critical).astype(np.bool_)
    if values.ndim != 1 or values.shape != fatal.shape:
        raise InputError(
            f"score and is_critical must have one shape (N,), {values.shape} and {fatal.shape} arrived"
        )
    for share in shares:
        if not 0 < share <= 1:
            raise InputError(f"a share above 0 and up to 1 was expected, {share} arrived")
    if both_kinds and (fatal.all() or not fatal.any()):
        raise InputError(
            "the critical error rate at a specificity needs cases of critical classes and of others, "
            f"{int(fatal.sum())} of {len(fatal)} are of critical classes"
        )
    return ties.settled(values), fatal
