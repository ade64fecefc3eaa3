"""The three middle panels: which classes are confused, risk against coverage, cost by decision rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Answers of one decision rule by true class.

    Attributes:
        group: ``"all"`` or ``"column=value"``. decision: the rule. calibrated: name of its recalibrator.
        counts: (K, K) cases, rows true.
    """

    group: str = "all"
    decision: str | None = None
    calibrated: str | None = None
    counts: Sequence[Sequence[int]] = ()


@dataclass(frozen=True, kw_only=True)
class RiskCoverage:
    """Risk among the accepted cases, for every share accepted of the most confident.

    Attributes:
        group, decision, calibrated: as of :class:`Confusion`. score: the confidence score.
        residual: ``"error"`` (0 or 1 a case) or ``"cost"``.
        coverage: up to 200 points, 0 to 1. risk: mean residual of the accepted. generalized_risk: sum of
            the residuals of the accepted, per case of all.
    """

    group: str = "all"
    decision: str | None = None
    score: str = ""
    calibrated: str | None = None
    residual: str = "error"
    coverage: Sequence[float] = ()
    risk: Sequence[float] = ()
    generalized_risk: Sequence[float] = ()


@dataclass(frozen=True, kw_only=True)
class RuleCost:
    """Expected cost of one decision rule, and what it must be read beside.

    Attributes:
        decision, calibrated: the rule. value, low, high: mean cost a case and its interval.
        cer, specificity: of the same rule, or None.
    """

    decision: str | None = None
    calibrated: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    cer: float | None = None
    specificity: float | None = None
