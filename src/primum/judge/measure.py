"""Every metric of a view, each with what its interval needs, so that one table or a pair can be judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from primum.judge import accuracy, calibration
from primum.judge.answers import View
from primum.judge.interval import Floats
from primum.judge.measure_decisions import DECISION_CODES, TWO_CLASS_CODES, decisions
from primum.judge.measure_operating import operating_points
from primum.judge.measure_scores import SCORE_CODES, scores
from primum.judge.measured import FEWEST, NO_SEVERITY, Measured, few

RULES = ("argmax", "bayes", "given")


def measure(view: View) -> Iterator[Measured]:
    """Every metric of ``view``; one that cannot be computed says why."""
    for name in view.probs:
        yield from _probabilities(view, name)
    for rule in RULES:
        if rule in view.answers:
            answers = view.answers[rule]
            yield from decisions(view, answers)
            for score in answers.confidence:
                yield from scores(view, answers, score)
        elif rule == "bayes":
            yield from _no_bayes(view)
    yield from operating_points(view)


def _no_bayes(view: View) -> Iterator[Measured]:
    why_not, n = f"{NO_SEVERITY}, which a Bayes decision needs", len(view.labels)
    for code in DECISION_CODES + TWO_CLASS_CODES * (view.classes == 2):
        yield Measured(code, "bayes", n=n, why_not=why_not)
    for score in view.answers["argmax"].confidence:
        for code in SCORE_CODES:
            yield Measured(code, "bayes", score, n=n, why_not=why_not)


def _probabilities(view: View, name: str) -> Iterator[Measured]:
    n, probs, labels = len(view.labels), view.probs[name], view.labels
    if n < FEWEST:
        for code in ("auroc", "ece", "ece_equal_mass", "classwise_ece", "brier", "nll"):
            yield Measured(code, calibrated=name, n=n, why_not=few(n))
        return
    present = view.counts[view.counts > 0]
    if len(present) < 2:
        yield Measured("auroc", calibrated=name, n=n, why_not="all cases are of one class")
    else:
        area, influence = accuracy.auroc_with_influence(labels, probs)
        yield Measured(
            "auroc", calibrated=name, value=area, n=n, influence=influence, scale="logit", bounds=(0.0, 1.0),
            weakest=int(present.min()),
        )  # fmt: skip
    errors = calibration.calibration_errors(labels, probs, view.resampler, view.seed)
    for code in errors.value:
        yield Measured(
            code, calibrated=name, value=errors.value[code], n=n, replicates=errors.replicates[code],
            kind="basic", bounds=(0.0, 1.0), weakest=n, estimate=calibration.interval(errors, code, n),
        )  # fmt: skip
    losses = calibration.brier_losses(labels, probs)
    yield _mean("brier", losses, 2.0, calibrated=name)
    losses, floored = calibration.nll_losses(labels, probs)
    why = (
        f"{floored} cases gave their true class a probability below 1e-12 and were counted as 1e-12"
        if floored
        else ""
    )
    yield _mean("nll", losses, -float(np.log(calibration.FLOOR)), calibrated=name, why=why)


def _mean(code: str, values: Floats, worst: float, **rest: Any) -> Measured:
    value = float(values.mean())
    return Measured(
        code, value=value, n=len(values), influence=values - value, scale="log", bounds=(0.0, worst),
        weakest=len(values), **rest,
    )  # fmt: skip
