"""Metrics of one confidence score on the answers of one rule: what is left when the doubtful ones go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from primum.core.arrays import Bools, Floats
from primum.judge.answers import Answers, View
from primum.judge.finding import Basis
from primum.judge.metrics import accuracy, cuts, excess, harm, selective
from primum.judge.metrics.measured import (
    MIN_CASES,
    NO_CRITICAL,
    NO_SEVERITY,
    Influence,
    Measured,
    Share,
    too_few,
    unmeasured,
)
from primum.judge.metrics.table import codes_of

SCORE_CODES = codes_of("confidence")
AREAS, COST_AREAS, FAILURES = SCORE_CODES[:4], SCORE_CODES[4:6], SCORE_CODES[6:8]


def measure_score(view: View, answers: Answers, score: str) -> Iterator[Measured]:
    """Every metric of a score: the areas and their excess, what tells failures apart, one cut, silence."""
    n, basis = len(view.labels), answers.basis(score)
    if n < MIN_CASES:
        for code in SCORE_CODES[:-1]:
            yield unmeasured(code, basis, n, too_few(n))
    else:
        ranking, wrong = view.ranking(answers.confidence[score]), view.labels != answers.decisions
        error = wrong.astype(np.float64)
        curve = selective.risk_coverage(error, ranking)
        on_areas = selective.influence(curve, error, ranking)
        values = (curve.aurc, curve.augrc, *excess.excesses(curve, n, int(wrong.sum())))
        influences = (*on_areas, *excess.influences(*on_areas, error))
        for code, value, influence in zip(AREAS, values, influences, strict=True):
            yield Measured(code, _area(view, value, influence, 1.0), basis)
        yield from _cost_areas(view, answers, ranking, basis)
        yield from _failures(view, wrong, ranking, basis)
        risk, influence = cuts.risk_with_influence(error, ranking)
        weakest = int(np.ceil(cuts.COVERAGE * view.independent))
        evidence = Influence(risk, influence, "logit", (0.0, 1.0), weakest)
        yield Measured("risk_at_80_coverage", evidence, basis)
    yield _silent(view, answers, score)


def missing_scores(answers: Answers) -> Iterator[Measured]:
    """One AURC without a value for every score that does not apply, with the reason."""
    for score, why in answers.missing.items():
        yield unmeasured("aurc", answers.basis(score), len(answers.decisions), why)


def _area(view: View, value: float, influence: Floats, highest: float) -> Influence:
    return Influence(value, influence, "log", (0.0, highest), view.independent)


def _cost_areas(view: View, answers: Answers, ranking: selective.Ranking, basis: Basis) -> Iterator[Measured]:
    if view.cost is None:
        for code in COST_AREAS:
            yield unmeasured(code, basis, len(view.labels), NO_SEVERITY)
        return
    spent = view.cost[view.labels, answers.decisions]
    curve = selective.risk_coverage(spent, ranking)
    influences = selective.influence(curve, spent, ranking)
    for code, value, influence in zip(COST_AREAS, (curve.aurc, curve.augrc), influences, strict=True):
        yield Measured(code, _area(view, value, influence, float(view.cost.max())), basis)


def _failures(view: View, wrong: Bools, ranking: selective.Ranking, basis: Basis) -> Iterator[Measured]:
    n, errors = len(wrong), int(wrong.sum())
    if errors in (0, n):
        why = "every answer is wrong" if errors else "there is no error to find"
        for code in FAILURES:
            yield unmeasured(code, basis, n, why)
        return
    metrics = accuracy.auroc_of_ranking(~wrong, ranking), cuts.fpr_with_influence(wrong, ranking)
    for code, (value, influence) in zip(FAILURES, metrics, strict=True):
        yield Measured(code, Influence(value, influence, "logit", (0.0, 1.0), view.smallest(wrong)), basis)


def _silent(view: View, answers: Answers, score: str) -> Measured:
    code, basis = "silent_critical_rate", answers.basis(score)
    if view.critical is None or not view.critical.any():
        return unmeasured(code, basis, len(view.labels), NO_CRITICAL)
    threshold = answers.threshold[score]
    silent, among = harm.silent_misses(
        view.labels, answers.decisions, answers.confidence[score], view.critical, threshold
    )
    if not among.any():
        return unmeasured(code, basis, 0, "no case is of a critical class")
    return Measured(code, Share(silent, among), basis, f"confidence at or above {threshold:.4g}")
