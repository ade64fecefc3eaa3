"""Who comes first, and how surely: ranks of several methods with their stability under the bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from primum.core import check, ties
from primum.core.arrays import Floats
from primum.core.check import InputError
from primum.judge.statistics.interval import LEVEL


@dataclass(frozen=True, eq=False)
class Ranks:
    """Ranks of M methods, 1 = best, ties sharing their mean rank.

    Attributes:
        rank: (M,) on the rows themselves.
        draws: (M, B) in every replicate; a column of NaN where they could not be ranked.
    """

    rank: Floats
    draws: Floats

    @property
    def finite(self) -> Floats:
        """(M, B') the replicates in which they could be ranked."""
        return np.asarray(self.draws[:, np.isfinite(self.draws[0])])

    def interval(self) -> tuple[Floats, Floats]:
        """(M,) and (M,): 95 % percentile interval of every rank."""
        low, high = np.quantile(self.finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
        return low, high

    def first(self) -> Floats:
        """(M,) share of the replicates in which a method is best; those that tie share one. Sums to 1."""
        best = self.finite == self.finite.min(axis=0)
        return np.asarray((best / best.sum(axis=0)).mean(axis=1))


def ranks(values: ArrayLike, draws: ArrayLike, higher: bool = False) -> Ranks:
    """Rank methods by a metric.

    Args:
        values: (M,) metric of each method on the same rows.
        draws: (M, B) the same in bootstrap replicates, drawn alike for all methods; a replicate in which one
            is NaN is not ranked.
        higher: more is better; else less is.

    Raises:
        InputError: when no replicate knows the metric of every method.

    >>> ranks([0.1, 0.3, 0.2], [[0.1, 0.2], [0.3, 0.3], [0.2, 0.1]]).rank.tolist()
    [1.0, 3.0, 2.0]
    """
    metrics, replicates = check.array(values), check.array(draws)
    ranked_draws = np.isfinite(replicates).all(axis=0)
    if not ranked_draws.any():
        raise InputError("ranks need a replicate in which the metric of every method is known, none arrived")
    sign = -1.0 if higher else 1.0
    ranked = np.full(replicates.shape, np.nan)
    # a difference by rounding alone is a tie, whatever the order of the sums was
    settled = np.apply_along_axis(ties.settled, 0, replicates[:, ranked_draws])
    ranked[:, ranked_draws] = rankdata(sign * settled, axis=0)
    return Ranks(rankdata(sign * ties.settled(metrics)), ranked)


def mean(parts: Sequence[Ranks]) -> Ranks:
    """Mean ranks of the same methods over several sets of rows whose replicates were drawn together.

    In a replicate that one of the parts does not know the others alone count. Raises InputError for no parts.
    """
    if not parts:
        raise InputError("a mean rank needs at least one part, none arrived")
    draws = np.stack([part.draws for part in parts])
    count = np.isfinite(draws).sum(axis=0)
    total = np.nansum(draws, axis=0)
    averaged = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return Ranks(np.mean([part.rank for part in parts], axis=0), averaged)
