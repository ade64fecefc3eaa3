"""Every metric of a view, each with what its interval needs, so that one table or a pair can be judged."""

from __future__ import annotations

from collections.abc import Iterator

from primum.judge.answers import View
from primum.judge.explanation import beyond
from primum.judge.finding import Basis
from primum.judge.metrics import accuracy
from primum.judge.metrics.measure_calibration import measure_probabilities
from primum.judge.metrics.measure_decisions import DECISION_CODES, TWO_CLASS_CODES, measure_answers
from primum.judge.metrics.measure_operating import measure_operating_points
from primum.judge.metrics.measure_scores import SCORE_CODES, measure_score, missing_scores
from primum.judge.metrics.measured import (
    MIN_CASES,
    NO_SEVERITY,
    Influence,
    Measured,
    too_few,
    unmeasured,
)

RULES = ("argmax", "bayes", "given")


def measure(view: View) -> Iterator[Measured]:
    """Every metric of ``view``; one that cannot be computed, or stands on one patient, says why."""
    for measured in _every(view):
        yield measured.of_patients(view)


def _every(view: View) -> Iterator[Measured]:
    for name in view.probs:
        yield _auroc(view, name)
        yield from measure_probabilities(view, name)
    for rule in RULES:
        if rule in view.answers:
            answers = view.answers[rule]
            yield from measure_answers(view, answers)
            for score in answers.confidence:
                yield from measure_score(view, answers, score)
            if rule == "argmax":
                yield from missing_scores(answers)
        elif rule == "bayes":
            yield from _no_bayes(view)
    yield from measure_operating_points(view)
    yield from beyond.measure(view, view.answers["argmax"])


def _no_bayes(view: View) -> Iterator[Measured]:
    why, n = f"{NO_SEVERITY}, which a Bayes decision needs", len(view.labels)
    for code in DECISION_CODES + TWO_CLASS_CODES * (view.classes == 2):
        yield unmeasured(code, Basis("bayes"), n, why)
    for code in SCORE_CODES:
        yield unmeasured(code, Basis("bayes", "msr"), n, why)


def _auroc(view: View, name: str) -> Measured:
    n, basis = len(view.labels), Basis(calibrated=name)
    if n < MIN_CASES or (view.counts > 0).sum() < 2:
        why = too_few(n) if n < MIN_CASES else "all cases are of one class"
        return unmeasured("auroc", basis, n, why)
    area, influence = accuracy.auroc_with_influence(view.labels, view.probs[name])
    return Measured(
        "auroc", Influence(area, influence, "logit", (0.0, 1.0), view.smallest(view.labels)), basis
    )
