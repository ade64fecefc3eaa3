"""How far a ranking is from the best one there could be: every right answer before every wrong one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma

from primum.core import check
from primum.core.arrays import Floats
from primum.judge.metrics.selective import RiskCoverage


def least_aurc(n: int, wrong: int) -> float:
    """AURC of n cases ranked right before wrong, each at a confidence of its own.

    The mean of the risks ``j / (n − wrong + j)`` of the wrong ones, less half the last, by the trapezoid; for
    large n, with r the share wrong, ``r + (1 − r) log(1 − r)`` (Geifman et al., ICLR 2019).

    >>> least_aurc(4, 1)
    0.03125
    """
    if wrong in (0, n):
        return wrong / n
    right = n - wrong
    # Σ_j j / (right + j) = wrong − right Σ_j 1 / (right + j), a difference of two harmonic numbers
    risks = wrong - right * float(digamma(n + 1) - digamma(right + 1))
    return (risks - wrong / (2 * n)) / n


def least_augrc(n: int, wrong: int) -> float:
    """AUGRC of the same, ``(wrong / n)² / 2``."""
    return (wrong / n) ** 2 / 2


def excesses(curve: RiskCoverage, n: int, wrong: int) -> tuple[float, float]:
    """AURC and AUGRC of the errors of n answers, each less the least it could be with so many wrong."""
    return curve.aurc - least_aurc(n, wrong), curve.augrc - least_augrc(n, wrong)


def influences(for_aurc: Floats, for_augrc: Floats, wrong: ArrayLike) -> tuple[Floats, Floats]:
    """Influence (N,) of each case on both excesses, from those on AURC and AUGRC (N,).

    The optimum depends on the share r of wrong answers alone: its slope is ``-log(1 − r)`` (the limit for
    large N) and ``r``.
    """
    error = check.array(wrong).astype(np.float64)
    rate = float(error.mean())
    moved = error - rate
    slope = -np.log1p(-rate) if rate < 1 else 0.0
    return for_aurc - slope * moved, for_augrc - rate * moved
