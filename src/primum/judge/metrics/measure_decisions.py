"""Metrics of the answers of one decision rule: right, critical, costly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from primum.core.arrays import Array, Bools
from primum.judge.answers import Answers, View
from primum.judge.metrics import accuracy, harm
from primum.judge.metrics.confusion import Confusion, confusion
from primum.judge.metrics.measured import FEWEST, NO_CRITICAL, NO_SEVERITY, Measured, few
from primum.judge.metrics.table import codes_of

DECISION_CODES, TWO_CLASS_CODES = codes_of("answers"), codes_of("two_class_answers")
COSTS: dict[str, tuple[Any, Any]] = {
    "expected_cost": (harm.expected_cost, harm.expected_cost_influence),
    "normalized_expected_cost": (harm.normalized_expected_cost, harm.normalized_expected_cost_influence),
}


def decisions(view: View, answers: Answers) -> Iterator[Measured]:
    """Accuracy, critical errors and costs of one rule's answers; PPV, NPV, net benefit with two classes."""
    labels, chosen, n = view.labels, answers.decisions, len(view.labels)
    where: dict[str, Any] = {"decision": answers.rule, "calibrated": answers.calibrated}
    yield share("accuracy", labels == chosen, np.ones(n, dtype=bool), where)
    replicated = confusion(labels, chosen, view.classes, view.resampler) if n >= FEWEST else None
    counts = confusion(labels, chosen, view.classes)
    weakest = view.fewest(view.labels)
    for code, metric in (
        ("balanced_accuracy", accuracy.balanced_accuracy_of),
        ("macro_f1", accuracy.macro_f1_of),
    ):
        if (view.counts > 0).sum() < 2:
            yield Measured(code, n=n, why_not="all cases are of one class", **where)
        else:
            yield _replicated(code, metric, counts, replicated, (0.0, 1.0), weakest, where)
    yield from _critical(view, answers, where)
    yield from _costs(view, answers, where)
    if view.classes == 2:
        yield from _two_class(view, counts, replicated, where)


def share(code: str, hits: Array, among: Bools, where: dict[str, Any], **rest: Any) -> Measured:
    n = int(among.sum())
    return Measured(code, value=float(hits[among].mean()), n=n, hits=hits, among=among, **where, **rest)


def _replicated(
    code: str,
    metric: Any,
    counts: Confusion,
    replicated: Confusion | None,
    bounds: tuple[float, float],
    weakest: int,
    where: dict[str, Any],
) -> Measured:
    n = int(counts.counts.sum())
    if replicated is None:
        return Measured(code, n=n, why_not=few(n), **where)
    return Measured(
        code, value=float(metric(counts)), n=n, replicates=np.asarray(metric(replicated)), bounds=bounds,
        weakest=weakest, **where,
    )  # fmt: skip


def _critical(view: View, answers: Answers, where: dict[str, Any]) -> Iterator[Measured]:
    codes = ("cer", "critical_errors", "specificity")
    if view.critical is None or not view.critical.any():
        for code in codes:
            yield Measured(code, n=len(view.labels), why_not=NO_CRITICAL, **where)
        return
    fatal = harm.critical_classes(view.critical)
    of_critical = fatal[view.labels]
    missed = view.critical[view.labels, answers.decisions]
    if of_critical.any():
        rate = share("cer", missed, of_critical, where)
        yield rate
        yield Measured(
            "critical_errors",
            value=float(missed.sum()),
            n=rate.n,
            hits=missed,
            among=of_critical,
            count=True,
            **where,
        )
    else:
        for code in codes[:2]:
            yield Measured(code, why_not="no case is of a critical class", **where)
    if of_critical.all():
        yield Measured("specificity", why_not="every case is of a critical class", **where)
    else:
        yield share("specificity", ~fatal[answers.decisions], ~of_critical, where)


def _costs(view: View, answers: Answers, where: dict[str, Any]) -> Iterator[Measured]:
    n, cost, priors = len(view.labels), view.cost, view.priors
    codes = tuple(COSTS)
    if cost is None or n < FEWEST:
        for code in codes:
            yield Measured(code, n=n, why_not=NO_SEVERITY if cost is None else few(n), **where)
        return
    if priors is not None and ((view.counts == 0) & (priors > 0)).any():
        for code in codes:
            yield Measured(
                code, n=n, why_not="a class with a deployment prior above 0 has no case here", **where
            )
        return
    shares = view.counts / n if priors is None else priors
    constant = float((shares @ cost).min())
    for code, scale in zip(codes, (1.0, constant), strict=True):
        if scale == 0:
            yield Measured(code, n=n, why_not="a constant decision already costs nothing here", **where)
            continue
        metric, influence = COSTS[code]
        yield Measured(
            code, value=metric(view.labels, answers.decisions, cost, priors), n=n, scale="log",
            influence=influence(view.labels, answers.decisions, cost, priors),
            bounds=(0.0, float(cost.max()) / scale), weakest=view.independent, **where,
        )  # fmt: skip


def _two_class(
    view: View, counts: Confusion, replicated: Confusion | None, where: dict[str, Any]
) -> Iterator[Measured]:
    n = len(view.labels)
    critical = np.zeros(2, dtype=bool) if view.critical is None else view.critical.any(axis=1)
    if critical.sum() != 1 or (view.counts == 0).any():
        why = (
            "both classes need cases"
            if critical.sum() == 1
            else "exactly one class must be critical to be the positive one"
        )
        for code in TWO_CLASS_CODES:
            yield Measured(code, n=n, why_not=why, **where)
        return
    k = int(np.flatnonzero(critical)[0])
    prevalence = None if view.priors is None else float(view.priors[k])
    said = "at the observed prevalence" if prevalence is None else f"at a prevalence of {prevalence:g}"

    def rates(c: Confusion) -> tuple[Any, Any, Any]:
        sensitivity, specificity, observed = harm.rates(c, k)
        return sensitivity, specificity, observed if prevalence is None else prevalence

    for code, side, answered in (("ppv", 0, k), ("npv", 1, 1 - k)):
        among = view.answers[where["decision"]].decisions == answered
        if not among.any():
            yield Measured(code, why_not="no case was given this answer", **where)
        elif prevalence is None:
            yield share(code, view.labels == answered, among, where, why=said)
        else:
            yield _with_why(
                _replicated(
                    code, lambda c, side=side: harm.predictive_values(*rates(c))[side], counts, replicated,
                    (0.0, 1.0), view.fewest(view.labels), where,
                ), said,
            )  # fmt: skip
    if view.cost is None or not view.cost[k, 1 - k]:
        yield Measured("net_benefit", n=n, why_not=NO_SEVERITY, **where)
        return
    miss, alarm = view.cost[k, 1 - k], view.cost[1 - k, k]
    threshold = float(alarm / (alarm + miss))
    benefit = _replicated(
        "net_benefit", lambda c: harm.net_benefit(*rates(c), threshold), counts, replicated, (-1.0, 1.0),
        view.fewest(view.labels), where,
    )  # fmt: skip
    yield _with_why(
        benefit,
        f"{said}, a miss weighing {miss / max(alarm, 1e-12):g} false alarms (threshold {threshold:.3g})",
    )


def _with_why(measured: Measured, why: str) -> Measured:
    return replace(measured, why=why)
