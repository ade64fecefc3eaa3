"""Read thresholds from fit rows: one for all of them, or one for each group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from primum.auditing.policy.request import Asked
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


def read(
    asked: Asked, rows: Predictions, answers: Scored, score: str, by: str | None, tries: int = 1
) -> tuple[dict[str, Threshold], float]:
    """Group (``all`` without ``by``) → threshold, and the share of the rows they defer together.

    A promise has delta over the number of groups and of ``tries``, the scores that are tried for it.
    """
    parts = {"all": np.arange(len(rows))}
    if by is not None:
        parts = {name.removeprefix(f"{by}="): at for name, at in groups.groups(rows.metadata, (by,))}
    found = {
        name: _threshold(asked, rows.take(at), answers.take(at), score, len(parts) * tries)
        for name, at in parts.items()
    }
    deferred = sum(found[name].deferred_share * len(at) for name, at in parts.items()) / len(rows)
    return found, float(deferred)


def preferred(reads: Mapping[str, tuple[Mapping[str, Threshold], float]]) -> str:
    """Score of the fewest groups without a promise that is worth something, then the fewest deferred.

    Args:
        reads: score → what :func:`read` returned; the first of equals is taken.
    """

    def standing(score: str) -> tuple[int, float]:
        found, deferred = reads[score]
        return sum(one.verdict == "not_certifiable" or one.vacuous for one in found.values()), deferred

    return min(reads, key=standing)


def _threshold(asked: Asked, rows: Predictions, answers: Scored, score: str, shares: int) -> Threshold:
    confidence, why, certificate = answers.confidence[score], "", None
    if asked.capacity is not None:
        chosen = thresholds.by_capacity(confidence, asked.capacity)
    elif asked.reader is not None:
        chosen, why = _by_cost(asked, asked.reader, rows, answers, confidence)
    else:
        certificate = _certified(asked, rows, answers, confidence, shares)
        chosen, why = certificate.threshold, certificate.why_not
        if certificate.vacuous:
            why = "vacuous: the promise holds because every case it is about is deferred"
    accepted, coverage = ties.at_least(confidence, chosen), None
    if asked.opts.critical is not None:
        among = harm.critical_classes(asked.opts.critical)[rows.labels]
        coverage = float(accepted[among].mean()) if among.any() else None
    verdict = "fitted" if certificate is None else "not_certifiable" if certificate.why_not else "certified"
    said = {} if certificate is None else asdict(certificate)
    evidence = {name: said[name] for name in ("n", "units", "risk", "p", "level", "vacuous") if name in said}
    return Threshold(chosen, float((~accepted).mean()), coverage, verdict, why, **evidence)  # type: ignore[arg-type]


def _by_cost(
    asked: Asked, stated: StatedReader, rows: Predictions, answers: Scored, confidence: Floats
) -> tuple[float, str]:
    matrix = asked.opts.severity
    reader = reader_of(stated, matrix, rows.classes)
    assert matrix is not None
    assert reader is not None
    errs = " with these error rates" if stated.error else ""
    if never_useful(matrix.cost, reader, asked.bayes):
        why = f"a reader cost of {stated.cost:g}{errs} makes deferral never useful, so nothing is deferred"
        return -np.inf, why
    chosen = thresholds.by_cost(confidence, *spent(rows.labels, answers.decisions, matrix.cost, reader))
    said = {
        -np.inf: f"at a reader cost of {stated.cost:g}{errs} no threshold on the fit rows costs less than "
        "deferring nothing",
        np.inf: f"at a reader cost of {stated.cost:g}{errs} deferring every case costs least on the fit rows",
    }
    return chosen, said.get(chosen, "")


def _certified(
    asked: Asked, rows: Predictions, answers: Scored, confidence: Floats, shares: int
) -> Certificate:
    promise = asked.promise
    assert promise is not None
    if promise.risk == "cer":
        assert asked.opts.critical is not None
        at = np.flatnonzero(harm.critical_classes(asked.opts.critical)[rows.labels])
        loss = asked.opts.critical[rows.labels, answers.decisions].astype(np.float64)
    else:
        assert asked.opts.severity is not None
        cost = asked.opts.severity.cost
        at, loss = np.arange(len(rows)), cost[rows.labels, answers.decisions] / cost.max()
    clusters = None if rows.patients is None else codes(rows.patients)[at]
    if clusters is not None and promise.unit == "one" and len(at):
        at, clusters = at[sampled(clusters, confidence[at], asked.opts.seed)], None
    units = gathered(confidence[at], loss[at], clusters, promise.risk == "cer")
    noun = "patients" if rows.patients is not None else "critical cases" if promise.risk == "cer" else "cases"
    return certify(
        units,
        promise.alpha,
        promise.delta / shares,
        promise.denominator,
        promise.method,
        promise.coverages,
        noun,
    )
