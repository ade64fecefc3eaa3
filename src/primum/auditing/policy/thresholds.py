"""Read thresholds from fit rows: one for all of them, or one for each group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from primum.auditing.policy.request import Request
from primum.auditing.policy.rows import reader_of
from primum.auditing.policy.terms import Promise, StatedReader, Threshold, percent
from primum.auditing.preparation import codes
from primum.core.arrays import Integers
from primum.judge.deferral import thresholds
from primum.judge.deferral.certify import Certificate, certify
from primum.judge.deferral.costs import never_useful, spent
from primum.judge.deferral.scored import Scored
from primum.judge.deferral.units import Units, gathered, sampled
from primum.judge.metrics import harm
from primum.judge.statistics import groups
from primum.predictions import Predictions

EVIDENCE = ("n", "units", "risk", "p", "level")  # of a certificate, as a threshold has it
VACUOUS = 0.05  # of the negatives cleared: with fewer, a promise that deferral alone could keep
Copies = Sequence[tuple[Predictions, Scored]]  # rows under a tolerated change, and what is answered there


def read(
    request: Request,
    rows: Predictions,
    answers: Scored,
    score: str,
    by: str | None,
    tries: int = 1,
    changed: Copies = (),
) -> tuple[dict[str, Threshold], float]:
    """Group (``all`` without ``by``) → threshold, and the share of the rows they defer together.

    A promise has delta over the number of groups and of ``tries``, the scores that are tried for it, and is
    held to on the rows as they are and on each of the ``changed`` copies.
    """
    copies = [(rows, answers), *changed]
    grouped = [_groups(table, by) for table, _ in copies]
    by_group = {}
    for name in grouped[0]:
        parts = [
            (table.take(at[name]), scored.take(at[name]))
            for (table, scored), at in zip(copies, grouped, strict=True)
            if name in at
        ]
        by_group[name] = _threshold(request, parts, score, len(grouped[0]) * tries)
    deferred = sum(by_group[name].deferred_share * len(at) for name, at in grouped[0].items()) / len(rows)
    return by_group, float(deferred)


def _groups(rows: Predictions, by: str | None) -> dict[str, Integers]:
    if by is None:
        return {"all": np.arange(len(rows))}
    return {name.removeprefix(f"{by}="): at for name, at in groups.groups(rows.metadata, (by,))}


def preferred(reads: Mapping[str, tuple[Mapping[str, Threshold], float]]) -> str:
    """Score of the fewest groups without a promise that is worth something, then the fewest deferred.

    Args:
        reads: score → what :func:`read` returned; the first of equals is taken.
    """

    def standing(score: str) -> tuple[int, float]:
        by_group, deferred = reads[score]
        return sum(
            threshold.verdict == "not_certifiable" or threshold.vacuous for threshold in by_group.values()
        ), deferred

    return min(reads, key=standing)


def _threshold(request: Request, copies: Copies, score: str, shares: int) -> Threshold:
    rows, answers = copies[0]
    confidence, why, certificate = answers.gated(score), "", None
    if request.capacity is not None:
        chosen = thresholds.by_capacity(confidence, request.capacity)
        if np.isinf(chosen):
            why = (
                f"the veto alone defers {percent(float(np.isinf(confidence).mean()))} of these fit rows, "
                f"more than the capacity of {percent(request.capacity)}"
            )
    elif request.reader is not None:
        passing = np.isfinite(confidence)
        chosen, why = np.inf, "the veto sends away every one of these fit rows"
        if passing.any():
            chosen, why = _by_cost(request, request.reader, rows.take(passing), answers.take(passing), score)
    else:
        certificate = _certified(request, copies, score, shares)
        chosen, why = certificate.threshold, certificate.why_not
    accepted, coverage = answers.accepted(score, chosen), None
    critical, cleared = request.opts.critical, None
    if critical is not None:
        among = harm.critical_classes(critical)[rows.labels]
        coverage = float(accepted[among].mean()) if among.any() else None
        spared, negatives = harm.spared_negatives(rows.labels, answers.decisions, critical)
        cleared = float((spared & accepted)[negatives].mean()) if negatives.any() else None
    verdict: Literal["fitted", "certified", "not_certifiable"] = (
        "fitted" if certificate is None else "not_certifiable" if certificate.why_not else "certified"
    )
    vacuous = False
    if certificate is not None and not certificate.why_not:
        worth = cleared if request.target == "cer" else None
        vacuous = (float(accepted.mean()) if worth is None else worth) < VACUOUS
        why = _vacuous(worth) if vacuous else why
    evidence = {} if certificate is None else {name: getattr(certificate, name) for name in EVIDENCE}
    share = float((~accepted).mean())
    return Threshold(
        chosen, share, coverage, verdict, why, **evidence, vacuous=vacuous, cleared=cleared
    )  # fmt: skip


def _vacuous(cleared: float | None) -> str:
    bound = percent(VACUOUS)
    if cleared is None:
        return f"vacuous: the promise holds because less than {bound} of the cases are accepted"
    return (
        f"vacuous: the promise holds because hardly a negative is cleared, {percent(cleared)} where at least "
        f"{bound} is asked for"
    )


def _by_cost(
    request: Request, stated: StatedReader, rows: Predictions, answers: Scored, score: str
) -> tuple[float, str]:
    matrix, confidence = request.opts.severity, answers.confidence[score]
    reader = reader_of(stated, matrix, rows.classes)
    assert matrix is not None
    assert reader is not None
    errs = " with these error rates" if stated.error else ""
    if never_useful(matrix.cost, reader, request.bayes):
        why = f"a reader cost of {stated.cost:g}{errs} makes deferral never useful, so nothing is deferred"
        return -np.inf, why
    chosen = thresholds.by_cost(confidence, *spent(rows.labels, answers.decisions, matrix.cost, reader))
    reasons = {
        -np.inf: f"at a reader cost of {stated.cost:g}{errs} no threshold on the fit rows costs less than "
        "deferring nothing",
        np.inf: f"at a reader cost of {stated.cost:g}{errs} deferring every case costs least on the fit rows",
    }
    return chosen, reasons.get(chosen, "")


def _certified(request: Request, copies: Copies, score: str, shares: int) -> Certificate:
    promise = request.promise
    assert promise is not None
    patients = copies[0][0].patients
    noun = "patients" if patients is not None else "critical cases" if promise.risk == "cer" else "cases"
    units = [_units(request, promise, *copy, score) for copy in copies]
    return certify(
        units if promise.denominator == "all" else units[0],
        promise.alpha,
        delta=promise.delta / shares,
        denominator=promise.denominator,
        method=promise.method,
        coverages=promise.coverages,
        noun=noun,
    )


def _units(request: Request, promise: Promise, rows: Predictions, answers: Scored, score: str) -> Units:
    confidence = answers.gated(score)
    if promise.risk == "cer":
        assert request.opts.critical is not None
        at = np.flatnonzero(harm.critical_classes(request.opts.critical)[rows.labels])
        loss = request.opts.critical[rows.labels, answers.decisions].astype(np.float64)
    else:
        assert request.opts.severity is not None
        cost = request.opts.severity.cost
        at, loss = np.arange(len(rows)), cost[rows.labels, answers.decisions] / cost.max()
    clusters = None if rows.patients is None else codes(rows.patients)[at]
    if clusters is not None and promise.unit == "one" and len(at):
        # one case of each patient is drawn, so what is left are independent cases
        at, clusters = at[sampled(clusters, confidence[at], request.opts.seed)], None
    return gathered(confidence[at], loss[at], clusters, promise.risk == "cer")
