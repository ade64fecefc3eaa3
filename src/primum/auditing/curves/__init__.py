"""The data of every picture in a report, computed once; the report only draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from primum.auditing.curves.reliability import reliability
from primum.judge.answers import Answers, View
from primum.judge.finding import Finding
from primum.judge.metrics import selective
from primum.judge.metrics.confusion import confusion

POINTS = 200


def curves(
    views: Mapping[str, View], findings: Sequence[Finding], chosen: str, classes: Sequence[str]
) -> dict[str, Any]:
    """Confusion and reliability for every group; risk–coverage and cost for all cases.

    Args:
        views: ``"all"`` and ``"column=value"`` → rows. findings: of all of them.
        chosen: name of the recalibrator in use. classes: K names.
    """
    view = views["all"]
    return {
        "confusion": [
            {
                "group": group,
                "decision": rule,
                "calibrated": answers.calibrated,
                "counts": confusion(part.labels, answers.decisions, part.classes).matrix().tolist(),
            }
            for group, part in views.items()
            for rule, answers in part.answers.items()
        ],
        "reliability": reliability(views, chosen, classes),
        "risk_coverage": [
            entry
            for answers in view.answers.values()
            for score in answers.confidence
            for entry in _risk_coverage(view, answers, score)
        ],
        "cost": _cost(findings),
    }


def _risk_coverage(view: View, answers: Answers, score: str) -> list[dict[str, Any]]:
    ranking = selective.rank(answers.confidence[score])
    residuals = {"error": (view.labels != answers.decisions).astype(np.float64)}
    if view.cost is not None:
        residuals["cost"] = view.cost[view.labels, answers.decisions]
    entries = []
    for name, residual in residuals.items():
        curve = selective.risk_coverage(None, residual, ranking)
        last = len(curve.coverage) - 1
        at = np.unique(np.linspace(0, last, min(POINTS, last + 1)).round().astype(int))
        entries.append(
            {
                "group": "all",
                "decision": answers.rule,
                "score": score,
                "calibrated": answers.calibrated,
                "residual": name,
                "coverage": curve.coverage[at].tolist(),
                "risk": curve.risk[at].tolist(),
                "generalized_risk": curve.generalized_risk[at].tolist(),
            }
        )
    return entries


def _cost(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    overall = [finding for finding in findings if finding.group == "all"]
    entries = []
    for finding in overall:
        if finding.code == "expected_cost" and finding.value is not None:
            beside = {
                other.code: other.value
                for other in overall
                if other.decision == finding.decision and other.code in ("cer", "specificity")
            }
            entries.append(
                {
                    "decision": finding.decision,
                    "calibrated": finding.calibrated,
                    "value": finding.value,
                    "low": finding.low,
                    "high": finding.high,
                    "cer": beside.get("cer"),
                    "specificity": beside.get("specificity"),
                }
            )
    return entries
