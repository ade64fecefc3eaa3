"""Metrics of the answers of one decision rule: right, critical, costly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from primum.core.arrays import Bools, Floats
from primum.judge.answers import Answers, View
from primum.judge.metrics import accuracy, harm
from primum.judge.metrics.confusion import Confusion, count_pairs
from primum.judge.metrics.measured import (
    MIN_CASES,
    NO_CRITICAL,
    NO_SEVERITY,
    Evidence,
    Influence,
    Measured,
    NotApplicable,
    Replicates,
    Share,
    too_few,
    unmeasured,
)
from primum.judge.metrics.table import codes_of

DECISION_CODES, TWO_CLASS_CODES = codes_of("answers"), codes_of("two_class_answers")
CRITICAL_CODES = ("cer", "critical_errors", "specificity")
COSTS = {
    "expected_cost": (harm.expected_cost, harm.expected_cost_influence),
    "normalized_expected_cost": (harm.normalized_expected_cost, harm.normalized_expected_cost_influence),
}
Metric = Callable[[Confusion], Floats]


def measure_answers(view: View, answers: Answers) -> Iterator[Measured]:
    """Accuracy, critical errors and costs of one rule's answers; PPV, NPV, net benefit with two classes."""
    labels, decisions, n, basis = view.labels, answers.decisions, len(view.labels), answers.basis()
    yield Measured("accuracy", Share(labels == decisions, np.ones(n, dtype=bool)), basis)
    counts = count_pairs(labels, decisions, view.classes)
    replicated = count_pairs(labels, decisions, view.classes, view.resampler) if n >= MIN_CASES else None
    for code, metric in (
        ("balanced_accuracy", accuracy.balanced_accuracy_of),
        ("macro_f1", accuracy.macro_f1_of),
    ):
        if (view.counts > 0).sum() < 2:
            yield unmeasured(code, basis, n, "all cases are of one class")
        else:
            yield Measured(code, _replicates(view, metric, counts, replicated), basis)
    yield from _critical(view, answers)
    yield from _costs(view, answers)
    if view.classes == 2:
        yield from _two_class(view, answers, counts, replicated)


def _replicates(
    view: View, metric: Metric, counts: Confusion, replicated: Confusion | None, lowest: float = 0.0
) -> Evidence:
    """A function of the counts, from ``lowest`` to 1, with its values in the replicated counts."""
    n = len(view.labels)
    if replicated is None:
        return NotApplicable(n, too_few(n))
    return Replicates(
        float(metric(counts)), n, np.asarray(metric(replicated)),
        bounds=(lowest, 1.0), weakest=view.smallest(view.labels),
    )  # fmt: skip


def _critical(view: View, answers: Answers) -> Iterator[Measured]:
    basis = answers.basis()
    if view.critical is None or not view.critical.any():
        for code in CRITICAL_CODES:
            yield unmeasured(code, basis, len(view.labels), NO_CRITICAL)
        return
    missed, critical_cases = harm.critical_misses(view.labels, answers.decisions, view.critical)
    if critical_cases.any():
        yield Measured("cer", Share(missed, critical_cases), basis)
        yield Measured("critical_errors", Share(missed, critical_cases, count=True), basis)
    else:
        for code in CRITICAL_CODES[:2]:
            yield unmeasured(code, basis, 0, "no case is of a critical class")
    spared, negatives = harm.spared_negatives(view.labels, answers.decisions, view.critical)
    if negatives.any():
        yield Measured("specificity", Share(spared, negatives), basis)
    else:
        yield unmeasured("specificity", basis, 0, "every case is of a critical class")


def _costs(view: View, answers: Answers) -> Iterator[Measured]:
    n, cost, priors, basis = len(view.labels), view.cost, view.priors, answers.basis()
    if cost is None or n < MIN_CASES:
        for code in COSTS:
            yield unmeasured(code, basis, n, NO_SEVERITY if cost is None else too_few(n))
        return
    if priors is not None and ((view.counts == 0) & (priors > 0)).any():
        for code in COSTS:
            yield unmeasured(code, basis, n, "a class with a deployment prior above 0 has no case here")
        return
    shares = view.counts / n if priors is None else priors
    constant = float((shares @ cost).min())
    for code, unit in zip(COSTS, (1.0, constant), strict=True):
        if unit == 0:
            yield unmeasured(code, basis, n, "a constant decision already costs nothing here")
            continue
        metric, influence = COSTS[code]
        evidence = Influence(
            metric(view.labels, answers.decisions, cost, priors),
            influence(view.labels, answers.decisions, cost, priors),
            "log", (0.0, float(cost.max()) / unit), view.independent,
        )  # fmt: skip
        yield Measured(code, evidence, basis)


def _two_class(
    view: View, answers: Answers, counts: Confusion, replicated: Confusion | None
) -> Iterator[Measured]:
    n, basis = len(view.labels), answers.basis()
    critical = np.zeros(2, dtype=bool) if view.critical is None else view.critical.any(axis=1)
    if critical.sum() != 1 or (view.counts == 0).any():
        why = (
            "both classes need cases"
            if critical.sum() == 1
            else "exactly one class must be critical to be the positive one"
        )
        for code in TWO_CLASS_CODES:
            yield unmeasured(code, basis, n, why)
        return
    k = int(np.flatnonzero(critical)[0])
    prevalence = None if view.priors is None else float(view.priors[k])
    at = "at the observed prevalence" if prevalence is None else f"at a prevalence of {prevalence:g}"

    def rates(c: Confusion) -> tuple[Floats, Floats, Floats | float]:
        sensitivity, specificity, observed = harm.rates(c, k)
        return sensitivity, specificity, observed if prevalence is None else prevalence

    def predictive_value(c: Confusion, side: int) -> Floats:
        return harm.predictive_values(*rates(c))[side]

    for code, side, answer in (("ppv", 0, k), ("npv", 1, 1 - k)):
        among: Bools = answers.decisions == answer
        if not among.any():
            yield unmeasured(code, basis, 0, "no case was given this answer")
        elif prevalence is None:
            yield Measured(code, Share(view.labels == answer, among), basis, at)
        else:
            # at a prevalence that is not that of the rows it is no share of the cases any more
            metric = partial(predictive_value, side=side)
            yield Measured(code, _replicates(view, metric, counts, replicated), basis, at)
    if view.cost is None or not view.cost[k, 1 - k]:
        yield unmeasured("net_benefit", basis, n, NO_SEVERITY)
        return
    miss, alarm = view.cost[k, 1 - k], view.cost[1 - k, k]
    threshold = float(alarm / (alarm + miss))
    evidence = _replicates(
        view, lambda c: harm.net_benefit(*rates(c), threshold), counts, replicated, lowest=-1.0
    )
    weighing = f"a miss weighing {miss / max(alarm, 1e-12):g} false alarms (threshold {threshold:.3g})"
    yield Measured("net_benefit", evidence, basis, f"{at}, {weighing}")
