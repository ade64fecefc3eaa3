"""What is left of the risk when only the most confident answers are used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check, ties
from primum.core.arrays import Floats, Integers
from primum.core.check import InputError


@dataclass(frozen=True, eq=False)
class Ranking:
    """Cases sorted once by confidence, most confident first; ties enter as one group.

    Attributes:
        order: (N,) row of each rank.
        ends: (G,) number of cases accepted after each of the G tie groups.
        sizes: (G,) cases of each group.
    """

    order: Integers
    ends: Integers
    sizes: Integers


def rank(confidence: ArrayLike) -> Ranking:
    """Sort confidences (N,), higher = more trustworthy; those equal up to rounding are one group.

    >>> rank([0.5, 0.9, 0.5]).ends.tolist()
    [1, 3]
    """
    score = check.array(confidence)
    if score.ndim != 1 or len(score) == 0:
        raise InputError(f"confidence must have shape (N,) with N of at least 1, {score.shape} arrived")
    order = np.argsort(score)[::-1]
    ends = np.append(ties.starts(score[order])[1:], len(score))
    return Ranking(order, ends, np.diff(ends, prepend=0))


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Risk–coverage curve at each of the G tie groups, most confident first.

    Attributes:
        coverage: (G,) share of cases accepted, up to 1.
        risk: (G,) mean residual of the accepted cases.
        generalized_risk: (G,) sum of residuals of the accepted cases / N.
        aurc: area under risk; the point at coverage 0 is the risk of the most confident group.
        augrc: area under generalised risk, from 0 at coverage 0 (Traub et al., NeurIPS 2024).
    """

    coverage: Floats
    risk: Floats
    generalized_risk: Floats
    aurc: float
    augrc: float


def risk_coverage(residual: ArrayLike, ranking: Ranking) -> RiskCoverage:
    """Risk–coverage curve and both areas (trapezoid) from one sort.

    Args:
        residual: (N,) any cost of 0 or more; 0/1 errors give AURC, severities the severity-weighted AURC.
        ranking: of the confidence; one serves several residuals.

    >>> risk_coverage([0, 0, 1], rank([0.9, 0.8, 0.7])).augrc
    0.05555555555555555
    """
    n = len(ranking.order)
    spent = np.cumsum(check.array(residual)[ranking.order], dtype=np.float64)
    if len(ranking.ends) < n:
        spent = spent[ranking.ends - 1]
    risk, generalized = spent / ranking.ends, spent / n
    width = ranking.sizes / n
    # from coverage 0 to the first group: a risk needs an accepted case, a generalised risk begins at 0
    area = float(width[1:] @ (risk[1:] + risk[:-1])) / 2 + float(width[0] * risk[0])
    generalized_area = float(width[1:] @ (generalized[1:] + generalized[:-1]) + width[0] * generalized[0]) / 2
    return RiskCoverage(ranking.ends / n, risk, generalized, area, generalized_area)


def influence(curve: RiskCoverage, residual: ArrayLike, ranking: Ranking) -> tuple[Floats, Floats]:
    """Influence (N,) of each case on AURC and on AUGRC: exact derivative by case weight, times N."""
    # more weight on a case moves the risk wherever it is accepted, and the width of its group; ``pull`` is
    # what a unit of residual adds to the area at one point, ``ahead`` its sum over the points of a case
    n, sizes, ends = len(ranking.order), ranking.sizes, ranking.ends
    spent = check.array(residual)[ranking.order].astype(np.float64)
    share = sizes / n
    weight = (share + np.append(share[1:], 0.0)) / 2
    before = np.append(curve.risk[:1], curve.risk[:-1])
    # the first group also has the stretch from coverage 0, at its risk
    pull = weight.copy()
    pull[0] += share[0] / 2
    pull *= n / ends
    ahead = np.cumsum(pull[::-1])[::-1]
    ahead_risk = np.cumsum((pull * curve.risk)[::-1])[::-1]
    base = (curve.risk + before) / 2 - curve.aurc - ahead_risk
    for_aurc, for_augrc = np.empty(n), np.empty(n)
    for_aurc[ranking.order] = np.repeat(base, sizes) + spent * np.repeat(ahead, sizes)
    # width and generalised risk both divide by N, so the area falls with the square of the total weight
    before = np.append(0.0, curve.generalized_risk[:-1])
    base = (curve.generalized_risk + before) / 2 - 2 * curve.augrc
    ahead = np.cumsum(weight[::-1])[::-1]
    for_augrc[ranking.order] = np.repeat(base, sizes) + spent * np.repeat(ahead, sizes)
    return for_aurc, for_augrc


def threshold_at_coverage(confidence: ArrayLike, coverage: float) -> float:
    """Highest threshold that at least ``coverage`` of the cases reach, as :func:`ties.at_least` counts.

    >>> threshold_at_coverage([0.9, 0.8, 0.7, 0.6], 0.5)
    0.8
    """
    score = check.array(confidence)
    at = len(score) - max(int(np.ceil(coverage * len(score))), 1)
    return float(np.partition(score, at)[at])
