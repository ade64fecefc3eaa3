"""Read thresholds from fit rows: one for all of them, or one for each group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from primum.auditing.policy.request import Request
from primum.auditing.policy.rows import reader_of
from primum.auditing.policy.terms import StatedReader, Threshold
from primum.auditing.preparation import codes
from primum.core import ties
from primum.core.arrays import Floats
from primum.judge.deferral import thresholds
from primum.judge.deferral.certify import Certificate, certify
from primum.judge.deferral.costs import never_useful, spent
from primum.judge.deferral.scored import Scored
from primum.judge.deferral.units import gathered, sampled
from primum.judge.metrics import harm
from primum.judge.statistics import groups
from primum.predictions import Predictions

EVIDENCE = ("n", "units", "risk", "p", "level", "vacuous")  # of a certificate, as a threshold has it


def read(
    request: Request, rows: Predictions, answers: Scored, score: str, by: str | None, tries: int = 1
) -> tuple[dict[str, Threshold], float]:
    """Group (``all`` without ``by``) → threshold, and the share of the rows they defer together.

    A promise has delta over the number of groups and of ``tries``, the scores that are tried for it.
    """
    parts = {"all": np.arange(len(rows))}
    if by is not None:
        parts = {name.removeprefix(f"{by}="): at for name, at in groups.groups(rows.metadata, (by,))}
    by_group = {
        name: _threshold(request, rows.take(at), answers.take(at), score, len(parts) * tries)
        for name, at in parts.items()
    }
    deferred = sum(by_group[name].deferred_share * len(at) for name, at in parts.items()) / len(rows)
    return by_group, float(deferred)


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


def _threshold(request: Request, rows: Predictions, answers: Scored, score: str, shares: int) -> Threshold:
    confidence, why, certificate = answers.confidence[score], "", None
    if request.capacity is not None:
        chosen = thresholds.by_capacity(confidence, request.capacity)
    elif request.reader is not None:
        chosen, why = _by_cost(request, request.reader, rows, answers, confidence)
    else:
        certificate = _certified(request, rows, answers, confidence, shares)
        chosen, why = certificate.threshold, certificate.why_not
        if certificate.vacuous:
            why = "vacuous: the promise holds because every case it is about is deferred"
    accepted, coverage = ties.at_least(confidence, chosen), None
    if request.opts.critical is not None:
        among = harm.critical_classes(request.opts.critical)[rows.labels]
        coverage = float(accepted[among].mean()) if among.any() else None
    verdict: Literal["fitted", "certified", "not_certifiable"] = (
        "fitted" if certificate is None else "not_certifiable" if certificate.why_not else "certified"
    )
    evidence = {} if certificate is None else {name: getattr(certificate, name) for name in EVIDENCE}
    return Threshold(chosen, float((~accepted).mean()), coverage, verdict, why, **evidence)


def _by_cost(
    request: Request, stated: StatedReader, rows: Predictions, answers: Scored, confidence: Floats
) -> tuple[float, str]:
    matrix = request.opts.severity
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


def _certified(
    request: Request, rows: Predictions, answers: Scored, confidence: Floats, shares: int
) -> Certificate:
    promise = request.promise
    assert promise is not None
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
    units = gathered(confidence[at], loss[at], clusters, promise.risk == "cer")
    noun = "patients" if rows.patients is not None else "critical cases" if promise.risk == "cer" else "cases"
    return certify(
        units,
        promise.alpha,
        delta=promise.delta / shares,
        denominator=promise.denominator,
        method=promise.method,
        coverages=promise.coverages,
        noun=noun,
    )
