"""Metrics of one confidence score on the answers of one rule: what is left when the doubtful ones go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from primum.judge import accuracy, harm, selective
from primum.judge.answers import Answers, View
from primum.judge.interval import Floats
from primum.judge.measure_decisions import share
from primum.judge.measured import FEWEST, NO_CRITICAL, NO_SEVERITY, Measured, few

SCORE_CODES = ("aurc", "augrc", "cost_aurc", "cost_augrc", "failure_auroc", "silent_critical_rate")


def scores(view: View, answers: Answers, score: str) -> Iterator[Measured]:
    """AURC, AUGRC, their severity-weighted forms, failure AUROC and silent critical rate of a score."""
    n, confidence = len(view.labels), answers.confidence[score]
    where: dict[str, Any] = {"decision": answers.rule, "score": score, "calibrated": answers.calibrated}
    codes = SCORE_CODES[:5]
    if n < FEWEST:
        for code in codes:
            yield Measured(code, n=n, why_not=few(n), **where)
    else:
        ranking = selective.rank(confidence)
        wrong = view.labels != answers.decisions
        yield from _areas(codes[:2], ranking, wrong.astype(np.float64), 1.0, where)
        if view.cost is None:
            for code in codes[2:4]:
                yield Measured(code, n=n, why_not=NO_SEVERITY, **where)
        else:
            spent = view.cost[view.labels, answers.decisions]
            yield from _areas(codes[2:4], ranking, spent, float(view.cost.max()), where)
        if wrong.all() or not wrong.any():
            why_not = "there is no error to find" if not wrong.any() else "every answer is wrong"
            yield Measured("failure_auroc", n=n, why_not=why_not, **where)
        else:
            area, influence = accuracy.binary_auroc_with_influence(~wrong, confidence)
            yield Measured(
                "failure_auroc", value=area, n=n, influence=influence, scale="logit", bounds=(0.0, 1.0),
                weakest=int(min(wrong.sum(), (~wrong).sum())), **where,
            )  # fmt: skip
    yield _silent(view, answers, score, where)


def _areas(
    codes: tuple[str, ...], ranking: selective.Ranking, residual: Floats, worst: float, where: dict[str, Any]
) -> Iterator[Measured]:
    curve = selective.risk_coverage(None, residual, ranking)
    influences = selective.influence(curve, residual, ranking)
    for code, area, influence in zip(codes, (curve.aurc, curve.augrc), influences, strict=True):
        yield Measured(
            code, value=area, n=len(residual), influence=influence, scale="log", bounds=(0.0, worst),
            weakest=len(residual), **where,
        )  # fmt: skip


def _silent(view: View, answers: Answers, score: str, where: dict[str, Any]) -> Measured:
    if view.critical is None or not view.critical.any():
        return Measured("silent_critical_rate", n=len(view.labels), why_not=NO_CRITICAL, **where)
    among = harm.critical_classes(view.critical)[view.labels]
    if not among.any():
        return Measured("silent_critical_rate", why_not="no case is of a critical class", **where)
    threshold = answers.threshold[score]
    silent = view.critical[view.labels, answers.decisions] & (answers.confidence[score] >= threshold)
    return share("silent_critical_rate", silent, among, where, why=f"confidence at or above {threshold:.4g}")
