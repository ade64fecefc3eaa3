"""Every metric of a view, each with what its interval needs, so that one table or a pair can be judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from primum.judge import accuracy, calibration, harm, selective
from primum.judge.answers import Answers, View
from primum.judge.confusion import Confusion, confusion
from primum.judge.interval import Floats
from primum.judge.measured import Measured

FEWEST = 10
RULES = ("argmax", "bayes", "given")
NO_SEVERITY = "no severity matrix was given"
NO_CRITICAL = "no critical cells were given"
COSTS: dict[str, tuple[Any, Any]] = {
    "expected_cost": (harm.expected_cost, harm.expected_cost_influence),
    "normalized_expected_cost": (harm.normalized_expected_cost, harm.normalized_expected_cost_influence),
}


def _few(n: int) -> str:
    return f"at least {FEWEST} cases are needed, there are {n}"


def measure(view: View) -> Iterator[Measured]:
    """Every metric of ``view``; one that cannot be computed says why."""
    for name in view.probs:
        yield from _probabilities(view, name)
    for rule in RULES:
        if rule in view.answers:
            answers = view.answers[rule]
            yield from _decisions(view, answers)
            for score in answers.confidence:
                yield from _selective(view, answers, score)
        elif rule == "bayes":
            yield from _no_bayes(view)


def _no_bayes(view: View) -> Iterator[Measured]:
    codes = ["accuracy", "balanced_accuracy", "macro_f1", "cer", "critical_errors", "specificity"]
    codes += ["expected_cost", "normalized_expected_cost"] + ["ppv", "npv", "net_benefit"] * (
        view.classes == 2
    )
    for code in codes:
        yield Measured(
            code, "bayes", n=len(view.labels), why_not=f"{NO_SEVERITY}, which a Bayes decision needs"
        )


def _probabilities(view: View, name: str) -> Iterator[Measured]:
    n, probs, labels = len(view.labels), view.probs[name], view.labels
    if n < FEWEST:
        for code in ("auroc", "ece", "ece_equal_mass", "classwise_ece", "brier", "nll"):
            yield Measured(code, calibrated=name, n=n, why_not=_few(n))
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


def _decisions(view: View, answers: Answers) -> Iterator[Measured]:
    labels, decisions, n = view.labels, answers.decisions, len(view.labels)
    where: dict[str, Any] = {"decision": answers.rule, "calibrated": answers.calibrated}
    yield _share("accuracy", labels == decisions, np.ones(n, dtype=bool), where)
    replicated = confusion(labels, decisions, view.classes, view.resampler) if n >= FEWEST else None
    counts = confusion(labels, decisions, view.classes)
    weakest = int(view.counts[view.counts > 0].min())
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


def _share(
    code: str, hits: NDArray[Any], among: NDArray[np.bool_], where: dict[str, Any], **rest: Any
) -> Measured:
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
        return Measured(code, n=n, why_not=_few(n), **where)
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
        share = _share("cer", missed, of_critical, where)
        yield share
        yield Measured(
            "critical_errors",
            value=float(missed.sum()),
            n=share.n,
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
        yield _share("specificity", ~fatal[answers.decisions], ~of_critical, where)


def _costs(view: View, answers: Answers, where: dict[str, Any]) -> Iterator[Measured]:
    n, cost, priors = len(view.labels), view.cost, view.priors
    codes = ("expected_cost", "normalized_expected_cost")
    if cost is None or n < FEWEST:
        for code in codes:
            yield Measured(code, n=n, why_not=NO_SEVERITY if cost is None else _few(n), **where)
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
            bounds=(0.0, float(cost.max()) / scale), weakest=n, **where,
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
        for code in ("ppv", "npv", "net_benefit"):
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
            yield _share(code, view.labels == answered, among, where, why=said)
        else:
            yield _with_why(
                _replicated(
                    code, lambda c, side=side: harm.predictive_values(*rates(c))[side], counts, replicated,
                    (0.0, 1.0), int(view.counts.min()), where,
                ), said,
            )  # fmt: skip
    if view.cost is None or not view.cost[k, 1 - k]:
        yield Measured("net_benefit", n=n, why_not=NO_SEVERITY, **where)
        return
    miss, alarm = view.cost[k, 1 - k], view.cost[1 - k, k]
    threshold = float(alarm / (alarm + miss))
    benefit = _replicated(
        "net_benefit", lambda c: harm.net_benefit(*rates(c), threshold), counts, replicated, (-1.0, 1.0),
        int(view.counts.min()), where,
    )  # fmt: skip
    yield _with_why(
        benefit,
        f"{said}, a miss weighing {miss / max(alarm, 1e-12):g} false alarms (threshold {threshold:.3g})",
    )


def _with_why(measured: Measured, why: str) -> Measured:
    return replace(measured, why=why)


def _selective(view: View, answers: Answers, score: str) -> Iterator[Measured]:
    n, confidence = len(view.labels), answers.confidence[score]
    where: dict[str, Any] = {"decision": answers.rule, "score": score, "calibrated": answers.calibrated}
    codes = ("aurc", "augrc", "cost_aurc", "cost_augrc", "failure_auroc")
    if n < FEWEST:
        for code in codes:
            yield Measured(code, n=n, why_not=_few(n), **where)
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
    return _share("silent_critical_rate", silent, among, where, why=f"confidence at or above {threshold:.4g}")
