"""Fit a policy: by capacity, by cost, or with a promise (METHODS §3, "Deferral")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from primum import check, hashing, tables
from primum.check import InputError
from primum.deferring import reading
from primum.deferring.asked import Asked, by_class, by_patient
from primum.deferring.rows import scored
from primum.guards import FEW_FIT_ROWS, first_cases
from primum.judge import groups, recalibrate
from primum.judge.deferral.learned import halves, learn
from primum.judge.deferral.recalibrated import to_plain
from primum.judge.deferral.scored import Scored
from primum.judge.inversion import inversion_for
from primum.judge.recalibrate import Recalibrator
from primum.judge.recalibrators import unchanged
from primum.judge.weighted import Weighted
from primum.options import Options, options
from primum.policy import FitRows, LearnedScore, Policy, Promise, Rule, StatedReader, Threshold
from primum.predictions import Predictions
from primum.preparing import codes, fingerprint
from primum.selecting import fit_rows
from primum.severity import SeverityMatrix, pairs

RULES = ("argmax", "bayes", "given")
TARGETS = ("error", "critical_error")


def fit(
    table: Any,
    severity: SeverityMatrix | str | Path | None = None,
    score: str | Sequence[str] = "msr",
    capacity: float | None = None,
    reader: StatedReader | None = None,
    promise: Promise | None = None,
    decision: Rule = "argmax",
    by: str | None = None,
    learn_from: str = "error",
    critical: Sequence[str | Sequence[str]] = (),
    columns: Mapping[str, str] | None = None,
    seed: int = 0,
    classes: Sequence[str] | None = None,
) -> Policy:
    """Fit a policy on the fit rows of a table: its cal rows, or those that are neither train nor test.

    Exactly one of ``capacity``, ``reader`` and ``promise`` says how the threshold is chosen.

    Whatever looks at labels before the threshold does (a learned score; for a certified policy also the
    recalibration behind Bayes decisions) is fitted on one half of the rows, cut by patient, and the threshold
    is read on the other half alone: to that half the score is a fixed function, so the promise holds.

    Args:
        table: whatever ``tables.read`` takes.
        severity: costs and critical cells; a capacity needs none.
        score: name of a score, or several to learn one from.
        capacity: largest share of the fit rows deferred, 0 or more and below 1.
        reader: who answers deferred cases; the threshold has the least failure cost.
        promise: what is to be certified. Where it cannot be, the policy says so and defers every case.
        decision: ``argmax``, ``bayes`` (on the best recalibrator) or ``given`` (the table's column).
        by: column whose groups get a threshold each, or None; a promise then holds for all of them together.
        learn_from: ``error`` or ``critical_error``, what a learned score is to foresee.
        critical, columns, classes: as in ``primum.audit``. seed: of halves, folds and draws.

    Raises:
        InputError: one sentence on what was expected, what arrived, where, and what to do.
    """
    rows = fit_rows(tables.read(table, columns, classes=classes))
    opts = options(rows.classes, rows.name, severity, critical, by=() if by is None else (by,), seed=seed)
    groups.check_columns(rows.metadata, opts.by)
    check.one_of(decision, RULES, "--decision: rule")
    check.one_of(learn_from, TARGETS, "--learn: target")
    names = tuple(name.removeprefix("score_") for name in ([score] if isinstance(score, str) else score))
    reader = by_class(reader, rows.classes)
    asked = Asked(capacity, reader, by_patient(promise, rows), opts, decision == "bayes")
    asked.check(rows.name)
    learning = np.zeros(len(rows), dtype=bool)
    if len(names) > 1 or (promise is not None and decision == "bayes"):
        learning = halves(codes(rows.ids if rows.patients is None else rows.patients), seed)
    recalibrator = _recalibrator(rows.take(learning) if learning.any() else rows, decision, seed)
    plain = to_plain(recalibrator)
    whole = scored(rows, decision, str(plain["form"]), recalibrator, opts.severity, opts.critical)
    for name in names:
        check.one_of(name, tuple(whole.confidence), f"{rows.name}: score")
    learned = None
    if len(names) > 1:
        bad = _bad(rows, whole, opts, learn_from)
        learned = learn(whole.take(learning).confidence, names, bad[learning])
        whole = replace(whole, confidence={"learned": learned(whole.confidence)})
    named = names[0] if learned is None else "learned"
    kept = rows.take(~learning)
    found, deferred = reading.read(asked, kept, whole.take(~learning), named, by)
    verdicts = {one.verdict for one in found.values()}
    return Policy(
        score=named, thresholds=found, by=by, kind=asked.kind, target=asked.target, classes=rows.classes,
        outputs=rows.kind, decision=decision, recalibrator=plain,
        fit=_fitted(rows, int(learning.sum()), deferred),
        verdict=verdicts.pop() if len(verdicts) == 1 else "partly_certified",
        capacity=capacity, reader=reader, promise=asked.promise, learned=_written(learned, learn_from),
        severity=None if opts.severity is None else opts.severity.to_dict(),
        critical=tuple((true, called) for true, called in pairs(rows.classes, opts.critical)),
        notes=tuple(_notes(found, by, len(kept), int(learning.sum()))),
    )  # fmt: skip


def _recalibrator(rows: Predictions, decision: str, seed: int) -> Recalibrator:
    if decision != "bayes":
        return unchanged
    clusters = codes(rows.ids if rows.patients is None else rows.patients)
    inversion = inversion_for(rows.source, rows.classes)
    chosen = recalibrate.choose(rows.logits, rows.labels, clusters, seed, inversion)
    return chosen.fitted[chosen.best]


def _bad(rows: Predictions, answers: Scored, opts: Options, learn_from: str) -> NDArray[np.bool_]:
    if learn_from == "error":
        return np.asarray(rows.labels != answers.decisions)
    if opts.critical is None:
        raise InputError("--learn critical_error: critical cells are needed; add --severity or --critical")
    return np.asarray(opts.critical[rows.labels, answers.decisions])


def _written(learned: Weighted | None, learn_from: str) -> LearnedScore | None:
    return None if learned is None else LearnedScore(target=learn_from, **asdict(learned))  # type: ignore[arg-type]


def _fitted(rows: Predictions, learned_on: int, deferred_share: float) -> FitRows:
    key = fingerprint(rows)
    patients = None if rows.patients is None else rows.patients.unique()
    counts = np.bincount(rows.labels[first_cases(rows)], minlength=len(rows.classes)).tolist()
    return FitRows(
        name=rows.name, n=len(rows), patients=None if patients is None else len(patients),
        learned_on=learned_on, counts=dict(zip(rows.classes, counts, strict=True)),
        deferred_share=deferred_share, fingerprint=key, row_hashes=hashing.packed(rows.ids, key),
        patient_hashes="" if patients is None else hashing.packed(patients, key),
    )  # fmt: skip


def _notes(found: Mapping[str, Threshold], by: str | None, kept: int, learned_on: int) -> list[str]:
    said = [one.why if by is None else f"{by} {name}: {one.why}" for name, one in found.items() if one.why]
    if kept < FEW_FIT_ROWS:
        said.append(f"the threshold was read from {kept} rows; below {FEW_FIT_ROWS} it is mostly noise")
    if learned_on:
        said.append(
            f"{learned_on} of the fit rows served to learn the score or the recalibration, the other {kept} "
            "to read the threshold"
        )
    return said
