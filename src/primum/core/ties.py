"""What counts as equal: scores that differ only by the rounding of the arithmetic they went through.

Renormalising, a softmax, a sum over classes or a mean over passes gives equal answers results that differ in
their last digits, by the order of the classes and of the rows. Ranks, thresholds, cuts, bins and decisions
all ask here, so that such cases are never told apart.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Array, Bools, Floats, Integers

ULPS = 32  # units in the last place that the sums behind a score can be off by
RELATIVE = ULPS * float(np.finfo(np.float64).eps)


def tolerance(values: ArrayLike, largest: float | None = None) -> Floats:
    """How far from each value (...) another may lie and still be the same score.

    32 units in the last place of the value itself, or of the largest value where that is larger, though
    never of more than 1: an entropy near 0 is a sum of terms near 1, while scores that are all tiny keep
    their order.

    Args:
        values: (...) scores, infinite ones among them.
        largest: largest absolute value of all that are compared, default that of ``values``.
    """
    size = np.abs(np.asarray(values, dtype=np.float64))
    size = np.where(np.isfinite(size), size, 0.0)
    scale = float(size.max(initial=0.0)) if largest is None else largest
    return np.asarray(RELATIVE * np.maximum(size, min(scale, 1.0)), dtype=np.float64)


def starts(ranked: Floats) -> Integers:
    """(G,) where each group of equal values begins in sorted values (N,), rising or falling.

    A group ends where the next value is further than the tolerance from the one before it. A run of
    neighbours that reaches further than that in all is cut into stretches of one tolerance, so that no group
    grows without bound.
    """
    with np.errstate(invalid="ignore"):  # two infinite values have no gap
        gaps = np.abs(np.diff(ranked))
    size = np.abs(ranked)
    largest = float(size.max(initial=0.0))
    if not np.isfinite(largest):
        largest = float(size[np.isfinite(size)].max(initial=0.0))
    # cut by the widest tolerance there can be first: only the few gaps within it need their own
    new = np.r_[True, gaps > RELATIVE * max(largest, 1.0)]
    close = np.flatnonzero(~new[1:] & (gaps > 0))  # few: most values are equal or far apart
    near = np.maximum(tolerance(ranked[close], largest), tolerance(ranked[close + 1], largest))
    new[close + 1] = gaps[close] > near
    first = np.flatnonzero(new)
    if not len(close):
        return first
    near = tolerance(ranked[first], largest)
    with np.errstate(invalid="ignore"):
        reach = np.abs(ranked[first] - ranked[np.r_[first[1:], len(ranked)] - 1])
    for group in np.flatnonzero(reach > near):
        rows = slice(first[group], first[group + 1] if group + 1 < len(first) else len(ranked))
        stretch = np.floor(np.abs(ranked[rows] - ranked[first[group]]) / near[group])
        new[rows][1:] |= stretch[1:] != stretch[:-1]
    return np.flatnonzero(new)


def settled(values: ArrayLike) -> Floats:
    """Values (N,) of which those that are equal up to rounding are equal to the last bit.

    >>> len(set(settled([0.1 + 0.2, 0.3]).tolist()))
    1
    """
    raw = check.array(values).astype(np.float64)
    if len(raw) < 2:
        return raw
    order = np.argsort(raw)[::-1]
    first = starts(raw[order])
    if len(first) == len(raw):
        return raw
    sizes = np.diff(np.r_[first, len(raw)])
    result = np.empty(len(raw))
    result[order] = np.repeat(raw[order][first], sizes)
    return result


def at_least(score: ArrayLike, threshold: ArrayLike) -> Bools:
    """Whether each score (N,) is at or above a threshold, one or (N,), or equal to it up to rounding.

    >>> at_least([0.3, 0.29], 0.1 + 0.2).tolist()
    [True, False]
    """
    values, bound = np.asarray(score, dtype=np.float64), np.asarray(threshold, dtype=np.float64)
    return np.asarray(values >= lowest(bound, values), dtype=np.bool_)


def lowest(threshold: ArrayLike, score: ArrayLike = 0.0) -> Floats:
    """(...) lowest value that still counts as equal to a threshold, among scores of a size."""
    bound = np.asarray(threshold, dtype=np.float64)
    size = max(float(np.abs(a[np.isfinite(a)]).max(initial=0.0)) for a in (bound, np.asarray(score)))
    return np.asarray(bound - tolerance(bound, size), dtype=np.float64)


def above(value: float, score: ArrayLike = 0.0) -> float:
    """A threshold just above a value: nothing equal to the value reaches it; minus infinity stays."""
    if not np.isfinite(value):
        return value
    # of scores that are all 0 nothing is known of the size that others will have
    others = np.abs(np.asarray(score, dtype=np.float64))
    size = max(abs(value), float(others[np.isfinite(others)].max(initial=0.0))) or 1.0
    # twice: at_least takes one tolerance off again
    return value + 2 * float(tolerance(value, size))


def first_largest(values: ArrayLike) -> Integers:
    """(..., ) column of the largest of values (..., K), the first of those equal to it up to rounding.

    >>> first_largest([[0.1 + 0.2, 0.3], [0.2, 0.8]]).tolist()
    [0, 1]
    """
    return np.asarray(_near_largest(check.array(values)).argmax(axis=-1), dtype=np.int64)


def tied(values: ArrayLike) -> Bools:
    """(N,) whether another of the values (N, K) equals the largest up to rounding.

    >>> tied([[0.1 + 0.2, 0.3], [0.2, 0.8]]).tolist()
    [True, False]
    """
    return np.asarray(_near_largest(check.array(values)).sum(axis=-1) > 1, dtype=np.bool_)


def widened(values: Array) -> Array:
    """Single-precision numbers as the shortest decimals they stand for, other numbers as they are.

    0.7 is 0.699999988 in single precision; read back so, a table would differ from its own copy in text.
    """
    if values.dtype not in (np.float16, np.float32):
        return values
    flat = pl.Series(values.astype(np.float32).ravel())
    return flat.cast(pl.String).cast(pl.Float64).to_numpy().reshape(values.shape)


def _near_largest(numbers: Array) -> Bools:
    peak = numbers.max(axis=-1, keepdims=True).astype(np.float64)
    return np.asarray(numbers >= peak - RELATIVE * np.maximum(np.abs(peak), 1.0))
