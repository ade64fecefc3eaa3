"""Confusion of every group, risk against coverage of every score, cost of every decision rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from primum.judge.answers import Answers, View
from primum.judge.finding import Finding
from primum.judge.metrics import selective
from primum.judge.metrics.confusion import count_pairs
from primum.judge.sections.overview import Confusion, RiskCoverage, RuleCost

POINTS = 200  # of a curve: more cannot be told apart in a picture, and would be most of the file


def confusions(views: Mapping[str, View]) -> list[Confusion]:
    """One for every group and decision rule; ``views``: ``"all"`` and ``"column=value"`` → rows."""
    return [
        Confusion(
            group=group,
            decision=rule,
            calibrated=answers.calibrated,
            counts=count_pairs(view.labels, answers.decisions, view.classes).matrix().tolist(),
        )
        for group, view in views.items()
        for rule, answers in view.answers.items()
    ]


def risk_coverages(view: View) -> list[RiskCoverage]:
    """One for every decision rule, confidence score and residual."""
    return [
        curve
        for answers in view.answers.values()
        for score in answers.confidence
        for curve in _risk_coverages(view, answers, score)
    ]


def _risk_coverages(view: View, answers: Answers, score: str) -> list[RiskCoverage]:
    ranking = selective.rank(answers.confidence[score])
    residuals = {"error": (view.labels != answers.decisions).astype(np.float64)}
    if view.cost is not None:
        residuals["cost"] = view.cost[view.labels, answers.decisions]
    curves = []
    for name, residual in residuals.items():
        curve = selective.risk_coverage(residual, ranking)
        last = len(curve.coverage) - 1
        points = np.unique(np.linspace(0, last, min(POINTS, last + 1)).round().astype(int))
        curves.append(
            RiskCoverage(
                group="all",
                decision=answers.rule,
                score=score,
                calibrated=answers.calibrated,
                residual=name,
                coverage=curve.coverage[points].tolist(),
                risk=curve.risk[points].tolist(),
                generalized_risk=curve.generalized_risk[points].tolist(),
            )
        )
    return curves


def rule_costs(findings: Sequence[Finding]) -> list[RuleCost]:
    """Expected cost of every rule over all cases, beside its critical error rate and specificity.

    >>> rule_costs([Finding("expected_cost", "Expected cost", 0.5, 0.4, 0.6, 9, decision="bayes")])[0].high
    0.6
    """
    overall = [finding for finding in findings if finding.group == "all"]
    values = {(finding.decision, finding.code): finding.value for finding in overall}
    return [
        RuleCost(
            decision=finding.decision,
            calibrated=finding.calibrated,
            value=finding.value,
            low=finding.low,
            high=finding.high,
            cer=values.get((finding.decision, "cer")),
            specificity=values.get((finding.decision, "specificity")),
        )
        for finding in overall
        if finding.code == "expected_cost" and finding.value is not None
    ]
