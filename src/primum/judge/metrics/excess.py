"""How far a ranking is from the best one there could be: every right answer before every wrong one."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma

from primum.core import check
from primum.core.arrays import Floats
from primum.judge.metrics.selective import RiskCoverage, risk_coverage


def least_aurc(n: int, wrong: int) -> float:
    """AURC of n cases ranked right before wrong, each at a confidence of its own.

    The mean of the risks ``j / (n − wrong + j)`` of the wrong ones, less half the last, by the trapezoid; for
    large n, with r the share wrong, ``r + (1 − r) log(1 − r)`` (Geifman et al., ICLR 2019).
    """
    if wrong in (0, n):
        return wrong / n
    right = n - wrong
    risks = wrong - right * float(digamma(n + 1) - digamma(right + 1))
    return (risks - wrong / (2 * n)) / n


def least_augrc(n: int, wrong: int) -> float:
    """AUGRC of the same, ``(wrong / n)² / 2``."""
    return (wrong / n) ** 2 / 2


def excesses(curve: RiskCoverage, n: int, wrong: int) -> tuple[float, float]:
    """AURC and AUGRC of the errors of n answers, each less the least it could be with so many wrong."""
    return curve.aurc - least_aurc(n, wrong), curve.augrc - least_augrc(n, wrong)


def e_aurc(confidence: Any, wrong: Any) -> float:
    """AURC less the least it could be with so many errors.

    0 for a score that ranks every right answer first, at a confidence of its own each; a score that ties the
    wrong ones comes out below 0 by a little, as the trapezoid cuts the corner of the curve there.

    Args:
        confidence: (N,) higher = more trustworthy. wrong: (N,) bool.
    """
    error = check.array(wrong).astype(np.float64)
    return excesses(risk_coverage(confidence, error), len(error), int(error.sum()))[0]


def e_augrc(confidence: Any, wrong: Any) -> float:
    """AUGRC less the least it could be with so many errors, 0 or more: ``(1 − failure AUROC) r (1 − r)``."""
    error = check.array(wrong).astype(np.float64)
    return excesses(risk_coverage(confidence, error), len(error), int(error.sum()))[1]


def influences(for_aurc: Floats, for_augrc: Floats, wrong: Any) -> tuple[Floats, Floats]:
    """Influence (N,) of each case on both excesses, from those on AURC and AUGRC (N,).

    The optimum depends on the share r of wrong answers alone: its slope is ``-log(1 − r)`` (the limit for
    large N) and ``r``.
    """
    error = check.array(wrong).astype(np.float64)
    rate = float(error.mean())
    moved = error - rate
    slope = -np.log1p(-rate) if rate < 1 else 0.0
    return for_aurc - slope * moved, for_augrc - rate * moved
