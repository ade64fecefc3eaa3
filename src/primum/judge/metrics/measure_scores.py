"""Metrics of one confidence score on the answers of one rule: what is left when the doubtful ones go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from primum.core import ties
from primum.core.arrays import Bools, Floats
from primum.judge.answers import Answers, View
from primum.judge.metrics import accuracy, cuts, excess, harm, selective
from primum.judge.metrics.measure_decisions import share
from primum.judge.metrics.measured import FEWEST, NO_CRITICAL, NO_SEVERITY, Measured, few
from primum.judge.metrics.table import codes_of

SCORE_CODES = codes_of("confidence")
PLAIN, WEIGHTED, FOUND, RISK = SCORE_CODES[:4], SCORE_CODES[4:6], SCORE_CODES[6:8], SCORE_CODES[8]


def scores(view: View, answers: Answers, score: str) -> Iterator[Measured]:
    """Every metric of a score: the areas and their excess, what tells failures apart, one cut, silence."""
    n, confidence = len(view.labels), answers.confidence[score]
    where: dict[str, Any] = {"decision": answers.rule, "score": score, "calibrated": answers.calibrated}
    if n < FEWEST:
        for code in SCORE_CODES[:-1]:
            yield Measured(code, n=n, why_not=few(n), **where)
    else:
        ranking, wrong = view.ranking(confidence), view.labels != answers.decisions
        error = wrong.astype(np.float64)
        curve = selective.risk_coverage(None, error, ranking)
        moves = selective.influence(curve, error, ranking)
        yield from _areas(view, PLAIN[:2], (curve.aurc, curve.augrc), moves, 1.0, where)
        count = int(wrong.sum())
        above = curve.aurc - excess.least_aurc(n, count), curve.augrc - excess.least_augrc(n, count)
        yield from _areas(view, PLAIN[2:], above, excess.influences(*moves, error), 1.0, where)
        yield from _weighted(view, answers, ranking, where)
        yield from _failures(view, wrong, confidence, ranking, where)
        risk, moved = cuts.risk_with_influence(ranking, error)
        yield Measured(
            RISK, value=risk, n=n, influence=moved, scale="logit", bounds=(0.0, 1.0),
            weakest=int(np.ceil(cuts.COVERAGE * view.independent)), **where,
        )  # fmt: skip
    yield _silent(view, answers, score, where)


def missing(answers: Answers) -> Iterator[Measured]:
    """One AURC without a value for every score that does not apply, with the reason."""
    for score, why_not in answers.missing.items():
        yield Measured(
            SCORE_CODES[0], answers.rule, score, answers.calibrated, n=len(answers.decisions), why_not=why_not
        )


def _areas(
    view: View,
    codes: tuple[str, ...],
    values: tuple[float, float],
    influences: tuple[Floats, Floats],
    worst: float,
    where: dict[str, Any],
) -> Iterator[Measured]:
    for code, value, influence in zip(codes, values, influences, strict=True):
        yield Measured(
            code, value=value, n=len(influence), influence=influence, scale="log", bounds=(0.0, worst),
            weakest=view.independent, **where,
        )  # fmt: skip


def _weighted(
    view: View, answers: Answers, ranking: selective.Ranking, where: dict[str, Any]
) -> Iterator[Measured]:
    if view.cost is None:
        for code in WEIGHTED:
            yield Measured(code, n=len(view.labels), why_not=NO_SEVERITY, **where)
        return
    spent = view.cost[view.labels, answers.decisions]
    curve = selective.risk_coverage(None, spent, ranking)
    moves = selective.influence(curve, spent, ranking)
    yield from _areas(view, WEIGHTED, (curve.aurc, curve.augrc), moves, float(view.cost.max()), where)


def _failures(
    view: View,
    wrong: Bools,
    confidence: Floats,
    ranking: selective.Ranking,
    where: dict[str, Any],
) -> Iterator[Measured]:
    n, count = len(wrong), int(wrong.sum())
    if count in (0, n):
        why_not = "every answer is wrong" if count else "there is no error to find"
        for code in FOUND:
            yield Measured(code, n=n, why_not=why_not, **where)
        return
    found = (
        accuracy.binary_auroc_with_influence(~wrong, confidence, ranking),
        cuts.fpr_with_influence(ranking, wrong),
    )
    for code, (value, influence) in zip(FOUND, found, strict=True):
        yield Measured(
            code, value=value, n=n, influence=influence, scale="logit", bounds=(0.0, 1.0),
            weakest=view.fewest(wrong), **where,
        )  # fmt: skip


def _silent(view: View, answers: Answers, score: str, where: dict[str, Any]) -> Measured:
    if view.critical is None or not view.critical.any():
        return Measured("silent_critical_rate", n=len(view.labels), why_not=NO_CRITICAL, **where)
    among = harm.critical_classes(view.critical)[view.labels]
    if not among.any():
        return Measured("silent_critical_rate", why_not="no case is of a critical class", **where)
    threshold = answers.threshold[score]
    fatal = view.critical[view.labels, answers.decisions]
    silent = fatal & ties.at_least(answers.confidence[score], threshold)
    return share("silent_critical_rate", silent, among, where, why=f"confidence at or above {threshold:.4g}")
