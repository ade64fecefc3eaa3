"""Fit a policy: by capacity, by cost, or with a promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from primum import tables
from primum.auditing.answers import Scoring, columns_of, training_rows
from primum.auditing.answers import learned as learned_scores
from primum.auditing.guards import first_cases
from primum.auditing.options import Options, options
from primum.auditing.policy import thresholds, vetoes
from primum.auditing.policy.attainable import attainable
from primum.auditing.policy.document import Policy
from primum.auditing.policy.needs import with_needs
from primum.auditing.policy.notes import notes
from primum.auditing.policy.portions import divide
from primum.auditing.policy.request import Request, by_class, by_patient
from primum.auditing.policy.rows import require, scored, threshold_of_each
from primum.auditing.policy.terms import (
    FitRows,
    LearnedScore,
    Promise,
    Rule,
    StatedReader,
    Threshold,
    Tried,
    Verdict,
)
from primum.auditing.policy.tolerated import copies, with_copies
from primum.auditing.preparation import codes, fingerprint
from primum.core import check, hashes
from primum.core.arrays import Bools
from primum.core.check import InputError
from primum.judge.confidence.combined import INPUTS, Combined
from primum.judge.confidence.evidence import Fit
from primum.judge.confidence.weighted import Weighted
from primum.judge.deferral.learned import learn
from primum.judge.deferral.recalibrated import to_plain
from primum.judge.deferral.scored import Decided, Scored
from primum.judge.deferral.veto import RATE
from primum.judge.recalibration import recalibrate
from primum.judge.recalibration.inversion import inversion_for
from primum.judge.recalibration.recalibrate import Recalibrator
from primum.judge.recalibration.recalibrators import unchanged
from primum.judge.statistics import groups
from primum.predictions import Predictions
from primum.severity import SeverityMatrix, pairs
from primum.tables.selection import fit_rows, validation_rows
from primum.tables.truth import with_labels

RULES = ("argmax", "bayes", "given")
TARGETS = ("error", "critical_error")
Several = Literal["learn", "try"]
SEVERAL = ("learn", "try")


def fit(
    table: Any,
    severity: SeverityMatrix | str | Path | None = None,
    score: str | Sequence[str] = "msr",
    *,
    capacity: float | None = None,
    reader: StatedReader | None = None,
    promise: Promise | None = None,
    decision: Rule = "argmax",
    by: str | None = None,
    learn_from: str = "error",
    critical: Sequence[str | Sequence[str]] = (),
    columns: Mapping[str, str] | None = None,
    seed: int = 0,
    several: Several = "learn",
    classes: Sequence[str] | None = None,
    labels: Any = None,
    on: str | None = None,
    train: Any = None,
    veto: str | None = None,
    veto_rate: float = RATE,
    tolerate: Sequence[str] = (),
    changed: Sequence[Any] = (),
) -> Policy:
    """Fit a policy on the fit rows of a table: its cal rows, or those that are neither train nor test.

    Exactly one of ``capacity``, ``reader`` and ``promise`` says how the threshold is chosen. A promise is
    refused on validation rows, for the network was stopped or chosen on them, and on out-of-fold answers of a
    stacking, whose weights were fitted on these very rows; a policy without one notes validation rows.

    Whatever looks at labels before the threshold does (a learned score, ``combined``; for a certified policy
    also the recalibration behind Bayes decisions and the temperature of ``msr_temperature``) is fitted on one
    half of the rows, cut by patient, and the threshold is read on the other half alone: to that half the
    score is a fixed function, so the promise holds. A veto is set on a quarter of the rows of its own, or on
    half of the learning half, and looks at no label: see ``docs/deferral.md``.

    Args:
        table: whatever ``tables.read`` takes.
        severity: costs and critical cells; a capacity needs none.
        score: name of a score, or several: any of an audit's that applies to these rows, ``critical_mass``,
            ``expected_cost``, or a column of the table.
        capacity: largest share of the fit rows deferred, 0 or more and below 1.
        reader: who answers deferred cases; the threshold has the least failure cost.
        promise: what is to be certified. Where it cannot be, the policy says so and defers every case.
        decision: ``argmax``, ``bayes`` (on the best recalibrator) or ``given`` (the table's column).
        by: column whose groups get a threshold each, or None; a promise then holds for all of them together.
        learn_from: ``error`` or ``critical_error``, what a learned score is to foresee.
        critical, columns, classes, labels, on: as in ``primum.audit``. seed: of halves, folds and draws.
        several: of several scores ``learn`` one; or ``try`` each of the k for the promise, at delta / k, and
            keep the one that defers fewest, so that the choice is paid for.
        train: rows the network was trained on, with embeddings, for the scores that need them; the policy
            carries what it needs of them.
        veto: the novelty score asked before confidence, ``auto`` for the best that applies, or None.
        veto_rate: share of known-like patients (else cases) that it may send away, above 0 and below 1.
        tolerate: changes, ``NAME:INTENSITY``, that veto and promise are to cover as well.
        changed: tables of the fit rows, and with a veto of the training rows, under these changes.

    Raises:
        InputError: one sentence on what was expected, what arrived, where, and what to do.
    """
    read = tables.read(table, columns, classes=classes)
    rows = fit_rows(read if labels is None else with_labels(read, labels, on))
    opts = options(
        rows.classes, rows.name, severity, critical=critical, by=() if by is None else (by,), seed=seed
    )
    groups.check_columns(rows.metadata, opts.by)
    check.one_of(decision, RULES, "--decision: rule")
    check.one_of(learn_from, TARGETS, "--learn: target")
    check.one_of(several, SEVERAL, "--several:")
    names = tuple(
        dict.fromkeys(name.removeprefix("score_") for name in ([score] if isinstance(score, str) else score))
    )
    reader = by_class(reader, rows.classes)
    request = Request(
        capacity,
        reader,
        by_patient(promise, rows),
        opts,
        decision == "bayes",
        veto,
        veto_rate,
        bool(tolerate),
    )
    request.check(rows.name)
    if promise is not None:
        _refuse_seen(rows)
    elif several == "try":
        raise InputError("--several try: scores are tried for a promise; add --certify, or learn one of them")
    versions = copies(tolerate, changed, rows, columns)
    trained = None
    if train is not None:
        trained = training_rows(tables.read(train, columns, classes=rows.classes), rows, fit=rows)
    own = columns_of(rows)
    to_learn = len(names) > 1 and several == "learn"
    asked = None
    if veto is not None:
        order = () if to_learn else names
        asked = vetoes.choose(veto, rows, Scoring(train=trained).reference, own, order)
        trained = with_copies(trained, versions) if trained is not None and asked not in own else trained
    computed = tuple(name for name in (*names, *([asked] if asked else [])) if name not in own)
    # a temperature or recalibrator of the threshold's own rows would break a promise, not a capacity
    of_labels = promise is not None and (decision == "bayes" or "msr_temperature" in computed)
    portions = divide(
        rows, veto=asked is not None, learning=to_learn or "combined" in computed or of_labels, seed=seed
    )
    learning = portions.learning
    basis = rows.take(learning) if learning.any() else rows
    recalibrator = _recalibrator(basis, decision, seed)
    plain = to_plain(recalibrator)
    scoring = Scoring(basis, trained)
    ask = partial(
        scored, rule=decision, form=str(plain["form"]), recalibrator=recalibrator, matrix=opts.severity,
        critical=opts.critical, names=(*computed, *INPUTS) if "combined" in computed else computed,
        reference=scoring.reference,
    )  # fmt: skip
    answers, fitted, combining = ask(rows, fitted=scoring.plain), scoring.plain, None
    if "combined" in computed:
        answers, fitted, combining = _combine(rows, basis, scoring, answers, learning)
    views = [(rows, answers), *((version.rows, ask(version.rows, fitted=fitted)) for version in versions)]
    for table, each in views:
        require((*names, *([asked] if asked else [])), each, table.name)
    at = [np.arange(len(rows)), *(version.at for version in versions)]
    terms = None
    if asked is not None:
        novelty = [each.confidence[asked] for _, each in views]
        terms = vetoes.fitted(asked, veto_rate, novelty, at, rows, portions.veto)
        views = [
            (table, replace(each, familiar=vetoes.passing(terms, values)))
            for (table, each), values in zip(views, novelty, strict=True)
        ]
    learned = None
    if to_learn:
        bad = _bad(rows, answers, opts, learn_from)
        learned = learn(answers.take(learning).confidence, names, bad[learning])
        views = [
            (table, replace(each, confidence={"learned": learned(each.confidence)})) for table, each in views
        ]
        names = ("learned",)
    views = [
        (table.take(portions.reading[index]), each.take(portions.reading[index]))
        for (table, each), index in zip(views, at, strict=True)
    ]
    threshold_rows, answers = views[0]
    reads = {
        name: thresholds.read(request, threshold_rows, answers, name, by, len(names), views[1:])
        for name in names
    }
    chosen = thresholds.preferred(reads)
    by_group, deferred = reads[chosen]
    decided = Decided(
        answers.rule,
        answers.calibrated,
        decisions=answers.decisions,
        score=chosen,
        confidence=answers.confidence[chosen],
        threshold=threshold_of_each(by_group, by, threshold_rows),
        familiar=answers.familiar,
    )
    # every score counts as tried, also those that lost: that is what delta was divided for
    tried = tuple(Tried(name, _verdict(each), share) for name, (each, share) in reads.items())
    policy = Policy(
        score=chosen, thresholds=by_group, by=by, kind=request.kind, target=request.target,
        classes=rows.classes, outputs=rows.kind, decision=decision, recalibrator=plain,
        fit=_fitted(rows, threshold_rows, deferred, decided.accepted, int(learning.sum())),
        verdict=_verdict(by_group), tried=() if promise is None else tried,
        capacity=capacity, reader=reader, promise=request.promise, learned=_written(learned, learn_from),
        severity=None if opts.severity is None else opts.severity.to_dict(),
        critical=tuple((true, called) for true, called in pairs(rows.classes, opts.critical)),
        veto=terms, tolerated=tuple(version.change for version in versions),
        attainable=attainable(
            request, threshold_rows, answers, chosen, by=by, tries=len(reads), changed=views[1:]
        ),
        notes=tuple(notes(by_group, by, rows, portions, tried, chosen, request.promise, terms)),
    )  # fmt: skip
    return with_needs(policy, scoring, combining, own)


def _combine(
    rows: Predictions, basis: Predictions, scoring: Scoring, answers: Scored, learning: Bools
) -> tuple[Scored, Fit, Combined | None]:
    """The answers with the score ``combined``, learned on the learning half alone; the fit; its weights."""
    half = answers.take(learning)
    fit = scoring.of_rule(
        basis.labels == half.decisions,
        {name: score for name, score in half.confidence.items() if name in INPUTS},
    )
    (additions,), reasons = learned_scores(fit, [rows], [answers.confidence])
    combining = fit.combined if isinstance(fit.combined, Combined) else None
    more = replace(
        answers, confidence={**answers.confidence, **additions}, missing={**answers.missing, **reasons}
    )
    return more, fit, combining


def _refuse_seen(rows: Predictions) -> None:
    """Refuse rows that cannot bear a promise, since something was chosen or fitted on them before."""
    count = validation_rows(rows)
    if count:
        raise InputError(
            f"{rows.name}: a promise needs rows that training did not use, {count} of {len(rows)} fit rows "
            "are validation rows, on which the network was stopped or chosen; mark others as cal, or fit by "
            "--capacity or --reader-cost"
        )
    if rows.source.get("out_of_fold"):
        raise InputError(
            f"{rows.name}: a promise needs answers that owe nothing to its rows, these are out of fold of a "
            "stacking fitted on them; combine by the mean, or fit the stacking on other rows"
        )


def _verdict(by_group: Mapping[str, Threshold]) -> Verdict:
    verdicts = {threshold.verdict for threshold in by_group.values()}
    return verdicts.pop() if len(verdicts) == 1 else "partly_certified"


def _recalibrator(rows: Predictions, decision: str, seed: int) -> Recalibrator:
    if decision != "bayes":
        return unchanged
    clusters = codes(rows.ids if rows.patients is None else rows.patients)
    inversion = inversion_for(rows.source, rows.classes)
    chosen = recalibrate.choose(rows.logits, rows.labels, clusters, seed, inversion)
    return chosen.fitted[chosen.best]


def _bad(rows: Predictions, answers: Scored, opts: Options, learn_from: str) -> Bools:
    if learn_from == "error":
        return np.asarray(rows.labels != answers.decisions)
    if opts.critical is None:
        raise InputError("--learn critical_error: critical cells are needed; add --severity or --critical")
    return np.asarray(opts.critical[rows.labels, answers.decisions])


def _written(learned: Weighted | None, learn_from: str) -> LearnedScore | None:
    return None if learned is None else LearnedScore(target=learn_from, **asdict(learned))  # type: ignore[arg-type]


def _fitted(
    rows: Predictions, threshold_rows: Predictions, deferred_share: float, accepted: Bools, learned_on: int
) -> FitRows:
    key, cases = fingerprint(rows), first_cases(threshold_rows)
    patients = None if rows.patients is None else rows.patients.unique()
    counts = np.bincount(rows.labels[first_cases(rows)], minlength=len(rows.classes)).tolist()
    return FitRows(
        name=rows.name, n=len(rows), patients=None if patients is None else len(patients),
        learned_on=learned_on, counts=dict(zip(rows.classes, counts, strict=True)),
        deferred_share=deferred_share, fingerprint=key, row_hashes=hashes.packed(rows.ids, key),
        patient_hashes="" if patients is None else hashes.packed(patients, key),
        units=len(cases), deferred_units=int((~accepted[cases]).sum()),
    )  # fmt: skip
