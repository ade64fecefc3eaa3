"""Every metric of a view, each with what its interval needs, so that one table or a pair can be judged."""

from __future__ import annotations

from collections.abc import Iterator

from primum.judge.answers import View
from primum.judge.explanation import beyond
from primum.judge.metrics import accuracy
from primum.judge.metrics.measure_calibration import calibration
from primum.judge.metrics.measure_decisions import DECISION_CODES, TWO_CLASS_CODES, decisions
from primum.judge.metrics.measure_operating import operating_points
from primum.judge.metrics.measure_scores import SCORE_CODES, missing, scores
from primum.judge.metrics.measured import FEWEST, NO_SEVERITY, Measured, few

RULES = ("argmax", "bayes", "given")


def measure(view: View) -> Iterator[Measured]:
    """Every metric of ``view``; one that cannot be computed, or stands on one patient, says why."""
    for measured in _every(view):
        yield measured.of_patients(view)


def _every(view: View) -> Iterator[Measured]:
    for name in view.probs:
        yield _auroc(view, name)
        yield from calibration(view, name)
    for rule in RULES:
        if rule in view.answers:
            answers = view.answers[rule]
            yield from decisions(view, answers)
            for score in answers.confidence:
                yield from scores(view, answers, score)
            if rule == "argmax":
                yield from missing(answers)
        elif rule == "bayes":
            yield from _no_bayes(view)
    yield from operating_points(view)
    yield from beyond.measure(view, view.answers["argmax"])


def _no_bayes(view: View) -> Iterator[Measured]:
    why_not, n = f"{NO_SEVERITY}, which a Bayes decision needs", len(view.labels)
    for code in DECISION_CODES + TWO_CLASS_CODES * (view.classes == 2):
        yield Measured(code, "bayes", n=n, why_not=why_not)
    for code in SCORE_CODES:
        yield Measured(code, "bayes", "msr", n=n, why_not=why_not)


def _auroc(view: View, name: str) -> Measured:
    n, present = len(view.labels), view.counts[view.counts > 0]
    if n < FEWEST or len(present) < 2:
        why_not = few(n) if n < FEWEST else "all cases are of one class"
        return Measured("auroc", calibrated=name, n=n, why_not=why_not)
    area, influence = accuracy.auroc_with_influence(view.labels, view.probs[name])
    return Measured(
        "auroc", calibrated=name, value=area, n=n, influence=influence, scale="logit", bounds=(0.0, 1.0),
        weakest=view.fewest(view.labels),
    )  # fmt: skip
